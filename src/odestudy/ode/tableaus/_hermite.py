"""Cubic Hermite interpolation as dense output, for methods that bring none."""

from odestudy.ode._tableau import DenseOutput, Row


def cubic_hermite(b: Row, fsal: bool = False, order: int = 3) -> DenseOutput:
    """The cubic through (y0, f0) and (y1, f1): uniform error O(dt^4), enough for methods up to order 4.

    f1 = f(t1, y1) is the last stage of a first-same-as-last method and one more evaluation otherwise.
    Source: Hairer, Nørsett, Wanner I, eq. II.6.7. `order` is the method's own where that is lower.
    """
    rise = (0.0, 3.0, -2.0)  # of y1 - y0 = dt sum_i b_i k_i
    slope0, slope1 = (1.0, -2.0, 1.0), (0.0, -1.0, 1.0)
    p = [tuple(weight * r for r in rise) for weight in b]
    p[0] = tuple(x + s for x, s in zip(p[0], slope0, strict=True))
    if fsal:
        p[-1] = tuple(x + s for x, s in zip(p[-1], slope1, strict=True))
        return DenseOutput(order=order, p=tuple(p))
    return DenseOutput(order=order, p=(*p, slope1), extra_c=(1.0,), extra_a=(b,))
