"""What a stranger reads first: short, and no link leads nowhere."""

from __future__ import annotations

import re

import pytest

PAGES = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "config/README.md", "docs")


def pages(root):
    return [
        p
        for name in PAGES
        for p in ([root / name] if name.endswith(".md") else sorted((root / name).glob("*.md")))
    ]


def test_the_readme_is_at_most_150_lines(root):
    assert len((root / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_readmes_code_runs_as_it_stands(root):
    (code,) = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(code, names)
    assert names["solution"].status == "ok"
    assert names["f"].weight.grad.isfinite().all()
    assert names["odeint"](names["f"], names["y0"], names["t"]).shape == (11, 2)


def test_every_link_between_documents_leads_to_a_file(root):
    found = [
        (page, target)
        for page in pages(root)
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target)
    ]
    assert len(found) > 20
    assert [f"{p.relative_to(root)}: {t}" for p, t in found if not (p.parent / t).exists()] == []


def test_every_page_is_reached_from_the_readme(root):
    reached, todo = set(), [root / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached and page.suffix == ".md" and page.is_file():
            reached.add(page)
            targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
            todo += [(page.parent / t).resolve() for t in targets if not re.match(r"[a-z]+:", t)]
    assert {p.resolve() for p in pages(root)} <= {p.resolve() for p in reached}


@pytest.mark.parametrize("name", ["running", "your-data", "ode", "claims", "architecture", "executors"])
def test_every_page_begins_with_one_heading(root, name):
    lines = (root / f"docs/{name}.md").read_text(encoding="utf-8").splitlines()
    code, heads = False, []
    for line in lines:
        code ^= line.startswith("```")
        heads += [line] if line.startswith("# ") and not code else []
    assert heads == [lines[0]]
