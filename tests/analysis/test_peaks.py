"""What a training step takes of memory, with the adaptive solver and in a net of six blocks."""

from __future__ import annotations

import pandas as pd
import pytest

from odestudy.analysis.facts import Facts
from odestudy.analysis.peaks import peaks

ROWS = [
    ("digits", "odenet_adjoint", None, 20.0),
    ("digits", "odenet_backprop", None, 100.0),
    ("digits", "resnet6", 4.0, 10.0),
    ("digits", "resnet6", 8.0, 18.0),
    ("digits", "odenet_adjoint", 64.0, 13.0),
]


def found(rows):
    table = pd.DataFrame(rows, columns=["dataset", "arm", "steps", "peak_mib"])
    return peaks(Facts(pd.DataFrame(), [], lambda name: table, "quick"))


def test_a_net_of_six_blocks_lies_between_those_of_four_and_of_eight():
    own = found(ROWS)
    assert (own.dataset, own.adjoint, own.backprop) == ("digits", 20.0, 100.0)
    assert own.blocks == pytest.approx(14.0)


def test_mnist_comes_first_where_it_was_measured_whole():
    mnist = [("mnist", arm, steps, 10 * peak) for _, arm, steps, peak in ROWS]
    assert found([*ROWS, *mnist]).dataset == "mnist"
    assert found([*ROWS, *mnist[1:]]).dataset == "digits"


def test_without_blocks_on_both_sides_of_six_there_is_no_number():
    assert found([row for row in ROWS if row[2] != 4.0]) is None
