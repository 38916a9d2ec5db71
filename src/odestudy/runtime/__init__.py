"""Run one job: its log, its lock, its metrics on disk, where they come from."""
