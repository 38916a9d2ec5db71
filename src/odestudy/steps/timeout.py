"""A job that took longer than it may is an outcome, which tables and verdicts count, and not a gap."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

TIMEOUT = "timeout"


def record_timeout(request: dict[str, Any], message: str, begun: float, peak_mib: float) -> None:
    """Write the metrics of a job that was killed, one row a seed, unless its last act was to write them itself.

    Its checkpoints stay, so that `odestudy run KEY --again` goes on where it ended.

    Args:
        request: what the job was asked for, as odestudy.steps.take takes it.
        message: why it was killed.
        begun: when it began, in seconds since 1970.
        peak_mib: the most memory that it held.
    """
    from odestudy.runtime.provenance import provenance
    from odestudy.runtime.store import is_current, write_metrics

    spec, target = request["spec"], Path(request["metrics"])
    if is_current(target, request["code"]):
        return
    took = time.time() - begun
    content = {
        "spec": spec,
        "rows": {"runs": [{"seed": s, "status": TIMEOUT, "message": message} for s in spec["seeds"]]},
        "code": request["code"],
        "provenance": {
            **provenance(spec, Path.cwd(), None),
            "begun_unix_s": begun,
            "wall_s": took,
            "process_s": took,
            "process_peak_mib": peak_mib,
        },
    }
    write_metrics(target, content, {})
