"""A tableau checks itself and says what is wrong."""

from dataclasses import replace

import pytest

from odestudy.ode import TABLEAUS
from odestudy.ode._trees import trees_of_size
from odestudy.ode.tableaus.dopri5 import DOPRI5


def test_there_are_as_many_rooted_trees_as_theory_counts() -> None:
    assert [len(trees_of_size(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


@pytest.mark.parametrize("name", TABLEAUS)
def test_a_tableau_that_claims_one_order_more_is_refused(name: str) -> None:
    tab = TABLEAUS[name]
    with pytest.raises(ValueError, match="order condition of tree"):
        replace(tab, order=tab.order + 1)


@pytest.mark.parametrize("name", TABLEAUS)
def test_a_dense_output_that_claims_two_orders_more_is_refused(name: str) -> None:
    tab = TABLEAUS[name]
    with pytest.raises(ValueError, match="dense output"):
        replace(tab, dense=replace(tab.dense, order=tab.dense.order + 2))


def test_a_wrong_coefficient_is_named_by_its_row() -> None:
    with pytest.raises(ValueError, match=r"tableau 'dopri5' is wrong: row 2 of a sums to"):
        replace(DOPRI5, a=(DOPRI5.a[0], (3 / 40, 9 / 41), *DOPRI5.a[2:]))


def test_embedded_weights_of_too_low_an_order_are_refused() -> None:
    with pytest.raises(ValueError, match="embedded weights are not of order 4"):
        replace(DOPRI5, error_rows=((0.1, 0.0, 0.0, 0.0, 0.0, 0.0, -0.1),))


def test_an_error_estimate_that_sees_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="sees no error"):
        replace(DOPRI5, error_rows=((0.0,) * 7,))


def test_a_missing_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="7 nodes c, but 6 weights b"):
        replace(DOPRI5, b=DOPRI5.b[:-1])
