"""Recovering a right-hand side from observations: windows, training, judgement, baselines."""
