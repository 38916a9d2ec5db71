"""Broken configurations, tables and command lines: used, or refused in one readable line before any work."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import odestudy.study.load as planning
from odestudy.cli import main as cli
from odestudy.cli import options as commands
from odestudy.errors import ConfigError, DataError, StudyError
from odestudy.fit.observations import read_observations
from odestudy.points.read import read_points
from odestudy.study import load_study
from odestudy.study.config import load_checked, load_yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "config").rglob("*.yaml"))
FILES = [f for f in FILES if not re.search(r"tiers/(quick|cpu|full)", f)]  # of the tiers one, the smallest

# What may stand where a word of a file stood: other types, nothing, huge, not finite, other tags, other scripts.
WORDS = [
    "", "~", "true", "0", "-1", "3.5", "1e-6", "1.0e-6", "1.0e+400", ".nan", "-.inf", "0x" + "f" * 99, "9" * 30,
    "9" * 5000, "2020-01-01", "2020-13-01", "190:20:30", "x", "all", "'quoted'", '"\\u0000"', '"\\ud800"', '"\\e[2J"',
    "λ", "\U0001f600", "\u202etxet", "\x00", "\t", "[]", "{}", "[1, 2]", "[[x]]", "{a: b}", "{1: 2}", "{? [a] : b}",
    "&a [*a]", "*a", "!!int x", "!!bool x", "!!timestamp x", "!!binary aGk=", "!!set {a}",
    "!!python/object/apply:os.system [ls]", "!x y", "|", ">-", ":", "- ", "#", "'", '"', "{", "]", "<<: 3", "=", "%",
]  # fmt: skip
LINES = [
    "",
    "a: b",
    "- a",
    "  a: b",
    "          - x",
    "x",
    "\ta: b",
    "---",
    "...",
    "{" * 600,
    "- " * 600,
    "? a",
]


SHARES = pytest.mark.parametrize("share", [0.2, pytest.param(1.0, marks=pytest.mark.slow)])


def examples(count: float) -> Any:
    """So many examples, the same in every run."""
    return settings(
        max_examples=round(count), deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip


def refused_well(error: StudyError, *named: str) -> None:
    """The complaint is one line that can be shown, and names what it is about."""
    text = str(error)
    assert text.isprintable(), repr(text)
    assert 10 < len(text) < 2000, text
    for name in named:
        assert name in text


@st.composite
def mutated(draw: Any, text: str, words: list[str] = WORDS, lines: list[str] = LINES) -> str:
    """A text with one to three of its words or lines changed, taken away, doubled or put elsewhere."""
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["word", "word", "word", "line", "drop", "double", "indent", "cut"]))
        rows = text.splitlines()
        if kind == "word":
            found = list(re.finditer(r"[^\s,:\[\]{}\"']+", text))
            if not found:
                continue
            at = found[draw(st.integers(0, len(found) - 1))]
            new = draw(st.sampled_from(words) | st.text(max_size=8))
            text = text[: at.start()] + new + text[at.end() :]
            continue
        i = draw(st.integers(0, max(0, len(rows) - 1)))
        if kind == "cut":
            text = text[: draw(st.integers(0, len(text)))]
        elif kind == "line":
            text = "\n".join([*rows[:i], draw(st.sampled_from(lines)), *rows[i + 1 :]])
        elif kind == "drop":
            text = "\n".join(rows[:i] + rows[i + 1 :])
        elif kind == "double":
            text = "\n".join(rows[: i + 1] + rows[i:])
        elif rows:
            moved = draw(st.sampled_from(["  " + rows[i], rows[i].removeprefix("  "), rows[i].strip()]))
            text = "\n".join([*rows[:i], moved, *rows[i + 1 :]])
    return text


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy of the configuration, of which the files that a test does not change are read once."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("config", "workflow", "report"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@cache
def unchanged(file: str, schema: str) -> Any:
    return load_checked(ROOT, file, schema)


@SHARES
@pytest.mark.parametrize("file", FILES)
def test_a_broken_configuration_is_expanded_to_jobs_or_refused_with_its_file(clone, monkeypatch, file, share):
    whole = (ROOT / file).read_text(encoding="utf-8")
    chosen = {} if "questions/" not in file else {"questions": Path(file).stem}

    def load(root: Path, name: str, schema: str) -> Any:
        return load_checked(root, name, schema) if name == file else unchanged(name, schema)

    monkeypatch.setattr(planning, "load_checked", load)

    @examples(60 * share)
    @given(mutated(whole))
    def check(text: str) -> None:
        (clone / file).write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            study = load_study(clone, "smoke", chosen)
            assert all(job.folder and job.key for job in study.jobs.values())
            assert study.fingerprint
        except ConfigError as error:
            refused_well(error, ".yaml")

    try:
        check()
    finally:
        (clone / file).write_text(whole, encoding="utf-8")


@SHARES
def test_a_file_of_anything_is_read_or_refused(tmp_path, share):
    path = tmp_path / "anything.yaml"

    @examples(150 * share)
    @given(
        st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass"))
    )
    def check(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(ConfigError):
            load_yaml(path, "anything.yaml")

    check()


CELLS = [
    "", " ", "nan", "NA", "inf", "-inf", "1e400", "1e308", "-1e200", "1e-320", "9" * 400, "0x10", "1_000", "1,5", "x", "λ",
    "<script>alert(1)</script>", "\x1b[2J", "\x00", '"', '"a\nb"', "1;2", "True", "2020-01-01", "\ufeff", "١", "½",
]  # fmt: skip
ROWS = ["", ",", ",,,,,,,,", "#", '"', "1", "a,b", "\x00", ";;;"]


def read_or_refused(read: Callable[[Path], Any], path: Path, text: str) -> Any:
    """What is read of a file with this text; None where it was refused well."""
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        return read(path)
    except DataError as error:
        refused_well(error, path.name)
        return None


@SHARES
def test_broken_observations_are_read_or_refused(tmp_path, share):
    rows = "".join(f"{i // 5},{i % 5},{i * i % 7},{i}\n" for i in range(15))

    @examples(200 * share)
    @given(mutated("trajectory,t,y1,y2\n" + rows, CELLS, ROWS))
    def check(text: str) -> None:
        table = read_or_refused(read_observations, tmp_path / "observations.csv", text)
        if table is not None:
            for t, y in zip(table.t, table.y, strict=True):
                assert np.isfinite(y).all()
                assert (np.diff(t) > 0).all()
            assert (table.observed().states.std(axis=0) > 0).all()

    check()


@SHARES
def test_broken_points_are_read_or_refused(tmp_path, share):
    rows = "".join(f"{i * i % 101},{i}\n" for i in range(105))

    @examples(150 * share)
    @given(mutated("x1,x2\n" + rows, CELLS, ROWS))
    def check(text: str) -> None:
        points = read_or_refused(read_points, tmp_path / "points.csv", text)
        if points is not None:
            assert np.isfinite(points.values).all()
            assert (points.values.std(axis=0) > 0).all()

    check()


class WorkStarted(Exception):
    """Reading and checking is over."""


ARGUMENTS = [
    "list", "plan", "run", "fit", "check", "compare", "publish", "verify", "density", "snapshot", "--tier", "--questions",
    "--seeds", "--jobs", "--all", "--again", "--workers", "--iterations", "--width", "--model", "--out", "--device",
    "--partial", "--time-limit-s", "--samples", "--columns", "--seed", "smoke", "full", "smokey", "dynamics", "images,density", "0", "-1", "1",
    "2.5", "nan", "1e400", "9" * 50, "", " ", "λ", "*", "a\nb", "x" * 300, "/", ".", "..", "config", "config/study.yaml",
    "points.csv", "linear", "--", "-", "-h", "--nothing", "=", "--tier=", "--seeds=x",
]  # fmt: skip


@SHARES
def test_a_broken_command_line_is_refused_before_work_starts(clone, share):
    @examples(400 * share)
    @given(st.lists(st.sampled_from(ARGUMENTS) | st.text("ab1-=/.,\u00e9 ", max_size=6), max_size=5))
    def check(arguments: list[str]) -> None:
        refused_before_work(clone, arguments)

    check()


def refused_before_work(clone: Path, arguments: list[str]) -> None:
    """The command comes to its work, or says in one line why it does not."""
    shown = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stderr(shown),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        patch.chdir(clone)
        patch.setattr(commands, "load_study", study_once)
        for work in ("odestudy.runtime.job.run_job", "odestudy.fit.report.write_fit", "odestudy.points.fit.fit_points",
                     "odestudy.publication.publish.publish", "odestudy.cli.readiness.report"):  # fmt: skip
            patch.setattr(work, started)
        try:
            status: Any = cli.main(arguments)
        except WorkStarted:
            return
        except SystemExit as end:
            status = end.code
    said = shown.getvalue()
    assert status in (0, 1, 2)
    if status == 2:
        assert said.endswith("\n")
        assert said[:-1].isprintable(), repr(said)
        assert said.startswith("odestudy")


def study_once(root: Path, tier: str, overrides: dict[str, Any]) -> Any:
    return loaded(root, tier, *overrides.values())


@cache
def loaded(root: Path, tier: str, questions: Any, arms: Any, seeds: Any) -> Any:
    return load_study(root, tier, {"questions": questions, "arms": arms, "seeds": seeds})


def started(*_: Any, **__: Any) -> Any:
    raise WorkStarted
