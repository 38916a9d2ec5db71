"""Results as something to hand on: publish a folder, verify it, compare two."""
