"""Code that was moved and not changed: its results stand until it changes."""

from __future__ import annotations

from odestudy.runtime.moved import MOVED, same_code
from odestudy.study import load_study


def test_an_entry_leads_to_code_that_is_there_and_is_taken_out_when_that_changes(root):
    study = load_study(root, "smoke")
    now = {study.code_of(job) for job in study.jobs.values()}
    assert set(MOVED.values()) <= now
    assert not set(MOVED) & now


def test_code_is_the_same_where_it_is_or_was_moved_and_nowhere_else():
    before, after = next(iter(MOVED.items()))
    assert same_code(after, after)
    assert same_code(before, after)
    assert not same_code(after, before)
    assert not same_code(before, "another")
