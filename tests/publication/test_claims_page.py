"""The page that says why each verdict is fair follows from configuration, and has all of it."""

from __future__ import annotations

import pytest

from odestudy.publication.claims_page import claims_page
from odestudy.study import load_study


@pytest.fixture(scope="module")
def study(root):
    return load_study(root, "quick")


def test_the_page_is_what_configuration_says(root, study):
    assert (root / "docs/claims.md").read_text(encoding="utf-8") == claims_page(study)


def test_each_of_the_31_claims_says_what_was_meant_how_it_is_decided_why_that_is_fair_and_what_would_change_it(
    study,
):
    sections = claims_page(study).split("\n## ")[1:]
    assert [s[:3] for s in sections] == [f"C{i:02d}" for i in range(1, 32)]
    for section in sections:
        for part in ("What was meant", "How it is decided", "Why that is fair", "What would change it"):
            assert len(section.partition(f"**{part}.** ")[2].partition("\n\n**")[0]) > 25, section[:30]


def test_a_rule_shows_its_bounds(study):
    text = claims_page(study).partition("## C10")[2].partition("## C11")[0]
    rule = next(c for c in study.claims if c["id"] == "C10a")["rule"]
    assert f"between {rule['low']} and {rule['high']}" in text
