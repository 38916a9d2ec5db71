"""A Runge-Kutta method as data that checks itself."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from odestudy.ode._trees import conditions, size

Row = tuple[float, ...]
Terms = tuple[tuple[int, float], ...]  # (stage, coefficient), zeros left out

ROUNDING = 1e-11  # the published coefficients carry 15 to 17 digits


def terms(row: Row) -> Terms:
    """The non-zero entries of a row, with their stage."""
    return tuple((j, float(a)) for j, a in enumerate(row) if a != 0.0)


@dataclass(frozen=True)
class DenseOutput:
    """Interpolation in a step: y(t + theta dt) = y + dt sum_i k_i sum_j p[i][j] theta^(j+1).

    `extra_c` and `extra_a` are stages that only the interpolation needs; they follow the method's own.
    Its uniform error is O(dt^(order + 1)).
    """

    order: int
    p: tuple[Row, ...]
    extra_c: Row = ()
    extra_a: tuple[Row, ...] = ()


class Checked(Protocol):
    """What the conditions of order, error estimate and dense output are checked on."""

    @property
    def order(self) -> int: ...

    @property
    def b(self) -> Row: ...

    @property
    def dense(self) -> DenseOutput: ...

    @property
    def error_rows(self) -> tuple[Row, ...]: ...

    @property
    def error_row_orders(self) -> tuple[int, ...]: ...

    @property
    def stages(self) -> int: ...

    def matrix(self, dense: bool = False) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class ExplicitTableau:
    """An explicit Runge-Kutta method, checked for row sums, order conditions and error estimate.

    `error_rows` are differences b - b^ whose weighted sums estimate the error; `error_row_orders` the orders
    of the b^; `error_order + 1` is the power of dt with which the whole estimate shrinks.
    Raises ValueError that says which condition fails. Source of the theory: Hairer, Nørsett, Wanner I, II.
    """

    name: str
    order: int
    c: Row
    a: tuple[Row, ...]
    b: Row
    dense: DenseOutput
    source: str
    error_rows: tuple[Row, ...] = ()
    error_row_orders: tuple[int, ...] = ()
    error_order: int = 0
    rows: tuple[Terms, ...] = field(init=False, repr=False)
    fsal: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(terms(row) for row in self.a))
        last = (*self.a[-1], 0.0) == self.b if self.a else False
        object.__setattr__(self, "fsal", bool(last and self.c[-1] == 1.0))
        problems = [*_shape_problems(self), *_row_sum_problems(self)]
        problems = problems or [*order_problems(self), *error_problems(self), *dense_problems(self)]
        if problems:
            raise ValueError(f"tableau {self.name!r} is wrong: " + "; ".join(problems))

    @property
    def stages(self) -> int:
        return len(self.c)

    @property
    def adaptive(self) -> bool:
        return bool(self.error_rows)

    def matrix(self, dense: bool = False) -> np.ndarray:
        """a as a square matrix, with the stages of the dense output appended on request."""
        rows = [(), *self.a, *(self.dense.extra_a if dense else ())]
        full = np.zeros((len(rows), len(rows)))
        for i, row in enumerate(rows):
            full[i, : len(row)] = row
        return full


def _shape_problems(tab: ExplicitTableau) -> list[str]:
    problems = []
    if tab.c[0] != 0.0:
        problems.append(f"c[0] is {tab.c[0]}, must be 0 in an explicit method")
    for i, row in enumerate((*tab.a, *tab.dense.extra_a), start=1):
        if len(row) != i:
            problems.append(f"row {i} of a has {len(row)} entries, must have {i}")
    if len(tab.b) != tab.stages or len(tab.a) != tab.stages - 1:
        problems.append(f"{tab.stages} nodes c, but {len(tab.b)} weights b and {len(tab.a)} rows a")
    if len(tab.dense.p) != tab.stages + len(tab.dense.extra_c):
        problems.append(f"dense output has {len(tab.dense.p)} rows, must have one per stage")
    if len(tab.error_rows) != len(tab.error_row_orders):
        problems.append("each error row needs its order")
    return problems


def _row_sum_problems(tab: ExplicitTableau) -> list[str]:
    c = (*tab.c, *tab.dense.extra_c)
    return [
        f"row {i} of a sums to {sum(row)!r}, but c is {c[i]!r}"
        for i, row in enumerate((*tab.a, *tab.dense.extra_a), start=1)
        if abs(sum(row) - c[i]) > ROUNDING
    ]


def order_problems(tab: Checked) -> list[str]:
    a, b = tab.matrix(), np.array(tab.b)
    return [
        f"order condition of tree {tree} fails: {b @ u!r} instead of {target!r}"
        for tree, u, target in conditions(a, tab.order)
        if abs(b @ u - target) > ROUNDING
    ]


def error_problems(tab: Checked) -> list[str]:
    problems = []
    for row, order in zip(tab.error_rows, tab.error_row_orders, strict=True):
        e = np.array(row)
        if max(abs(e @ u) for _, u, _ in conditions(tab.matrix(), order)) > ROUNDING:
            problems.append(f"the embedded weights are not of order {order}")
        if max(abs(e @ u) for tree, u, _ in conditions(tab.matrix(), order + 1) if size(tree) > order) < 1e-6:
            problems.append(f"the error estimate vanishes at order {order + 1}: it sees no error")
    return problems


def dense_problems(tab: Checked) -> list[str]:
    p, problems = np.array(tab.dense.p), []
    if np.abs(p.sum(1) - np.pad(tab.b, (0, len(p) - tab.stages))).max() > ROUNDING:
        problems.append("the dense output does not end in y1")
    if tab.dense.order > p.shape[1]:
        return [*problems, f"the dense output is of degree {p.shape[1]}, too low for order {tab.dense.order}"]
    for tree, u, target in conditions(tab.matrix(dense=True), tab.dense.order):
        expected = np.zeros(p.shape[1])
        expected[size(tree) - 1] = target
        if np.abs(u @ p - expected).max() > ROUNDING * 10:
            problems.append(f"the dense output fails the order condition of tree {tree}")
    return problems
