"""Dense output of an implicit Runge-Kutta method, derived from its order conditions."""

import numpy as np

from odestudy.ode._tableau import ROUNDING, DenseOutput
from odestudy.ode._trees import conditions, size

FAR = -1e12  # a z = dt lambda at which the stages have their limits


def continuous_extension(a: np.ndarray, b: np.ndarray, order: int, bounded: bool) -> DenseOutput:
    """The smallest weights b_i(theta), polynomials of degree `order`, that are of this order and end in b.

    A `bounded` one also stays so for z = dt lambda -> -inf: sum_i b_i(theta) Y_i(inf) = 0, where Y_i are the
    stages of y' = lambda y. The cubic Hermite interpolation does not, as it holds dt f(t0, y0).
    """
    stages = len(a)
    rows = [(u, size(tree), target) for tree, u, target in conditions(a, order)]
    if bounded:
        rows.append((np.linalg.solve(np.eye(stages) - FAR * a, np.ones(stages)), 0, 0.0))
    equations, values = [], []
    for weights, power, target in rows:
        for j in range(order):
            equation = np.zeros((stages, order))
            equation[:, j] = weights
            equations.append(equation.reshape(-1))
            values.append(target if j + 1 == power else 0.0)
    for i in range(stages):
        equation = np.zeros((stages, order))
        equation[i] = 1.0
        equations.append(equation.reshape(-1))
        values.append(b[i])
    p, *_ = np.linalg.lstsq(np.array(equations), np.array(values), rcond=1e-10)
    p[np.abs(p) < ROUNDING] = 0.0
    return DenseOutput(order=order, p=tuple(tuple(map(float, row)) for row in p.reshape(stages, order)))
