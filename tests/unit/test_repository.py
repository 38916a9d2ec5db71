"""What the repository as a whole promises."""

from __future__ import annotations

import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def tracked(root):
    done = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git clone")
    return [root / name for name in done.stdout.splitlines() if (root / name).is_file()]


def test_no_file_is_larger_than_a_mebibyte_outside_the_published_results(root, tracked):
    published = root / "results" / "published"
    for path in tracked:
        # A page of all five questions holds every figure twice, as SVG and, where it moves, as GIF.
        limit = 20 * 2**20 if published in path.parents else 2**20
        assert path.stat().st_size <= limit, path
    assert sum(p.stat().st_size for p in tracked if published in p.parents) <= 100 * 2**20


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
