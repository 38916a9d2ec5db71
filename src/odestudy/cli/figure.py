"""Draw one figure from the metrics that are there, without Snakemake."""

from __future__ import annotations

import argparse
from typing import Any

from odestudy.cli.options import chosen_study, study_options
from odestudy.errors import ConfigError, DataError
from odestudy.text import meant


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "figure",
        help="draw one figure from the metrics that are there",
        epilog="Example: odestudy figure gradients_order --tier quick",
    )
    parser.add_argument("name", help="as in results/<tier>/figures/NAME.svg")
    study_options(parser)
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Make the tables that a figure needs, and its files; print where they are."""
    from odestudy import build

    study, name = chosen_study(options), options.name
    if name not in study.figures:
        raise ConfigError(
            f"figure {name!r}: unknown{meant(name, study.figures)}; allowed: {', '.join(study.figures)}"
        )
    question, definition = study.figures[name]
    needs = [e for table in definition["tables"] for e in study.tables[table][1]["experiments"]]
    jobs = study.jobs_of(question, [*needs, *definition.get("arrays", [])])
    missing = [job for job in jobs if not job.metrics(study.results).is_file()]
    if missing:
        command = f"make study TIER={study.tier_name} QUESTIONS={question}"
        raise DataError(
            f"figure {name}: {len(missing)} of {len(jobs)} jobs have not run; {command} runs them"
        )
    for table in definition["tables"]:
        build.make_table(study, table)
    build.make_whole_figure(study, name)
    print(study.results / f"figures/{name}.svg")
    return 0
