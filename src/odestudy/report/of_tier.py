"""Of which tier a table or a figure is, where it is not wholly of the one that is shown."""

from __future__ import annotations

from collections.abc import Sequence

from odestudy.analysis.devices import device_said
from odestudy.study.load import Study


def tier_said(study: Study, question: str, experiments: Sequence[str]) -> str:
    """A sentence; empty where no other tier's experiment is shown."""
    of_tier: dict[str, list[str]] = {}
    for experiment in dict.fromkeys(experiments):
        if (question, experiment) in study.lent:
            timed = bool(study.questions[question]["experiments"][experiment].get("timed"))
            of_tier.setdefault(_named(study.lent[question, experiment], timed), []).append(experiment)
    if not of_tier:
        return ""
    own = [e for e in experiments if (question, e) not in study.lent]
    if len(of_tier) == 1 and not study.jobs_of(question, own):
        return f"Of tier {next(iter(of_tier))}."
    parts = [f"tier {tier}: {', '.join(names)}" for tier, names in of_tier.items()]
    said = "; ".join([*parts, f"tier {study.tier_name}: the rest"])
    return f"{said[0].upper()}{said[1:]}."


def _named(folder: str, timed: bool) -> str:
    """The tier of a published folder, and its devices where they are not processors."""
    tier, _, device = folder.partition("-")
    return f"{tier}, on {name}" if (name := device_said(tier, device, timed)) else tier


def experiments_of_figure(study: Study, name: str) -> list[str]:
    """The experiments whose tables and arrays a figure draws."""
    _, definition = study.figures[name]
    shown = [e for table in definition["tables"] for e in study.tables[table][1]["experiments"]]
    return list(dict.fromkeys([*shown, *definition.get("arrays", [])]))
