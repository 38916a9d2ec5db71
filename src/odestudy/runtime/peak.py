"""The largest resident memory of this process since a job began."""

from __future__ import annotations

import ctypes
import gc
import re
import resource
from contextlib import suppress
from pathlib import Path


def reset_peak() -> None:
    """Give back what is free and let the kernel count anew; where it cannot, the peak stays that of the process."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets VmHWM


def peak_mib() -> float:
    """In MiB, since reset_peak was called, as far as the system tells it."""
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
