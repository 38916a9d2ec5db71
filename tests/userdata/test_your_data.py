"""docs/your-data.md: its examples make files that the commands take, and its pictures are there and small."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from odestudy.cli import density, fit
from odestudy.cli.main import Parser
from odestudy.fit.observations import read_observations
from odestudy.points.read import read_points


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs/your-data.md").read_text(encoding="utf-8")


def test_the_examples_make_files_that_their_commands_read_without_a_doubt(page, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    commands = [line for line in re.findall(r"^    odestudy (.+)$", page, re.MULTILINE) if "FILE" not in line]
    assert len(blocks) == len(commands) == 2
    parser = Parser(prog="odestudy")
    subcommands = parser.add_subparsers()
    for module in (fit, density):
        module.add(subcommands)
    for block, command in zip(blocks, commands, strict=True):
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
        options = parser.parse_args(shlex.split(command))
        if options.act is fit.act:
            table = read_observations(tmp_path / options.file, options.columns)
            assert (len(table.t), table.d, table.notes) == (12, 2, [])
        else:
            points = read_points(tmp_path / options.points, options.columns)
            assert (points.values.shape, points.notes) == ((569, 2), [])


@pytest.mark.slow
def test_the_reports_begin_as_the_page_says(page, tmp_path):
    """In words; the last digits of its numbers are those of one machine."""
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    commands = [line for line in re.findall(r"^    odestudy (.+)$", page, re.MULTILINE) if "FILE" not in line]
    quoted = re.findall(r"The report begins so:\n\n((?:> .+\n)+)", page)
    for block, command, quote in zip(blocks, commands, quoted, strict=True):
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
        run = [sys.executable, "-m", "odestudy.cli.main", *shlex.split(command)]
        subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
        (report,) = tmp_path.glob(f"{shlex.split(command)[1].removesuffix('.csv')}*/report.md")
        begins = report.read_text(encoding="utf-8").split("---\n\n")[1].split("\n\n")[0]
        assert words_of(begins) == words_of(quote.replace("> ", ""))


def words_of(text):
    return re.sub(r"[−-]?\d[\d.]*", "#", " ".join(text.replace("\\", "").split()))


def test_pictures_are_there_and_at_most_300_kb(page, root):
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page)
    assert len(pictures) == 3
    assert all((root / "docs" / picture).stat().st_size <= 300_000 for picture in pictures)
