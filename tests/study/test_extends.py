"""An experiment that extends another says only what differs."""

from __future__ import annotations

import pytest

from odestudy.errors import ConfigError
from odestudy.study import load_study
from odestudy.study.extends import with_extensions

ONE = {
    "task": "a.b",
    "label": "one",
    "base": {"x": 1, "net": {"width": 8, "depth": 2}},
    "grid": {"arm": ["p"], "d": [1]},
}


def test_base_is_merged_an_axis_replaced_and_null_takes_away():
    other = {"extends": "one", "base": {"x": None, "net": {"depth": 3}}, "grid": {"arm": ["q"], "d": None}}
    found = with_extensions({"other": other, "one": ONE}, "file")
    assert list(found) == ["other", "one"]
    assert found["one"] == ONE
    assert found["other"] == {
        "task": "a.b", "label": "one", "base": {"net": {"width": 8, "depth": 3}}, "grid": {"arm": ["q"]},
    }  # fmt: skip


def test_an_extension_may_be_extended():
    found = with_extensions(
        {"one": ONE, "two": {"extends": "one", "label": "two"}, "three": {"extends": "two"}}, "file"
    )
    assert found["three"] == ONE | {"label": "two"}


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("recovr", "experiments.data_points.extends: 'recovr' is not there; allowed: recover, recover_half"),
        ("data_points", "experiments.data_points.extends: data_points -> data_points is a circle"),
    ],
)
def test_what_cannot_be_extended_is_told_in_one_line(edit, other, says):
    root = edit(
        "config/questions/dynamics.yaml", lambda d: d["experiments"]["data_points"].update(extends=other)
    )
    with pytest.raises(ConfigError) as caught:
        load_study(root, "smoke")
    assert str(caught.value).startswith(f"config/questions/dynamics.yaml: {says}")
