"""Operations of the formulas by arithmetic: matrix products, a multiply-add being two, and elimination; a sample each.

Sizes are (d, w_1, ..., w_{L-1}) of f(z) = W_L s(... s(W_1 z) ...). Elementwise work is left out, as torch's counter does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """Operations of one step: for each sample, and once for a batch."""

    sample: float
    once: float = 0.0

    def per_sample(self, batch: int) -> float:
        return self.sample + self.once / batch


def lu_flops(d: int) -> float:
    """Operations of Gaussian elimination with pivoting of a d x d matrix.

    Source: Golub, Van Loan, Matrix Computations, section 3.2: 2 d^3 / 3 and lower orders, here exactly.
    """
    return d * (d - 1) * (4 * d + 1) / 6


def evaluation(sizes: Sizes) -> float:
    """One value of f, and as many for one product with its Jacobian."""
    return 2.0 * sum(a * b for a, b in pairwise((*sizes, sizes[0])))


def naive_trace(sizes: Sizes, stages: int) -> Cost:
    """The value, and d products with the Jacobian, in every stage."""
    return Cost(stages * evaluation(sizes) * (1 + sizes[0]))


def estimated_trace(sizes: Sizes, stages: int, probes: int = 1) -> Cost:
    """The value, and a product for each probe, in every stage."""
    return Cost(stages * evaluation(sizes) * (1 + probes))


def naive_determinant(sizes: Sizes, stages: int) -> Cost:
    """The value, and d products in every stage, and elimination."""
    return Cost(naive_trace(sizes, stages).sample + lu_flops(sizes[0]))


def structured_trace(sizes: Sizes, stages: int, weighted: int | None = None) -> Cost:
    """The value, and what the slopes take: no product of matrices with one hidden layer, w^2 with two, w^3 with more.

    The trace is taken in the `weighted` stages only, whose weight in the step is not zero; all of them unless said.
    """
    weighted = stages if weighted is None else weighted
    d, *widths = sizes
    value = evaluation(sizes)
    if len(widths) < 2:
        return Cost(stages * value)
    once = 2.0 * d * widths[0] * widths[-1]
    if len(widths) == 2:
        return Cost(stages * value + weighted * 2.0 * widths[0] * widths[1], once)
    return Cost(stages * value + weighted * _trace_products(sizes, trace_route(sizes)), once)


def _trace_products(sizes: Sizes, route: str) -> float:
    """Of three and more hidden layers, through which d or w_1 tangents go."""
    d, *widths = sizes
    if route == "d":
        return 2.0 * d * sum(a * b for a, b in pairwise(widths))
    return 2.0 * widths[0] * sum(a * b for a, b in pairwise(widths[1:]))


def trace_route(sizes: Sizes) -> str:
    """Whether fewer operations are taken with d tangents or with w_1 of them."""
    return min("dw", key=lambda route: _trace_products(sizes, route))


def structured_determinant(sizes: Sizes, stages: int) -> Cost:
    """The value in every stage, the recursion over the stages, and elimination, by the cheaper route."""
    return determinant_by(sizes, stages, determinant_route(sizes, stages))


def determinant_route(sizes: Sizes, stages: int) -> str:
    """Whether fewer operations are taken by a matrix of size d or of size w_{L-1}."""
    return min("dw", key=lambda route: determinant_by(sizes, stages, route).sample) if len(sizes) > 1 else "d"


def determinant_by(sizes: Sizes, stages: int, route: str) -> Cost:
    """By a matrix of size d, or of size w_{L-1} with M formed once."""
    d, *widths = sizes
    k = d if route == "d" or not widths else widths[-1]
    entry = 2.0 * k * k * (widths[0] if widths else d)  # not in the first stage, which enters with I
    between = 2.0 * k * sum(a * b for a, b in pairwise(widths))
    leaving = 2.0 * k * widths[-1] * d if route == "d" and widths else 0.0
    recursion = (stages - 1) * entry + stages * (between + leaving)
    once = 2.0 * d * widths[0] * widths[-1] if route == "w" else 0.0
    return Cost(stages * evaluation(sizes) + recursion + lu_flops(k), once)
