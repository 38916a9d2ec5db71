"""A user's own observations: reading them, learning their vector field, writing what was learnt."""
