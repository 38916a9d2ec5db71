"""A reproducible study of Neural ODEs: solvers and gradients, experiments, measurements, verdicts."""

__version__ = "0.1.0"
