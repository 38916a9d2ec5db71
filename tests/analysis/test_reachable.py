"""A tier whose seeds leave a rule only one way to come out is refused before a job starts."""

from __future__ import annotations

import pytest

from odestudy.analysis.reachable import check_rules
from odestudy.errors import ConfigError
from odestudy.study import load_study
from odestudy.study.planned import planned_seeds


@pytest.mark.parametrize("tier", ["smoke", "quick", "cpu", "full"])
def test_every_rule_of_every_tier_can_come_out_both_ways(root, tier):
    check_rules(load_study(root, tier))


def test_a_rule_out_of_reach_names_the_row_the_seeds_and_how_many_would_do(root):
    study = load_study(root, "cpu")
    rates = [c for c in study.claims if c.get("estimand", {}).get("statistic") == "rate" and "rule" in c]
    rate = next(c for c in rates if 0 < planned_seeds(c, study) < 11)
    object.__setattr__(study, "claims", [rate | {"rule": {"low": 0.75}}])
    with pytest.raises(
        ConfigError, match=rf"{rate['id']}: \d+ seeds are planned.*supported; 11 seeds would do"
    ):
        check_rules(study)


def test_a_rule_that_holds_whatever_comes_out_is_refused(root):
    study = load_study(root, "quick")
    exact = next(c for c in study.claims if c.get("deterministic") and c.get("rule", {}).get("high") == 0)
    object.__setattr__(study, "claims", [exact | {"rule": {"high": float("inf")}}])
    with pytest.raises(ConfigError, match=f"{exact['id']}: no outcome could be refuted"):
        check_rules(study)
