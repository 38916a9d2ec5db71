"""Densities of flows, against closed forms in float64."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from odestudy.densities.fields import Field, LinearField
from odestudy.densities.inverse import invert
from odestudy.densities.jacobian import with_estimate, with_jacobian, with_trace
from odestudy.densities.law import closed_form_error, derivative_mismatch, gaussian
from odestudy.densities.normal import standard_normal
from odestudy.densities.reference import reference
from odestudy.densities.targets import target_of
from odestudy.densities.training import Recipe, fit
from odestudy.densities.transport import FORMULAS, NOISES, Grid, log_density, path, transport
from odestudy.ode import solve
from tests.flows import net, points

GENERIC = [[-0.5, 1.0], [-0.3, 0.9]]
SPECIAL = {"traceless": [[0.6, 0.8], [0.4, -0.6]], "rotation": [[0.0, -1.5], [1.5, 0.0]]}
ORDERS = {"euler": 1, "midpoint": 2, "rk4": 4}


def gap(field, x, method, steps):
    trace, logdet = (transport(field, x, Grid(method, steps), name)[1] for name in ("trace", "logdet"))
    return float((trace - logdet).abs().mean())


# --- the law


@pytest.mark.parametrize("matrix", [GENERIC, *SPECIAL.values()])
def test_a_linear_flow_has_the_gaussian_density_in_closed_form(matrix):
    field = LinearField(matrix).requires_grad_(False)
    truth = reference(field, points())
    assert closed_form_error(field, truth) < 1e-10
    assert float((truth.trace - truth.logdet).abs().max()) < 1e-10


def test_the_closed_form_error_sees_a_wrong_trace():
    field = LinearField(GENERIC).requires_grad_(False)
    truth = reference(field, points())
    wrong = type(truth)(truth.z, truth.trace * 1.01, truth.logdet)
    assert closed_form_error(field, wrong) > 1e-3


def test_the_law_holds_along_the_trajectory_and_not_at_a_fixed_point():
    found = derivative_mismatch(LinearField(GENERIC))
    assert found["total_mismatch_nat"] < 1e-12
    assert found["partial_mismatch_nat"] > 0.1


def test_the_reference_trace_agrees_with_the_variational_equation_on_a_net():
    truth = reference(net(), points())
    assert float((truth.trace - truth.logdet).abs().max()) < 1e-10


def test_the_gaussian_by_covariance_is_that_by_change_of_variables():
    root = torch.tensor([[1.0, 0.3], [-0.2, 0.7]], dtype=torch.float64)
    x = points()
    expected = standard_normal(torch.linalg.solve(root, x.T).T) - torch.linalg.slogdet(root).logabsdet
    torch.testing.assert_close(gaussian(x, root), expected)


# --- trace against log-determinant on one code path


@pytest.mark.parametrize(("method", "order"), ORDERS.items())
def test_the_gap_shrinks_as_the_step_to_the_order(method, order):
    field, x = net(), points()
    gaps = [gap(field, x, method, n) for n in (32, 64, 128)]
    slopes = [math.log2(a / b) for a, b in pairwise(gaps)]
    assert slopes == pytest.approx([order, order], abs=0.15)


@pytest.mark.parametrize("matrix", SPECIAL.values(), ids=SPECIAL)
@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 3), ("rk4", 5)])
def test_traceless_and_rotational_linear_flows_do_better_than_the_order(matrix, method, order):
    field, x = LinearField(matrix).requires_grad_(False), points(4)
    slope = math.log2(gap(field, x, method, 16) / gap(field, x, method, 32))
    assert slope == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("method", ["euler", "midpoint", "rk4", "dopri5"])
def test_the_sum_over_steps_is_the_log_determinant_of_the_composed_map(method):
    field, x, grid = net(), points(5), Grid(method, 4)
    _, gain = transport(field, x, grid, "logdet")
    for i in range(len(x)):
        whole = torch.autograd.functional.jacobian(lambda y: path(field, y[None], grid)[-1, 0], x[i])
        assert float(gain[i]) == pytest.approx(float(torch.linalg.slogdet(whole).logabsdet), abs=1e-12)


@pytest.mark.parametrize("method", ["euler", "rk4", "dopri5"])
def test_all_formulas_carry_the_samples_to_the_same_place(method):
    field, x, grid = net(), points(), Grid(method, 3)
    ends = [transport(field, x, grid, name)[0] for name in FORMULAS]
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], rtol=0, atol=1e-14)


def test_the_trace_integral_is_what_solve_computes():
    field, x = net(), points()

    def augmented(t, state):
        value, trace = with_trace(lambda z: field(t, z), state[0])
        return value, trace

    found = solve(augmented, (x, torch.zeros(len(x), dtype=x.dtype)), [0.0, 1.0], method="rk4", dt0=0.25)
    end, gain = transport(field, x, Grid("rk4", 4), "trace")
    torch.testing.assert_close(found.ys[0][-1], end, rtol=0, atol=1e-14)
    torch.testing.assert_close(found.ys[1][-1], gain, rtol=0, atol=1e-14)


def test_an_unknown_formula_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="trace, rademacher1"):
        transport(net(), points(), Grid("euler", 1), "tracee")


def test_gradients_of_the_log_density_agree_with_differences():
    for formula in ("trace", "logdet"):
        field = Field(2, 4).double()
        x = points(3)
        loss = log_density(field, x, Grid("midpoint", 2), formula).sum()
        (found,) = torch.autograd.grad(loss, field.last.bias)
        with torch.no_grad():
            values = []
            for sign in (1, -1):
                field.last.bias[0] += sign * 1e-5
                values.append(float(log_density(field, x, Grid("midpoint", 2), formula).sum()))
                field.last.bias[0] -= sign * 1e-5
        assert float(found[0]) == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6)


# --- Jacobians and estimates


def test_jacobian_and_trace_of_a_net_are_autograds():
    field, x, t = net(3), points(4, 3), torch.tensor(0.3, dtype=torch.float64)
    _, jacobian = with_jacobian(lambda z: field(t, z), x)
    for i in range(len(x)):
        expected = torch.autograd.functional.jacobian(lambda z: field(t, z[None])[0], x[i])
        torch.testing.assert_close(jacobian[i], expected)
    torch.testing.assert_close(
        with_trace(lambda z: field(t, z), x)[1], jacobian.diagonal(dim1=1, dim2=2).sum(1)
    )


def test_rademacher_probes_over_all_signs_give_the_exact_trace():
    field, x, t = net(3), points(4, 3), torch.tensor(0.3, dtype=torch.float64)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    probes = signs[:, None, :].expand(8, 4, 3)
    estimate = with_estimate(lambda z: field(t, z), x, probes)[1]
    torch.testing.assert_close(estimate, with_trace(lambda z: field(t, z), x)[1])


@pytest.mark.parametrize("noise", NOISES)
def test_hutchinsons_estimate_is_unbiased(noise):
    torch.manual_seed(1)
    field, x, t = net(), points(3), torch.tensor(0.3, dtype=torch.float64)
    probes = NOISES[noise](x.expand(20_000, *x.shape))
    values = torch.stack([with_estimate(lambda z: field(t, z), x, p[None])[1] for p in probes[:400]])
    exact = with_trace(lambda z: field(t, z), x)[1]
    error = values.std(0) / math.sqrt(len(values))
    assert float(((values.mean(0) - exact).abs() / error).max()) < 4
    mean = with_estimate(lambda z: field(t, z), x, probes)[1]
    assert float((mean - exact).abs().max()) < 0.1


def test_the_noise_is_fixed_during_a_solve():
    torch.manual_seed(0)
    field = LinearField([[0.0, 1.0], [1.0, 0.0]]).requires_grad_(False)
    _, gain = transport(field, points(64), Grid("euler", 16), "rademacher1")
    assert set(gain.abs().round(decimals=9).tolist()) == {2.0}  # 2 e1 e2 is the same in every step


# --- inverse, training, work


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_the_inverse_is_that_of_the_computed_map(method):
    field, x, grid = net(), points(), Grid(method, 16)
    back, residual = invert(field, path(field, x, grid)[-1], grid)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-11)
    assert float(residual.max()) < 1e-11


def test_training_brings_the_loss_down_and_is_the_same_twice():
    target = target_of("moons")
    recipe = Recipe("trace", Grid("midpoint", 2), 30, 64, 0.02)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        losses.append(fit(Field(2, 16), target, recipe, 0).train_loss)
    assert losses[0] == losses[1]
    torch.manual_seed(0)
    assert (
        losses[0] < fit(Field(2, 16), target, Recipe("trace", Grid("midpoint", 2), 3, 64, 1e-6), 0).train_loss
    )
