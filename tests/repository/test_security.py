"""What comes from outside is data: never code, never markup, never a word of a shell's command."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pypandoc
import pytest

from odestudy.analysis.labels import Labels
from odestudy.cli.main import main
from odestudy.report.markdown import escape, summary_markdown

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")])
RULES = sorted([ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")])
SCRIPT = "<script>alert(1)</script>"


def name_of(node: ast.AST) -> str:
    """The dotted name of what is called."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([*([node.id] if isinstance(node, ast.Name) else []), *reversed(parts)])


def calls() -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Every call of the product: file, dotted name, keyword arguments as source text."""
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path, name_of(node.func), {k.arg or "**": ast.unparse(k.value) for k in node.keywords}


def test_nothing_is_unpickled():
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for name in [module, *names]:
                assert name.split(".")[0] not in ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"), path  # fmt: skip
    loads = [(path, name, words) for path, name, words in calls() if name.endswith(("torch.load", "np.load", "read_pickle"))]  # fmt: skip
    assert loads
    for path, name, words in loads:
        wanted = {"torch.load": ("weights_only", "True"), "np.load": ("allow_pickle", "False")}[name]
        assert words.get(wanted[0]) == wanted[1], f"{path}: {name}"


def test_yaml_is_read_by_a_safe_loader_only():
    readers = [
        (path, name, words) for path, name, words in calls() if re.match(r"yaml\.(load|unsafe|full)", name)
    ]
    assert [(path.name, words) for path, _, words in readers] == [("config.py", {"Loader": "_Loader"})]
    from odestudy.study.config import _Loader

    assert {"SafeLoader", "CSafeLoader"} & {base.__name__ for base in _Loader.__mro__}


def test_no_text_is_run_as_code_and_no_shell_is_asked():
    for path, name, words in calls():
        assert name not in ("eval", "exec", "compile", "os.system", "os.popen", "subprocess.getoutput"), path
        assert words.get("shell", "False") == "False", path


def test_no_rule_asks_a_shell():
    assert RULES
    for path in RULES:
        assert not re.search(r"^\s*shell:", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_nothing_is_fetched_without_tls():
    text = (*PYTHON, *RULES, *(ROOT / "config").rglob("*.yaml"), *(ROOT / "report").rglob("*.*"), ROOT / "Makefile", ROOT / "Dockerfile")  # fmt: skip
    for path in text:
        for address in re.findall(r"http://[^\s\"'<>]+", path.read_text(encoding="utf-8")):
            assert address.startswith("http://www.w3.org/"), (
                f"{path}: {address}"
            )  # names, which are not fetched


class Page(HTMLParser):
    """Elements with their attributes, and the text that is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.inside: list[str] = []
        self.code, self.shown = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self.inside:
            self.code += data
        elif "style" not in self.inside:
            self.shown += data


def harmless(page: Page) -> None:
    assert "alert" not in page.code
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert not value.strip().lower().startswith("javascript:"), (tag, name)


@pytest.mark.parametrize("text", [SCRIPT, "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "`x`{=html} | $y$", "**b** &lt;i&gt;"])  # fmt: skip
def test_text_of_users_is_shown_as_text(text):
    page = Page(pypandoc.convert_text(escape(text), "html", format="markdown"))
    harmless(page)
    assert page.shown.strip() == text
    assert {tag for tag, _, _ in page.attributes} <= {"p"}


def test_a_column_and_a_label_with_markup_are_shown_as_text_in_tables():
    table = pd.DataFrame({"arm": ["a"], "runs": [2], "ok": [2], SCRIPT: [1.0], f"{SCRIPT}_low": [0.5], f"{SCRIPT}_high": [2.0]})  # fmt: skip
    text = summary_markdown(
        table,
        ["arm"],
        [SCRIPT],
        {SCRIPT: {"unit": "<b>"}},
        Labels({"arm": {"a": "<img src=x onerror=alert(1)>"}}, {}),
    )
    page = Page(pypandoc.convert_text(text, "html", format="markdown"))
    harmless(page)
    for shown in (f"{SCRIPT} (<b>)", "<img src=x onerror=alert(1)>"):
        assert shown in " ".join(page.shown.split())


def test_a_column_that_is_markup_is_refused_as_text(tmp_path, capsys):
    for command, columns in (("fit", ["trajectory", "t", SCRIPT]), ("density", ["x1", SCRIPT])):
        path = tmp_path / f"{command}.csv"
        pd.DataFrame([[0.0] * (len(columns) - 1) + ["none"]] * 3, columns=columns).to_csv(path, index=False)
        assert main([command, str(path)]) == 2
        assert SCRIPT in capsys.readouterr().err


NAME = "<img src=x onerror=alert(1)> (1) \"a\" 'b' \\t & c: #[d].csv"


def test_names_with_markup_are_shown_as_text_in_the_page_of_a_fit(tmp_path):
    t = np.linspace(0, 6, 12)
    rows = [(SCRIPT, a, np.cos(a), np.sin(a)) for a in t]
    pd.DataFrame(rows, columns=["trajectory", "t", "y1", "y2"]).to_csv(tmp_path / NAME, index=False)
    out = tmp_path / "out"
    assert (
        main(["fit", str(tmp_path / NAME), "--model", "linear", "--iterations", "2", "--out", str(out)]) == 0
    )
    page = Page((out / "report.html").read_text(encoding="utf-8"))
    harmless(page)
    assert f"Fit of {NAME}" in " ".join(page.shown.split())


def test_names_with_markup_are_shown_as_text_in_the_page_of_a_density(tmp_path):
    values = np.random.default_rng(0).normal(size=(120, 1))
    pd.DataFrame(values, columns=["x1"]).to_csv(tmp_path / NAME, index=False)
    words = [
        "--iterations",
        "5",
        "--width",
        "8",
        "--grid-points",
        "30",
        "--samples",
        "20",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(["density", str(tmp_path / NAME), *words]) == 0
    page = Page((tmp_path / "out/report.html").read_text(encoding="utf-8"))
    harmless(page)
    assert f"Density of {NAME}" in " ".join(page.shown.split())
