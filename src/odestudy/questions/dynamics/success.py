"""What counts as a recovery."""

from __future__ import annotations

from typing import Any

import numpy as np

from odestudy.runtime.outcome import Row


def counted(rows: list[Row], spec: dict[str, Any]) -> list[Row]:
    """The rows with what counts as a recovery, where the specification says what does; a failed run is none."""
    bound = spec.get("recovered_pct")
    if bound is None:
        return rows
    return [
        row | {"recovered": int(row["status"] == "ok" and (row.get("field_error_pct") or np.inf) <= bound)}
        for row in rows
    ]
