"""All pictures of the first page as SVG, with alternative text."""

from __future__ import annotations

import matplotlib as mpl

from odestudy.analysis.facts import Facts
from odestudy.figures.answers import advantages, conditioning, density, recovery, residual_net, trace
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


def picture(name: str, facts: Facts) -> tuple[bytes, str]:
    """One picture as SVG and what it shows in words; where its data are missing both say so."""
    with mpl.rc_context(LOOK):
        try:
            figure, alt = PICTURES[name](facts)
        except NothingToShow as reason:
            alt = f"Nothing to show: {reason}."
            figure = empty(alt)
        return svg_of(figure), alt
