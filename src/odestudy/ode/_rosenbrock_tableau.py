"""A Rosenbrock method as data that checks itself."""

from dataclasses import dataclass, field

import numpy as np

from odestudy.ode._tableau import Row
from odestudy.ode._trees import conditions, size

ROUNDING = 1e-10  # coefficients of size 100, published with 16 digits


@dataclass(frozen=True)
class RosenbrockTableau:
    """(I - gamma dt J) u_i = gamma (dt f(t + c_i dt, y + sum_j a_ij u_j) + sum_j g_ij u_j + dt^2 d_i df/dt).

    y1 = y + sum_i m_i u_i, with m the last row of `a` and 1: the method is stiffly accurate, and u of the last
    stage is the estimate of its error. `dense` are the rows h_k of
    y(theta) = (1 - theta) y + theta (y1 + (1 - theta) sum_k theta^(k-1) sum_i h_ki u_i).
    `strictness` is as in DirkTableau. Checked for order, embedded order, dense output and stability at infinity; raises ValueError that says
    what is wrong. Source of the theory: Hairer, Wanner II, section IV.7 (g is their matrix c of eq. 7.25).
    """

    name: str
    order: int
    error_order: int
    dense_order: int
    gamma: float
    a: tuple[Row, ...]
    g: tuple[Row, ...]
    c: Row
    d: Row
    dense: tuple[Row, ...]
    source: str
    strictness: float = 1.0
    m: Row = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "m", (*self.a[-1], 1.0))
        problems = [*self._sum_problems(), *self._order_problems(), *self._dense_problems()]
        if abs(self.growth(-1e8)) > 1e-5:
            problems.append(f"it is not L-stable: R(inf) is {abs(self.growth(-1e8)):.3g}")
        worst = max(abs(self.growth(1j * y)) for y in np.logspace(-3, 5, 400))
        if worst > 1 + 1e-9:
            problems.append(f"it is not A-stable: |R| reaches {worst:.6g} on the imaginary axis")
        if problems:
            raise ValueError(f"tableau {self.name!r} is wrong: " + "; ".join(problems))

    @property
    def stages(self) -> int:
        return len(self.c)

    def matrices(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(alpha, Gamma, b) of the method in k (HW II, eq. IV.7.4), from u_i = sum_j Gamma_ij k_j."""
        coupling = np.linalg.inv(np.eye(self.stages) / self.gamma - _square(self.g))
        return _square(self.a) @ coupling, coupling, np.array(self.m) @ coupling

    def weights(self) -> np.ndarray:
        """Of u in y(theta) - y: the coefficients of theta, theta^2, .., shape [stages, degree]."""
        p = np.zeros((self.stages, len(self.dense) + 2))
        p[:, 1] = self.m  # y(theta) = y + theta (y1 - y) + theta (1 - theta) (..)
        for k, row in enumerate(self.dense, start=1):
            p[:, k] += row
            p[:, k + 1] -= row
        return p[:, 1:]

    def growth(self, z: complex) -> complex:
        """R(z), by which a step multiplies y where f = lambda y and z = dt lambda."""
        alpha, coupling, b = self.matrices()
        one = np.ones(self.stages)
        return complex(1 + z * b @ np.linalg.solve(np.eye(self.stages) - z * (alpha + coupling), one))

    def _sum_problems(self) -> list[str]:
        alpha, coupling, _ = self.matrices()
        problems = []
        if np.abs(alpha.sum(1) - self.c).max() > ROUNDING:
            problems.append(f"the rows of alpha sum to {alpha.sum(1)}, but c is {self.c}")
        if np.abs(coupling.sum(1) - self.d).max() > ROUNDING:
            problems.append(f"the rows of Gamma sum to {coupling.sum(1)}, but d is {self.d}")
        return problems

    def _order_problems(self) -> list[str]:
        alpha, coupling, b = self.matrices()
        lower = b - coupling[-1]  # y1 - u of the last stage
        beta = alpha + coupling
        problems = [
            f"order condition of tree {tree} fails: {b @ u!r} instead of {target!r}"
            for tree, u, target in conditions(alpha, self.order, beta)
            if abs(b @ u - target) > ROUNDING
        ]
        embedded = [abs(lower @ u - t) for _, u, t in conditions(alpha, self.error_order + 1, beta)]
        if max(abs(lower @ u - t) for _, u, t in conditions(alpha, self.error_order, beta)) > ROUNDING:
            problems.append(f"the embedded method is not of order {self.error_order}")
        if max(embedded) < 1e-6:
            problems.append(f"the error estimate vanishes at order {self.error_order + 1}: it sees no error")
        return problems

    def _dense_problems(self) -> list[str]:
        alpha, coupling, _ = self.matrices()
        p, problems = self.weights().T @ coupling, []
        if self.dense_order > len(p):
            return [f"the dense output is of degree {len(p)}, too low for order {self.dense_order}"]
        for tree, u, target in conditions(alpha, self.dense_order, alpha + coupling):
            expected = np.zeros(len(p))
            expected[size(tree) - 1] = target
            if np.abs(p @ u - expected).max() > ROUNDING * 100:
                problems.append(f"the dense output fails the order condition of tree {tree}")
        return problems


def _square(rows: tuple[Row, ...]) -> np.ndarray:
    """A strictly lower triangular matrix from its rows below the first."""
    full = np.zeros((len(rows) + 1, len(rows) + 1))
    for i, row in enumerate(rows, start=1):
        full[i, : len(row)] = row
    return full
