"""A study to judge rows with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from odestudy.study import Study, load_study
from tests.analysis.rows import seeded


@pytest.fixture(scope="session")
def loaded(root) -> Study:
    return load_study(root, "quick")


@pytest.fixture
def quick(loaded, tmp_path) -> Study:
    """The quick tier in a folder where nothing has run, whose jobs on recovery have five seeds."""
    return seeded(replace(loaded, root=tmp_path), 5)
