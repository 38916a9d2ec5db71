"""Code that computes what it did, in another place or with more to ask for: its results stand until it changes."""

from __future__ import annotations

import pytest

from odestudy.runtime import moved
from odestudy.runtime.moved import MOVED, same_code
from odestudy.study import load_study


@pytest.mark.parametrize(("before", "after"), MOVED.items())
def test_an_entry_leads_to_code_that_is_there_or_has_to_be_taken_out(root, before, after):
    study = load_study(root, "smoke")
    now = {study.code_of(job) for job in study.jobs.values()}
    assert after in now, "that code has changed since: take the entry out of runtime/moved.py"
    assert before not in now


def test_code_is_the_same_where_it_is_or_was_moved_and_nowhere_else(monkeypatch):
    monkeypatch.setattr(moved, "MOVED", {"before": "after"})
    assert same_code("after", "after")
    assert same_code("before", "after")
    assert not same_code("after", "before")
    assert not same_code("before", "another")
