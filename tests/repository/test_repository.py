"""What the repository as a whole promises."""

from __future__ import annotations

import importlib
import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def tracked(root):
    done = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git clone")
    return [root / name for name in done.stdout.splitlines() if (root / name).is_file()]


def largest(files):
    """The files that take most, for a message that says what to do about."""
    by_size = sorted(((p.stat().st_size, str(p)) for p in files), reverse=True)[:8]
    return "\n".join(f"{size / 2**20:8.2f} MiB  {path}" for size, path in by_size)


def test_the_clone_is_small(root, tracked):
    published = [p for p in tracked if root / "results" / "published" in p.parents]
    assert sum(p.stat().st_size for p in tracked) <= 25 * 2**20, largest(tracked)
    assert sum(p.stat().st_size for p in published) <= 12 * 2**20, largest(published)
    others = [p for p in set(tracked) - set(published) if p.stat().st_size > 2**20]
    assert not others, largest(others)


def test_no_figure_and_no_page_is_tracked_but_the_readmes_pictures(root, tracked):
    made = [p for p in tracked if p.suffix in (".pdf", ".svg", ".gif", ".png")]
    made += [p for p in tracked if p.suffix == ".html" and p.name != "page.html"]
    assert {p.parent for p in made} <= {root / "docs/pictures"}, largest(made)
    assert {p.suffix for p in made} <= {".png", ".svg"}  # SVG follows the reader's light or dark
    assert all(p.stat().st_size <= 300_000 for p in made), largest(made)


def test_no_package_registry_is_named(root, tracked):
    """Where packages come from is said by pip's own configuration."""
    hosts = re.compile(rb"(pypi|pythonhosted|anaconda)\.org")
    for path in tracked:
        if "published" not in path.parts:
            assert not hosts.search(path.read_bytes()), path


def test_no_rule_runs_python_in_place(root):
    for path in (root / "workflow/rules").glob("*.smk"):
        lines = [line.strip() for line in path.read_text().splitlines()]
        assert "run:" not in lines, path
        assert lines.count("log:") == sum(line.startswith(("rule ", "rule:")) for line in lines), (
            f"{path}: a rule without a log"
        )


def test_every_benchmark_finds_what_it_imports(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "benchmarks")
    for script in sorted((root / "benchmarks").glob("*.py")):
        assert importlib.import_module(script.stem).__file__ == str(script)


def test_every_test_that_is_named_anywhere_is_there(root, tracked):
    named = re.compile(r"\btests/[\w/]+\.py\b")
    texts = [p for p in tracked if p.suffix in (".py", ".md", ".j2", ".yaml") and "published" not in p.parts]
    found = {(name, path) for path in texts for name in named.findall(path.read_text(encoding="utf-8"))}
    assert len(found) > 10
    assert [(name, path) for name, path in sorted(found) if not (root / name).is_file()] == []
