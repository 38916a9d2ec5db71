"""Of all arrays those that are shown, and of large ones as few bits as a picture needs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import AbstractMovieWriter

from odestudy import build
from odestudy.figures.base import FigureData, NothingToShow
from odestudy.figures.style import SETTINGS
from odestudy.runtime.packed import Packed
from odestudy.runtime.registry import figure_module
from odestudy.study.load import Study

MANY = 16_384  # numbers of an array that is a moving picture, of which no caption tells a number
LARGEST = 6e4  # that half precision holds


class _Noted(dict[str, np.ndarray]):
    """Arrays that note which of them are read, and which are asked for."""

    def __init__(self, arrays: dict[str, np.ndarray], read: set[str], asked: set[str]) -> None:
        super().__init__(arrays)
        self.read, self.asked = read, asked

    def __getitem__(self, name: str) -> np.ndarray:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


@dataclass(frozen=True)
class _Noting(FigureData):
    """What a figure is given, with a note of each array that it reads or asks for: job folder -> names."""

    read: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    asked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def arrays(self, job: str) -> dict[str, np.ndarray]:
        return _Noted(super().arrays(job), self.read[job], self.asked[job])

    def seen(self) -> dict[str, set[str]]:
        """What was read, and what a job of which anything was read had to have."""
        return {job: names | self.asked[job] for job, names in self.read.items() if names}


class _Nowhere(AbstractMovieWriter):
    """Draws every frame of a moving picture and keeps none."""

    def setup(self, fig: Any, outfile: Any, dpi: float | None = None) -> None:
        self.fig, self.outfile, self.dpi = fig, outfile, dpi or fig.dpi

    def grab_frame(self, **_: Any) -> None:
        pass

    def finish(self) -> None:
        pass


def arrays_shown(study: Study) -> dict[str, set[str]]:
    """Job folder -> names of the arrays that the figures read, found by drawing each figure once.

    The tables have to be there.
    """
    found: dict[str, set[str]] = {}
    for name, (_, definition) in study.figures.items():
        if definition.get("arrays"):
            for job, seen in _seen_by(study, name, bool(definition.get("animated"))).items():
                found.setdefault(job, set()).update(seen)
    return found


def _seen_by(study: Study, name: str, animated: bool) -> dict[str, set[str]]:
    import matplotlib.pyplot as plt

    data = _Noting(**vars(build.figure_data(study, name)))
    module = import_module(figure_module(name))
    with mpl.rc_context(SETTINGS):
        try:
            data.refuse_failed()
            module.draw(data), module.caption(data), module.alt(data)
            if animated:
                module.animate(data).save(Path("none"), writer=_Nowhere())
        except NothingToShow:
            pass
        finally:
            plt.close("all")
    return data.seen()


def thinned(packed: Packed, shown: dict[str, set[str]]) -> Packed:
    """The same metrics, and of the arrays those that are shown or, as whole numbers, counted by tables."""
    arrays = {
        job: {n: small(a) for n, a in found.items() if a.dtype.kind in "iub" or n in shown.get(job, ())}
        for job, found in packed.arrays.items()
    }
    return Packed(packed.metrics, {job: found for job, found in arrays.items() if found})


def small(array: np.ndarray) -> np.ndarray:
    """An array of many floating-point numbers in half precision, or in single where they are beyond its range.

    A curve keeps its bits: captions tell numbers of some, such as a product that is constant to rounding.
    """
    if array.dtype.kind != "f" or array.size < MANY:
        return array
    finite = np.abs(array[np.isfinite(array)])
    return array.astype(np.float16 if finite.max(initial=0.0) < LARGEST else np.float32)
