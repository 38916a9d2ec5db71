"""Gradients, memory and reversibility: everything of this question."""
