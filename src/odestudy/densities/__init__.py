"""Densities of flows: targets that are known, flows that model them, and how the change of density is computed.

The flow runs from the data at t = 0 to the standard normal base at t = 1, so log p(x) = log N(z(1)) + gain, where
the gain is either the integral of the trace of df/dz or the log-determinant of the map as it is computed.
"""
