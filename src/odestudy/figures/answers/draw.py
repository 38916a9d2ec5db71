"""All pictures of the first page as SVG, with alternative text."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl

from odestudy.analysis.facts import Facts
from odestudy.figures.answers import advantages, conditioning, density, recovery, residual_net, trace
from odestudy.figures.answers.chart import as_json
from odestudy.figures.answers.look import LOOK, empty, svg_of
from odestudy.figures.base import NothingToShow

PICTURES = {
    "advantages": advantages.draw,
    "residual_net": residual_net.draw,
    "recovery": recovery.draw,
    "density": density.draw,
    "conditioning": conditioning.draw,
    "trace": trace.draw,
}


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        alt: what it shows in words.
        data: what it shows as JSON, from which a page can draw it again; empty where there is nothing to show.
    """

    svg: bytes
    alt: str
    data: str = ""


def picture(name: str, facts: Facts) -> Picture:
    """One picture of the first page; where its data are missing it says so."""
    with mpl.rc_context(LOOK):
        try:
            figure, alt, panels = PICTURES[name](facts)
        except NothingToShow as reason:
            alt = f"Nothing to show: {reason}."
            return Picture(svg_of(empty(alt)), alt)
        message = " ".join(figure.get_suptitle().split())
        return Picture(svg_of(figure), alt, as_json(message, alt, panels))
