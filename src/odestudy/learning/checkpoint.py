"""A training's whole state in one safetensors file: written whole or not at all, taken up only by the same job.

The file holds a digest of itself, since safetensors only sees damage that breaks its own form.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Generator, Tensor, nn

from odestudy.runtime.checkpoint_dir import workplace
from odestudy.runtime.files import plain, write_atomically

LOG = logging.getLogger(__name__)
DIGEST = "sha256"  # its key in the file's metadata


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
        if self.path is None:
            return
        adam = training.optimizer.state_dict()
        about = {
            "identity": self.identity,
            "rows": json.dumps(plain(training.rows)),
            "schedule": json.dumps(plain(training.schedule.state_dict())),
            "groups": json.dumps(plain(adam["param_groups"])),
        }
        tensors = {f"net/{name}": value for name, value in training.net.state_dict().items()}
        tensors |= {
            f"optimizer/{i}/{name}": torch.as_tensor(value)
            for i, state in adam["state"].items()
            for name, value in state.items()
        }
        tensors |= {f"generator/{name}": g.get_state() for name, g in training.generators.items()}
        whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        about[DIGEST] = _digest(about, whole)
        write_atomically(self.path, safetensors.torch.save(whole, metadata=about))

    def load(self, training: Training) -> None:
        """Bring `training` to where the file left it; another's or a damaged file is logged and ignored."""
        if self.path is None or not self.path.is_file():
            return
        try:
            about, tensors = _read(self.path)
        except (SafetensorError, OSError, ValueError) as error:
            LOG.warning("%s: damaged (%s); ignored, training starts anew", self.path, error)
            return
        if about.get("identity") != self.identity:
            LOG.warning("%s: of another specification or code; ignored, training starts anew", self.path)
            return
        _restore(training, about, tensors)
        LOG.warning("%s: taken up after epoch %d", self.path, len(training.rows))


def checkpoint_of(name: str) -> Checkpoint:
    """The checkpoint of a training, by its name within the job under way."""
    here = workplace()
    if here is None:
        return Checkpoint(None, "")
    return Checkpoint(here.folder / f"{name}.safetensors", f"{here.identity} {name}")


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a file.

    Raises:
        SafetensorError, OSError: it cannot be read.
        ValueError: it holds something else than was written.
    """
    with safe_open(path, framework="pt") as file:
        about = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    if about.get(DIGEST) != _digest(about, tensors):
        raise ValueError("its content does not have the digest that it was written with")
    return about, tensors


def _digest(about: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """SHA-256 of the metadata, itself left out, and of every tensor's name, dtype, shape and bytes, in order of names."""
    said = {key: value for key, value in about.items() if key != DIGEST}
    form = [(name, str(tensors[name].dtype), list(tensors[name].shape)) for name in sorted(tensors)]
    total = hashlib.sha256(json.dumps([said, form], sort_keys=True).encode())
    for name in sorted(tensors):
        total.update(tensors[name].flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()


def _restore(training: Training, about: dict[str, str], tensors: dict[str, Tensor]) -> None:
    parts: dict[str, dict[str, Tensor]] = {"net": {}, "optimizer": {}, "generator": {}}
    for name, value in tensors.items():
        kind, _, rest = name.partition("/")
        parts[kind][rest] = value
    training.net.load_state_dict(parts["net"])
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimizer"].items():
        index, _, key = name.partition("/")
        state.setdefault(int(index), {})[key] = value
    training.optimizer.load_state_dict({"state": state, "param_groups": json.loads(about["groups"])})
    training.schedule.load_state_dict(json.loads(about["schedule"]))
    for name, generator in training.generators.items():
        generator.set_state(parts["generator"][name])
    training.rows[:] = json.loads(about["rows"])
