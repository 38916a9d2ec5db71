"""A continuous flow fitted to points of one's own: density, samples, certificate."""
