"""How many seeds the smallest effect that matters takes, row by row, and what they cost."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from odestudy.cli.options import chosen_study, study_options


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "power",
        help="effect, spread, seeds and cost of each row of the ledger",
        description="Seeds at which each rule would be met in four of five studies if the truth were its `expect`, from "
        "the spread that a pilot found.",
        epilog="Example: odestudy power --tier quick --pilot results/published/quick-cpu",
    )
    study_options(parser)
    parser.add_argument(
        "--pilot",
        type=Path,
        help="a published or own results folder whose ledger tells the spread; results/published/<tier>-cpu otherwise",
    )
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Print the table, and under it what all of the planned and all of the needed seeds take."""
    from odestudy.analysis.csvs import read_csv
    from odestudy.analysis.power import power_table
    from odestudy.errors import DataError
    from odestudy.study.forecast import expectations

    study = chosen_study(options)
    folder = options.pilot or study.root / "results/published" / f"{study.tier_name}-cpu"
    path = next((p for p in (folder / "ledger.csv", folder / "tables/ledger.csv") if p.is_file()), None)
    if path is None:
        raise DataError(f"{folder}: no ledger.csv; --pilot names a folder of results")
    table = power_table(study, read_csv(path), expectations(study))
    print(table.to_string(index=False, na_rep="-", float_format=lambda x: f"{x:.3g}"))
    print(
        f"\nSpread: {path}. Seeds: for a power of 0.8 at the effect; a row that needs more than are planned says so."
    )
    return 0
