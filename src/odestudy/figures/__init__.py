"""One file a figure, each with draw(data), caption(data) and alt(data); a figure never computes results."""
