"""The options of subcommands that read a study, and the study that they choose."""

from __future__ import annotations

import argparse

from odestudy.runtime.clone import project_root
from odestudy.study import Study, load_study
from odestudy.study.tiers import TIERS


def study_options(command: argparse.ArgumentParser) -> None:
    """Which tier and which part of it."""
    command.add_argument(
        "--tier", default=None, help=f"one of {', '.join(TIERS)}; that of config/study.yaml otherwise"
    )
    command.add_argument("--questions", default=None, help="only these questions, separated by commas")
    command.add_argument("--seeds", type=int, default=None, help="at most so many seeds")


def chosen_study(options: argparse.Namespace) -> Study:
    """The study that the options of study_options name."""
    root = project_root()
    tier = options.tier
    if tier is None:
        from odestudy.study.config import load_checked

        tier = load_checked(root, "config/study.yaml", "study")["tier"]
    chosen = {key: getattr(options, key, None) for key in ("questions", "arms", "seeds")}
    study = load_study(root, tier, chosen)
    if not any(chosen.values()):
        from odestudy.analysis.reachable import check_rules

        check_rules(study)
    return study
