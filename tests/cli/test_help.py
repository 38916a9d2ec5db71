"""Help has an example that works, and a word that is mistyped is met with the nearest one."""

from __future__ import annotations

import re
import shlex

import pytest

from odestudy.cli.main import COMMANDS, main, make_parser
from odestudy.text import meant

NAMES = [module.__name__.rsplit(".", 1)[1] for module in COMMANDS]


def test_the_program_itself_has_an_example_and_a_version_as_one_cites_it(root, capsys):
    for option in ("--help", "--version"):
        with pytest.raises(SystemExit) as ended:
            main([option])
        assert ended.value.code == 0
    said = capsys.readouterr().out
    example = re.search(r"Example: (odestudy .*)", said).group(1)
    make_parser().parse_args(shlex.split(example)[1:])
    assert f"\nversion: {said.split()[-1]}\n" in (root / "CITATION.cff").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_each_command_ends_with_an_example_of_it_that_is_understood(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    example = re.search(rf"Example: (odestudy {name}.*)$", said).group(1)
    options = make_parser().parse_args(shlex.split(example)[1:])
    assert options.act.__module__ == f"odestudy.cli.{name}"


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["studdy"], "study"),
        (["list", "--tier", "quik"], "quick"),
        (["list", "--questions", "gradient"], "gradients"),
        (["run", "gradients_ordr", "--tier", "smoke"], "gradients_order"),
        (["figure", "gradients_ordr", "--tier", "smoke"], "gradients_order"),
    ],
)
def test_a_mistyped_command_tier_question_job_or_figure_is_met_with_the_nearest(
    study_copy, monkeypatch, capsys, arguments, nearest
):
    monkeypatch.chdir(study_copy)
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    said = capsys.readouterr().err
    assert f"(meant: {nearest}?)" in said
    assert said.count("\n") == 1


def test_nothing_is_suggested_where_nothing_is_near():
    assert meant("xyz", ["quick", "cpu"]) == ""
