"""Code that was moved, or changed only in what no job before had asked for: what it computed before still stands.

An entry was made after the jobs of the smoke tier had given the same metrics by both, bit for bit where nothing is timed. The
next change of that code has another hash: the entry then leads nowhere, and a test asks to take it out.
"""

from __future__ import annotations

# Hash before -> hash after: images into its folder; CUDA graphs, which were not asked for before.
MOVED = dict.fromkeys(
    ("4869acfee50c", "37732684d9db", "033c2b76ed22", "7d3131f5ebda", "4269c61e058a", "2dbcf0c6c1a9"),
    "63ee4322edf6",
)


def same_code(stored: str, code: str) -> bool:
    """Whether metrics that hold one hash were computed by the code of the other, perhaps before it was moved."""
    return code in (stored, MOVED.get(stored))
