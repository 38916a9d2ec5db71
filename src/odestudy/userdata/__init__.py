"""Files of a user's own numbers: reading and checking them, progress, and pages, for `fit` and `density` alike."""
