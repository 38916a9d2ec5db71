"""A diagonally implicit Runge-Kutta method as data that checks itself."""

from dataclasses import dataclass, field

import numpy as np

from odestudy.ode._continuous import continuous_extension
from odestudy.ode._tableau import (
    ROUNDING,
    DenseOutput,
    Row,
    Terms,
    dense_problems,
    error_problems,
    order_problems,
)

AT_INFINITY = -1e8  # a z far out on the negative axis, where |R| of an L-stable method is of size 1 / |z|


@dataclass(frozen=True)
class DirkTableau:
    """Stages with at most one diagonal coefficient gamma; checked for order, error estimate and stability.

    `a` holds the rows up to and with the diagonal. `error_row` is b - b^ of an embedded method of order
    `error_order`. `l_stable` claims |R(iy)| <= 1 and R(inf) = 0 (HW II, definition IV.3.7), of `a_stable`
    the first. A dense output of order `dense_order` is derived, which stays bounded for stiff components where
    the method is L-stable. `strictness` multiplies the error estimate, so that the solution is as accurate as
    Radau IIA's at the same tolerance (measured by benchmarks/stiff.py). Where stages lie beyond the step's end,
    `closing` is the method, of the same orders, of a step behind which f may not be asked. Raises ValueError
    that says what is wrong.
    """

    name: str
    order: int
    a: tuple[Row, ...]
    b: Row
    source: str
    error_row: Row = ()
    error_order: int = 0
    a_stable: bool = True
    l_stable: bool = True
    dense_order: int = 1
    strictness: float = 1.0
    closing: "DirkTableau | None" = None
    c: Row = field(init=False)
    dense: DenseOutput = field(init=False)
    predictors: tuple[Terms, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if any(len(row) != i for i, row in enumerate(self.a, start=1)) or len(self.b) != len(self.a):
            raise ValueError(f"tableau {self.name!r} is wrong: row i of a needs i entries, b one per row")
        a = self.matrix()
        c = tuple(float(x) for x in a.sum(1))
        object.__setattr__(self, "c", tuple(round(x) * 1.0 if abs(x - round(x)) < ROUNDING else x for x in c))
        object.__setattr__(self, "dense", self._continuous(a))
        object.__setattr__(self, "predictors", tuple(_extrapolation(self.c, i) for i in range(self.stages)))
        problems = [*order_problems(self), *error_problems(self), *dense_problems(self)]
        problems += [*_diagonal_problems(self), *_stability_problems(self)]
        if problems:
            raise ValueError(f"tableau {self.name!r} is wrong: " + "; ".join(problems))

    def _continuous(self, a: np.ndarray) -> DenseOutput:
        return continuous_extension(a, np.array(self.b), self.dense_order, bounded=self.l_stable)

    @property
    def stages(self) -> int:
        return len(self.a)

    @property
    def gamma(self) -> float:
        """The diagonal coefficient that all implicit stages share."""
        return self.a[-1][-1]

    @property
    def error_rows(self) -> tuple[Row, ...]:
        return (self.error_row,) if self.error_row else ()

    @property
    def error_row_orders(self) -> tuple[int, ...]:
        return (self.error_order,) if self.error_row else ()

    @property
    def explicit_first(self) -> bool:
        """Whether the first stage is f at the step's start."""
        return self.a[0] == (0.0,)

    @property
    def stiffly_accurate(self) -> bool:
        """Whether the last stage is the step's end."""
        return self.a[-1] == self.b

    def matrix(self, dense: bool = False) -> np.ndarray:
        """a as a square matrix; the dense output has no stages of its own."""
        full = np.zeros((self.stages, self.stages))
        for i, row in enumerate(self.a):
            full[i, : len(row)] = row
        return full

    def growth(self, z: complex) -> complex:
        """R(z), by which a step multiplies y where f = lambda y and z = dt lambda (HW II, eq. IV.3.2)."""
        y = np.linalg.solve(np.eye(self.stages) - z * self.matrix(), np.ones(self.stages))
        return complex(y[-1] if self.stiffly_accurate else 1 + z * (np.array(self.b) @ y))


def _extrapolation(c: Row, i: int) -> Terms:
    """Weights of the earlier slopes whose interpolating polynomial gives a first guess of slope i.

    Of slopes at one time the latest counts.
    """
    known = {c[j]: j for j in range(i)}
    if c[i] in known:
        return ((known[c[i]], 1.0),)
    weights = []
    for node, j in known.items():
        others = [other for other in known if other != node]
        weights.append((j, float(np.prod([(c[i] - o) / (node - o) for o in others]))))
    return tuple(weights)


def _diagonal_problems(tab: DirkTableau) -> list[str]:
    diagonal = {row[-1] for row in tab.a} - {0.0}
    if diagonal != {tab.gamma} or tab.gamma <= 0:
        return [f"the implicit stages need one positive diagonal coefficient, got {sorted(diagonal)}"]
    if any(row[-1] == 0.0 for row in tab.a[1:]):
        return ["only the first stage may be explicit"]
    return []


def _stability_problems(tab: DirkTableau) -> list[str]:
    problems = []
    if tab.a_stable:
        worst = max(abs(tab.growth(1j * y)) for y in np.logspace(-3, 5, 400))
        if worst > 1 + 1e-9:
            problems.append(f"it is not A-stable: |R| reaches {worst:.6g} on the imaginary axis")
    if tab.l_stable and abs(tab.growth(AT_INFINITY)) > 1e-5:
        problems.append(f"it is not L-stable: R(inf) is {abs(tab.growth(AT_INFINITY)):.3g}")
    return problems
