"""What entries of the configuration stand for."""

from __future__ import annotations

from odestudy.densities.laws import Target
from odestudy.densities.targets import target_of
from odestudy.questions.density import params


def target_in(entry: params.Target) -> Target:
    """The target that an entry names."""
    arguments = entry.parameters.model_dump() if entry.parameters else {}
    return target_of(entry.kind, **arguments)
