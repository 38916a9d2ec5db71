"""Dynamical systems: right-hand sides, reference trajectories, observations."""
