"""Signal to noise over time: where a trajectory still says something about its field."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from odestudy.figures.base import FigureData
from odestudy.figures.lines import line_handles
from odestudy.figures.phase import shown_runs
from odestudy.figures.style import GREY, canvas
from odestudy.figures.words import listing, number, sentence

SHOWS = {
    "title": "Signal to noise over time",
    "tables": ["dynamics_recovery"],
    "arrays": ["recover"],
}

TABLE = "dynamics_recovery"


def draw(data: FigureData) -> Figure:
    curves = _curves(data)
    styles = {s: look | {"marker": ""} for s, look in data.looks(curves, "system").items()}
    figure, grid = canvas(1, 1, height=2.5)
    axes = grid[0, 0]
    for system, (t, snr) in curves.items():
        axes.plot(t, snr, **styles[system])
    axes.axhline(0, color=GREY, linewidth=0.9)
    axes.set(xlabel="time", ylabel="signal to noise (dB)")
    axes.set_ylim(max(-60, min(float(snr.min()) for _, snr in curves.values()) - 3), None)
    figure.legend(handles=line_handles(styles), loc="outside right center")
    return figure


def caption(data: FigureData) -> str:
    said, always = [], []
    for system, (t, snr) in _curves(data).items():
        if (snr < 0).any():
            below = t[np.argmax(snr < 0)]
            said.append(
                f"{data.label(system)} from t = {number(float(below))} on ({number(100 * (snr < 0).mean())} % of the points)"
            )
        else:
            always.append(data.label(system))
    parts = [f"below the noise: {listing(said)}"] if said else []
    parts += [f"above it all the time: {listing(always)}"] if always else []
    return (
        sentence("; ".join(parts)) + " Points below inform of little. Grey: signal and noise of equal size."
    )


def alt(data: FigureData) -> str:
    names = [data.label(system) for system in _curves(data)]
    return f"Signal to noise in decibel against time for {listing(names)}; lines of systems that decay fall steadily."


def _curves(data: FigureData) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """System -> times and signal to noise of the first seed."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for (system, _), shown in shown_runs(data, TABLE, "snr_db").items():
        found.setdefault(system, (shown.arrays["t"], shown.arrays["snr_db"]))
    return found
