"""A job: one process of work, identified by its specification."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from odestudy.runtime.keys import key_of


@dataclass(frozen=True)
class Job:
    """One unit of work.

    Attributes:
        spec: all that the result depends on; `spec["task"]` names the function as module.function.
        label: a readable name, part of the folder's name but not of the identity.
    """

    spec: dict[str, Any]
    label: str

    @property
    def task(self) -> str:
        return self.spec["task"]

    @property
    def module(self) -> str:
        """The module of odestudy.questions that computes this job."""
        return self.task.split(".")[0]

    @cached_property
    def key(self) -> str:
        return key_of(self.spec)

    @property
    def folder(self) -> str:
        """Relative to results/<run>/runs."""
        return f"{self.module}/{readable(self.label)}-{self.key}"

    def axis(self, name: str) -> Any:
        """The value of an axis; of a named entry its name."""
        value = self.spec[name]
        return value["name"] if isinstance(value, dict) else value

    def metrics(self, results: Path) -> Path:
        return results / "runs" / self.folder / "metrics.json"


def key_in(folder: str) -> str:
    """The key of the job that a folder is of."""
    return folder.rpartition("-")[2]


def readable(label: str) -> str:
    """A label as a folder's name: letters, digits, dot, underscore and hyphen."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("-_.")[:80] or "job"
