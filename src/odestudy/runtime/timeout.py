"""A job that took longer than it may is an outcome, which tables and verdicts count, and not a gap."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT = "timeout"


def record_timeout(
    spec: Mapping[str, Any],
    target: Path,
    told: Mapping[str, Any],
    message: str,
    begun: float,
    peak_mib: float,
) -> None:
    """Write the metrics of a job that is given up, one row a seed, unless they are there.

    Its checkpoints stay, so that `odestudy run KEY --again` goes on where it ended.

    Args:
        spec: the job's specification; target: its metrics.json.
        told: `code`, the hash of the code that computed, and `rules`, those that are to judge it.
        message: why it was given up.
        begun: when it began, in seconds since 1970.
        peak_mib: the most memory that it held.
    """
    from odestudy.runtime.provenance import provenance
    from odestudy.runtime.store import is_current, write_metrics

    if is_current(target, told["code"]):
        return
    took = time.time() - begun
    content = {
        "spec": dict(spec),
        "rows": {"runs": [{"seed": s, "status": TIMEOUT, "message": message} for s in spec["seeds"]]},
        "code": told["code"],
        "rules": told.get("rules", {}),
        "provenance": {
            **provenance(spec, Path.cwd(), None),
            "begun_unix_s": begun,
            "wall_s": took,
            "process_s": took,
            "process_peak_mib": peak_mib,
        },
    }
    write_metrics(target, content, {})
