"""A study to judge rows with."""

from __future__ import annotations

import pytest

from odestudy.study import Study, load_study
from tests.analysis.rows import seeded


@pytest.fixture(scope="session")
def loaded(root) -> Study:
    return load_study(root, "quick")


@pytest.fixture
def quick(loaded) -> Study:
    """The quick tier, whose jobs on recovery have five seeds."""
    return seeded(loaded, 5)
