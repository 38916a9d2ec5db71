"""Trace and log-determinant from weights and slopes, against the naive formulas and against arithmetic."""

from __future__ import annotations

import pytest
import torch

from odestudy.densities import operations
from odestudy.densities.fields import Field, LinearField, Stack
from odestudy.densities.layers import Layers
from odestudy.densities.transport import FORMULAS, Grid, transport
from odestudy.densities.work import counted_flops
from odestudy.ode._methods import TABLEAUS
from tests.flows import points

SHAPES = [(2, 9), (5, 5), (9, 4)]  # the route by d, either, and the route by w
PAIRS = [("trace", "structured_trace"), ("logdet", "structured_logdet")]


def net(d, width, hidden, seed=0):
    torch.manual_seed(seed)
    field = Field(d, width) if hidden == 2 else Stack(d, width, hidden)
    with torch.no_grad():
        for p in field.double().parameters():
            p.mul_(2)
    return field


def gains(field, x, grid, naive, structured):
    return transport(field, x, grid, naive), transport(field, x, grid, structured)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_structured_formulas_are_the_naive_ones_to_rounding(hidden, shape, pair):
    field, x = net(*shape, hidden), points(7, shape[0])
    (end, gain), (end2, gain2) = gains(field, x, Grid("rk4", 3), *pair)
    assert gain.abs().max() > 0.1
    torch.testing.assert_close(end2, end, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gain2, gain, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("method", TABLEAUS)
def test_they_are_with_every_explicit_tableau(method, pair):
    for shape in SHAPES:
        (_, gain), (_, gain2) = gains(net(*shape, 2), points(3, shape[0]), Grid(method, 2), *pair)
        torch.testing.assert_close(gain2, gain, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_their_gradients_are_those_of_the_naive_ones(hidden, shape, pair):
    field, x = net(*shape, hidden), points(4, shape[0])
    found = [
        torch.autograd.grad(gain.sum() + end.square().sum(), list(field.parameters()))
        for end, gain in gains(field, x, Grid("midpoint", 2), *pair)
    ]
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-9)


def test_hidden_layers_may_differ_in_width():
    torch.manual_seed(0)
    sizes = [(7, 3), (4, 7), (5, 4), (3, 5)]
    weights = tuple(torch.randn(*size, dtype=torch.float64) / 2 for size in sizes)

    class Uneven(Stack):
        def layers(self):
            return Layers(weights, (None,) * 4, None)

    for pair in PAIRS:
        (_, gain), (_, gain2) = gains(Uneven(3, 4, 3), points(4, 3), Grid("rk4", 2), *pair)
        torch.testing.assert_close(gain2, gain, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_linear_field_is_a_net_without_hidden_layers(pair):
    field = LinearField([[-0.5, 1.0], [-0.3, 0.9]])
    (_, gain), (_, gain2) = gains(field, points(5), Grid("rk4", 2), *pair)
    torch.testing.assert_close(gain2, gain.detach(), rtol=1e-12, atol=1e-12)


def test_what_cannot_be_taken_apart_is_refused():
    with pytest.raises(ValueError, match="layers"):
        transport(lambda t, z: -z, points(3), Grid("rk4", 1), "structured_trace")
    with pytest.raises(ValueError, match="explicit"):
        transport(net(2, 4, 2), points(3), Grid("implicit_midpoint", 1), "structured_logdet")


@pytest.mark.parametrize("method", ["euler", "midpoint", "rk4"])
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_operations_by_arithmetic_are_those_that_torch_counts(hidden, method):
    for d, width in SHAPES:
        field, x, n = net(d, width, hidden).requires_grad_(False), points(6, d), 6
        sizes, grid = field.layers().sizes, Grid(method, 1)
        stages, weighted = len(grid.stepper.nodes), len(grid.stepper.weights)
        route = operations.determinant_route(sizes, stages)
        lu = operations.lu_flops(d if route == "d" else width)
        for name, cost, extra in [
            ("structured_trace", operations.structured_trace(sizes, stages, weighted), 0.0),
            ("structured_logdet", operations.structured_determinant(sizes, stages), lu),
        ]:
            counted = counted_flops(lambda rule=FORMULAS[name]: transport(field, x, grid, rule()))  # noqa: B023  (called at once)
            assert counted / n + extra == pytest.approx(cost.per_sample(n))
        naive = counted_flops(lambda: transport(field, x, grid, "trace"))  # noqa: B023  (called at once)
        assert naive / n == pytest.approx(operations.naive_trace(sizes, stages).sample)


def test_the_smaller_of_dimension_and_width_decides():
    assert operations.determinant_route((2, 64, 64), 4) == "d"
    assert operations.determinant_route((1024, 64, 64), 4) == "w"
    assert operations.trace_route((2, 64, 64, 64)) == "d"
    assert operations.trace_route((1024, 64, 64, 64)) == "w"
    # With two hidden layers an exact trace is cheaper than one product with the Jacobian.
    assert (
        operations.structured_trace((64, 64, 64), 4).sample
        < operations.estimated_trace((64, 64, 64), 4).sample
    )
