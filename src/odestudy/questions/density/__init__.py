"""Densities of flows, trace and log-determinant: everything of this question."""
