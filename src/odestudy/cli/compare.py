"""Hold one results folder against another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="two results folders, metric by metric; exit code 1 where a verdict flips",
        epilog="Example: odestudy compare results/published/quick-cpu results/quick",
    )
    parser.add_argument("a", type=Path, help="a results folder, such as results/published/quick-cpu")
    parser.add_argument("b", type=Path, help="the folder to hold against it, such as results/quick")
    parser.add_argument(
        "--markdown", action="store_true", help="print the verdicts that changed, as a comment on a change"
    )
    parser.add_argument("--json", type=Path, help="also write every row to this file")
    parser.add_argument("--html", type=Path, help="also write a page to this file")
    parser.add_argument("--across-tiers", action="store_true", help="compare results of different tiers too")
    parser.set_defaults(act=act)


def act(options: argparse.Namespace) -> int:
    """Print the comparison; 1 where a claim is supported on one side and refuted on the other."""
    from odestudy.publication.comment import as_markdown
    from odestudy.publication.compare import compare, read_results
    from odestudy.publication.shown import as_text, write_html, write_json
    from odestudy.runtime.clone import project_root
    from odestudy.study import load_study

    root = project_root()
    a, b = read_results(options.a, root), read_results(options.b, root)
    study = load_study(root, a.tier)
    columns = [c for spec in study.questions.values() for c in spec["columns"].items()]
    measured = {name for name, about in columns if about.get("measured")}
    found = compare(a, b, measured, options.across_tiers)
    rows = {claim["id"]: claim for claim in study.claims}
    print(as_markdown(found, study.headlines, rows) if options.markdown else as_text(found))
    if options.json:
        write_json(found, options.json)
    if options.html:
        write_html(found, options.html, study.root, {name: row["says"] for name, row in rows.items()})
    return int(found.flipped)
