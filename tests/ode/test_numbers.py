"""The version of the solver's numbers is raised when they change, and only then are results stale."""

import json

import pytest
from tiny_solves import TARGET, results

from odestudy.ode import NUMBERS, TABLEAUS

MEND = (
    "if this change of numbers is meant, raise odestudy.ode.numbers.NUMBERS, which makes every result stale, and run "
    "python tests/ode/tiny_solves.py"
)


def test_the_numbers_of_tiny_solves_are_those_of_this_version():
    known, found = json.loads(TARGET.read_text()), results()
    assert known["numbers"] == NUMBERS, "store anew: python tests/ode/tiny_solves.py"
    assert set(known["results"]) == set(found)
    for name, one in found.items():
        # Other processors round otherwise; a change of the method is far larger.
        assert one["values"] == pytest.approx(known["results"][name]["values"], rel=1e-9), f"{name}: {MEND}"
        assert one["nfe"] == known["results"][name]["nfe"], f"{name}: {MEND}"


def test_another_method_of_the_same_order_is_seen(monkeypatch):
    monkeypatch.setitem(TABLEAUS, "rk4", TABLEAUS["rk4_classic"])
    known = json.loads(TARGET.read_text())["results"]["rk4"]["values"]
    assert results()["rk4"]["values"] != pytest.approx(known, rel=1e-9)
