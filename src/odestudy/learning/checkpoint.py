"""A training's whole state in one file of torch's: written whole or not at all, taken up only by the same job."""

from __future__ import annotations

import io
import logging
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, nn

from odestudy.runtime.checkpoint_dir import workplace
from odestudy.runtime.files import plain, write_atomically

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """What changes while a net is trained. `rows` has one row for each epoch that is done."""

    net: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    generators: dict[str, Generator]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training of a job; without a job nothing is kept.

    Attributes:
        path: None outside a job.
        identity: of specification, code and training; a file of another identity is ignored.
    """

    path: Path | None
    identity: str

    def save(self, training: Training) -> None:
        """Write the state, in place of what the file held."""
        if self.path is None:
            return
        buffer = io.BytesIO()
        torch.save(
            {
                "identity": self.identity,
                "rows": plain(training.rows),
                "net": training.net.state_dict(),
                "optimizer": training.optimizer.state_dict(),
                "schedule": plain(training.schedule.state_dict()),
                "generators": {name: g.get_state() for name, g in training.generators.items()},
            },
            buffer,
        )
        write_atomically(self.path, buffer.getvalue())

    def load(self, training: Training) -> None:
        """Bring `training` to where the file left it; another's or a damaged file is logged and ignored."""
        if self.path is None or not self.path.is_file():
            return
        try:
            state = _read(self.path)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            LOG.warning("%s: damaged (%s); ignored, training starts anew", self.path, error)
            return
        if state["identity"] != self.identity:
            LOG.warning("%s: of another specification or code; ignored, training starts anew", self.path)
            return
        training.net.load_state_dict(state["net"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.schedule.load_state_dict(state["schedule"])
        for name, generator in training.generators.items():
            generator.set_state(state["generators"][name])
        training.rows[:] = state["rows"]
        LOG.warning("%s: taken up after epoch %d", self.path, len(training.rows))


def checkpoint_of(name: str) -> Checkpoint:
    """The checkpoint of a training, by its name within the job under way."""
    here = workplace()
    if here is None:
        return Checkpoint(None, "")
    return Checkpoint(here.folder / f"{name}.pt", f"{here.identity} {name}")


def _read(path: Path) -> dict[str, Any]:
    """The state in a file.

    Raises:
        OSError, zipfile.BadZipFile: it cannot be read.
        ValueError: a part of it is not what was written.
    """
    with zipfile.ZipFile(path) as parts:
        damaged = parts.testzip()  # torch writes the parts' sums and does not look at them when it reads
    if damaged:
        raise ValueError(f"{damaged} does not have the sum that it was written with")
    return torch.load(path, map_location="cpu", weights_only=True)
