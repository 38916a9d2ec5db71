"""Time series at irregular times: everything of this question."""
