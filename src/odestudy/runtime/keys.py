"""The identity of a specification: a hash of its one JSON text."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(spec: Any) -> str:
    """The one JSON text of a specification: sorted keys, no blanks, no NaN."""
    return json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def key_of(spec: dict[str, Any]) -> str:
    """Eight hexadecimal digits that identify a specification."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()[:8]
