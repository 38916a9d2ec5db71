"""Batches in which each sample has its own steps: `solve_batch`."""

from odestudy.ode.per_sample._solve import solve_batch

__all__ = ["solve_batch"]
