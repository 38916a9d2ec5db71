"""Put the metrics of a run where they can be committed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.cli.options import chosen_study, study_options
from odestudy.errors import ConfigError
from odestudy.runtime.clone import project_root


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "publish",
        help="pack a run's results into results/published/<tier>-<device>",
        epilog="Example: odestudy publish --tier quick",
    )
    parser.add_argument("--device", default=None, help="what to call the machine; cpu, or the GPU's name")
    parser.add_argument("--partial", action="store_true", help="also where some jobs have not run")
    parser.add_argument(
        "--judge",
        type=Path,
        metavar="FOLDER",
        help="only the ledger of a published folder, by the rules of now",
    )
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Pack, and print the folder relative to the clone."""
    from odestudy.publication.publish import judge_again, publish

    if options.judge is not None:
        named = (options.tier, options.questions, options.seeds, options.device, options.partial or None)
        if any(value is not None for value in named):
            raise ConfigError(
                f"publish --judge {options.judge}: takes its tier and all else from the folder; no other option is allowed"
            )
        judge_again(project_root(), options.judge)
        print(options.judge)
        return 0
    study = chosen_study(options)
    folder = publish(study, options.device, options.partial)
    print(folder.relative_to(study.root))
    return 0
