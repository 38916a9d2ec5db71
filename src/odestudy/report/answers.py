"""The first page: the proposal's four questions and its two weak spots, each answered in at most three sentences.

Every number comes from the ledger, with what stands beside it there, or from a table; what a sentence says depends on
verdicts and intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from odestudy.analysis.facts import Facts
from odestudy.report.answers_density import density, trace
from odestudy.report.answers_dynamics import conditioning, recovery
from odestudy.report.answers_images import adjoint, advantages, residual_net
from odestudy.report.answers_timeseries import spirals


@dataclass(frozen=True)
class Answer:
    """A question of the proposal with its answer.

    Attributes:
        name: of its picture.
        say: from the facts to its sentences.
    """

    name: str
    question: str
    say: Callable[[Facts], list[str]]


ANSWERS = (
    Answer("advantages", "Does a Neural ODE have the advantages that are claimed for it?", advantages),
    Answer(
        "residual_net",
        "How does it compare with a residual net in accuracy, time, memory and parameters?",
        residual_net,
    ),
    Answer(
        "recovery",
        "How accurately are unknown dynamics recovered from noisy observations, in how much time and memory?",
        recovery,
    ),
    Answer(
        "density", "How accurately does it model a complicated density, and what limits the target?", density
    ),
    Answer("conditioning", "Can badly conditioned or stiff dynamics be learnt?", conditioning),
    Answer(
        "trace",
        "The trace formula (7) holds for infinitely small steps: is it of use at steps that one can afford, or is the "
        "log-determinant (6) better?",
        trace,
    ),
)


# What the section on each of the study's questions begins with.
SECTIONS = {
    "gradients": (adjoint,),
    "images": (advantages, residual_net),
    "dynamics": (recovery, conditioning),
    "density": (density, trace),
    "timeseries": (spirals,),
}


def in_short(section: str, facts: Facts) -> str:
    """What a section found, a paragraph a question."""
    return "\n\n".join(" ".join(say(facts)) for say in SECTIONS.get(section, ()))


def answer_markdown(place: int, answer: Answer, facts: Facts, picture: str) -> str:
    """A question in bold, its answer, its picture."""
    return f"**{place}. {answer.question}** {' '.join(answer.say(facts))}\n\n{picture}\n"
