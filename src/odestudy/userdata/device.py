"""The device of a user's fit, by its name; on the processor one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from odestudy.measure.device import job_device


@contextmanager
def fit_device(wanted: str) -> Iterator[str]:
    """The torch device for `cpu`, `cuda` or `auto`.

    Nets this small are faster on one thread than on several, and the result does not depend on how many there are.

    Raises:
        ConfigError: `cuda` was asked for and there is none.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with job_device(wanted) as device:
            yield device
    finally:
        torch.set_num_threads(threads)
