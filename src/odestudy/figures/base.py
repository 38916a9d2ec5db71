"""The data of a figure, and its files: same table, same bytes."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation, PillowWriter

from odestudy.analysis.labels import Labels
from odestudy.analysis.selecting import is_ok
from odestudy.figures.style import SETTINGS, looks
from odestudy.runtime.files import write_atomically
from odestudy.runtime.registry import figure_module
from odestudy.runtime.store import read_arrays

FRAMES_PER_SECOND = 8
GIF_DPI = 110


@dataclass(frozen=True)
class FigureData:
    """What a figure may look at.

    Attributes:
        tables: name -> table, the summaries as <name>_summary.
        metrics: job folder -> path of its metrics.json, of the experiments whose arrays the figure shows.
        labels: of the question's systems, entries and levels; columns: column -> {label, unit, ...}.
        margins: of the question's claims, name -> region with `at_least` and `at_most`.
        unplaced: how many runs the tables lack, since their jobs took too long to tell where they belong.
    """

    tables: dict[str, pd.DataFrame]
    metrics: dict[str, Path]
    labels: Labels
    columns: dict[str, dict[str, Any]]
    margins: Mapping[str, Any] = field(default_factory=dict)
    unplaced: int = 0

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def arrays(self, job: str) -> dict[str, np.ndarray]:
        """The arrays of a job, by the folder that the tables' column `job` names."""
        return read_arrays(self.metrics[job])

    def label(self, name: str, column: str = "") -> str:
        """What configuration calls a value of a column; without the column, an entry, or what all columns agree on."""
        if name in self.labels.columns.get(column, {}):
            return self.labels.of(column, name)
        if name in self.labels.entries:
            return self.labels.entries[name]
        said = {levels[name] for levels in self.labels.columns.values() if name in levels}
        return said.pop() if len(said) == 1 else name.replace("_", " ")

    def looks(self, names: Iterable[str], column: str) -> dict[str, dict[str, Any]]:
        """A look for each value of a column, with what configuration calls it as its label."""
        return {name: kind | {"label": self.labels.of(column, name)} for name, kind in looks(names).items()}

    def axis(self, column: str) -> str:
        """An axis label: name and unit."""
        info = self.columns.get(column, {})
        unit = f" ({info['unit']})" if "unit" in info else ""
        return f"{info.get('label', column)}{unit}"

    def refuse_failed(self) -> None:
        """Raise NothingToShow where no run of a table ended well; such a table lacks the columns that would be shown."""
        for name, table in self.tables.items():
            if (len(table) and not is_ok(table).any()) or (self.unplaced and table.empty):
                raise NothingToShow(f"every run of {name} failed")


class NothingToShow(Exception):
    """The tables hold no row that this figure shows."""


def render(name: str, data: FigureData, outputs: dict[str, Path], extra: dict[str, Any]) -> None:
    """Draw one figure and write svg, pdf, png (300 dpi) and a JSON with caption and alternative text.

    Where there is nothing to show, the files say so in words.
    """
    module = import_module(figure_module(name))
    with mpl.rc_context(SETTINGS):
        try:
            data.refuse_failed()
            figure, caption, alt = module.draw(data), module.caption(data), module.alt(data)
            empty = False
            if data.unplaced:
                caption += f" Not shown: {data.unplaced} runs of jobs that took too long."
        except NothingToShow as reason:
            figure, caption, empty = _empty(str(reason)), f"No data at this tier: {reason}.", True
            alt = caption
        _save(figure, outputs)
    about = {
        "name": name,
        "caption": " ".join(caption.split()),
        "alt": " ".join(alt.split()),
        "empty": empty,
        **extra,
    }
    write_atomically(outputs["json"], (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode())


def render_animation(name: str, data: FigureData, output: Path) -> None:
    """Draw the moving picture of a figure, its module's animate(data), as an endless GIF.

    The GIF has the size of the column at 110 dots an inch; where there is nothing to show it is one frame
    that says so.
    """
    module = import_module(figure_module(name))
    with mpl.rc_context(SETTINGS):
        try:
            data.refuse_failed()
            moving = module.animate(data)
        except NothingToShow as reason:
            moving = FuncAnimation(_empty(str(reason)), lambda k: (), frames=1)
        with tempfile.TemporaryDirectory() as scratch:
            drawn = Path(scratch) / output.name
            moving.save(drawn, writer=PillowWriter(fps=FRAMES_PER_SECOND), dpi=GIF_DPI)
            write_atomically(output, drawn.read_bytes())


def _empty(reason: str) -> Any:
    from odestudy.figures.style import canvas

    figure, axes = canvas(height=0.8)
    axes[0, 0].set_axis_off()
    axes[0, 0].text(0.5, 0.5, f"no data at this tier: {reason}", ha="center", va="center")
    return figure


def _save(figure: Any, outputs: dict[str, Path]) -> None:
    without_date: dict[str, Callable[[], dict[str, Any]]] = {
        "svg": lambda: {"Date": None, "Creator": None},
        "pdf": lambda: {"CreationDate": None, "Creator": None, "Producer": None},
        "png": lambda: {"Software": None},
    }
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # laid out once: all formats agree, and none is drawn twice
    for kind, metadata in without_date.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=300 if kind == "png" else 150, metadata=metadata())
        write_atomically(outputs[kind], buffer.getvalue())
