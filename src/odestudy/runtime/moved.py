"""Code that was moved, or changed only in what no job of the study had asked for: what it computed before still stands.

An entry was made after the jobs of the smoke tier had given the same metrics by both, bit for bit where nothing is timed. The
next change of that code has another hash: the entry then leads nowhere, and a test asks to take it out. Jobs that a change does
bear on take fresh seeds with it, so that what they had computed before belongs to no job.
"""

from __future__ import annotations

# Hash after -> hashes before. Images: into its folder; CUDA graphs. All: small Jacobians of separate samples in implicit
# methods, the limit of evaluations counted for each solve where a model trains by itself, eigenvectors along no axis, forecasts that
# end after the data counted as far as they go. Dynamics: a model that is lost in multiple shooting beside others, which had
# ended the job with an error.
SINCE = {
    "60c0eb1ae8cb": (
        "4869acfee50c", "37732684d9db", "033c2b76ed22", "7d3131f5ebda", "4269c61e058a", "2dbcf0c6c1a9", "63ee4322edf6",
    ),
    "7523e944fae5": ("fc002c63117c", "47f08f64ad6b", "f1c0e884aeea"),
    "7109fb891cbf": ("57a741385da2",),
    "10aa33ad74f9": ("6c56e42c6c53",),
    "b5e86f283a10": ("09ed136690d6",),
}  # fmt: skip
MOVED = {before: after for after, them in SINCE.items() for before in them}


def same_code(stored: str, code: str) -> bool:
    """Whether metrics that hold one hash were computed by the code of the other, perhaps before it was moved."""
    return code in (stored, MOVED.get(stored))
