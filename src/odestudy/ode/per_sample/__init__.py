"""Batches in which each sample has its own steps: `solve(..., per_sample=True)`."""

from odestudy.ode.per_sample._solve import solve_per_sample

__all__ = ["solve_per_sample"]
