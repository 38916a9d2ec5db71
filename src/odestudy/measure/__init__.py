"""Time, memory, evaluations, provenance."""
