"""Rules that cannot come out both ways at the seeds that a tier plans are refused before a job starts."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from odestudy.analysis.estimators import is_log
from odestudy.errors import ConfigError
from odestudy.statistics.reach import fewest_seeds, unreachable
from odestudy.statistics.region import FEWEST_SEEDS, region_of
from odestudy.study.load import Study
from odestudy.study.planned import planned_seeds


def check_rules(study: Study) -> None:
    """Hold each rule of a tier that judges against its seeds.

    Raises:
        ConfigError: the file, the row, its seeds, the verdict that cannot come out, and the fewest seeds that would do.
    """
    if study.tier["verdicts"] != "all":
        return
    for claim in study.claims:
        seeds = planned_seeds(claim, study)
        if "rule" not in claim or not (seeds or claim.get("deterministic")):
            continue
        if claim.get("deterministic"):
            if never := outcome_out_of_reach(claim, study, None):
                raise ConfigError(
                    f"{_where(claim)}: no outcome could be {never}; mend its rule or delete the row"
                )
        elif seeds < FEWEST_SEEDS or (never := outcome_out_of_reach(claim, study, seeds)):
            fewest = fewest_seeds(partial(_reaches, claim, study))
            mend = f"{fewest} seeds would do" if fewest else "no number of seeds would do; mend its rule"
            what = f"no outcome could be {never}" if seeds >= FEWEST_SEEDS else "too few for a verdict"
            raise ConfigError(f"{_where(claim)}: {seeds} seeds are planned, at which {what}; {mend}")


def _where(claim: dict[str, Any]) -> str:
    return f"config/claims/{claim['question']}.yaml: {claim['id']}"


def _reaches(claim: dict[str, Any], study: Study, seeds: int) -> bool:
    return not outcome_out_of_reach(claim, study, seeds)


def outcome_out_of_reach(claim: dict[str, Any], study: Study, seeds: int | None) -> str:
    """The verdict that no outcome of so many seeds can give, "" where both can come out or there is no rule."""
    if "rule" not in claim:
        return ""
    estimand = claim["estimand"]
    columns = study.questions[study.tables[estimand["table"]][0]]["columns"]
    about = columns.get(estimand["column"], {})
    plain = estimand["statistic"] in ("mean", "value")
    within = about.get("range", (-np.inf, np.inf)) if plain else _within(estimand)
    quantum = about.get("quantum", 0.0) if plain and not is_log(estimand) else 0.0
    rate = estimand["statistic"] == "rate"
    return unreachable(region_of(claim), seeds, rate=rate, within=within, quantum=quantum)


def _within(estimand: dict[str, Any]) -> tuple[float, float]:
    """What values a statistic can have whatever the data are."""
    if estimand["statistic"] == "rate":
        return 0.0, 1.0
    positive = is_log(estimand) or estimand["statistic"] in ("ratio_value", "count", "growth_share")
    return (0.0 if positive else -np.inf), np.inf
