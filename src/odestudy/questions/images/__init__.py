"""Images against residual networks: everything of this question."""
