"""Intervals, tests and the seeds that they need: of numbers alone, without a study."""
