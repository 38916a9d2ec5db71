"""Nets of time series: parts, arms and losses, against closed forms and against what a model must not see."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from odestudy.nets.stacked import StackedGRU, StackedLinear
from odestudy.ode import solve
from odestudy.questions.timeseries.arms import parameter_count
from odestudy.questions.timeseries.latent import hermite, kl_to_standard_normal
from odestudy.questions.timeseries.recurrent import gaussian_log_prob
from odestudy.questions.timeseries.series import Series
from odestudy.questions.timeseries.training import Curve, Recipe, clip_by_seed, generators_of, train
from tests.spirals import arms_of, made, some

F64 = torch.float64


@pytest.fixture(scope="module")
def arms(root):
    return arms_of(root, "released")


# --- data


def test_the_stacked_gru_is_torchs_gru_cell():
    cell, ours = nn.GRUCell(3, 5).double(), StackedGRU(generators_of([0], 0), 3, 5).double()
    with torch.no_grad():
        ours.project.weight[0], ours.project.bias[0, 0] = cell.weight_ih.T, cell.bias_ih
        ours.recur.weight[0], ours.recur.bias[0, 0] = cell.weight_hh.T, cell.bias_hh
    x, h = torch.randn(7, 3, dtype=F64), torch.randn(7, 5, dtype=F64)
    torch.testing.assert_close(ours.step(ours.project(x[None]), h[None])[0], cell(x, h))


def test_the_gru_along_a_sequence_is_its_steps_with_their_gradients():
    cell = StackedGRU(generators_of([0, 1], 0), 3, 5).double()
    x = torch.randn(2, 4, 6, 3, dtype=F64, requires_grad=True)
    h = torch.randn(2, 4, 5, dtype=F64, requires_grad=True)
    state, states = h, []
    for value in x.unbind(2):
        state = cell.step(cell.project(value), state)
        states.append(state)
    stepped, along = torch.stack(states, 2), cell.along(x, h)
    torch.testing.assert_close(along, stepped)
    weights, inputs = torch.randn_like(along), [x, h, *cell.parameters()]
    wanted = torch.autograd.grad((stepped * weights).sum(), inputs)
    for found, expected in zip(torch.autograd.grad((along * weights).sum(), inputs), wanted, strict=True):
        torch.testing.assert_close(found, expected)


def test_each_seed_of_a_stacked_layer_has_its_own_weights_whoever_is_beside_it():
    alone, both = StackedLinear(generators_of([7], 0), 2, 3), StackedLinear(generators_of([4, 7], 0), 2, 3)
    assert torch.equal(alone.weight[0], both.weight[1])
    assert not torch.equal(both.weight[0], both.weight[1])


def test_the_cubic_between_steps_is_exact_for_cubics():
    h = 0.5
    nodes = torch.arange(4, dtype=F64) * h
    states, slopes = (nodes**3 - nodes).reshape(1, 1, 4, 1), (3 * nodes**2 - 1).reshape(1, 1, 4, 1)
    times = torch.tensor([[[0.1, 0.5, 0.9, 1.49]]], dtype=F64)
    index = (times / h).floor().long()
    found = hermite(states, slopes, index, times / h - index, h)[0, 0, :, 0]
    torch.testing.assert_close(found, (times**3 - times)[0, 0])


# --- arms


@pytest.mark.parametrize("group", ["released", "walkthrough"])
def test_the_arms_of_a_group_have_nearly_the_same_number_of_parameters(root, group):
    counts = [parameter_count(made(arm)) for arm in arms_of(root, group).values()]
    assert len(counts) >= 3
    assert max(counts) <= 1.05 * min(counts), counts


@pytest.mark.parametrize("name", ["rnn", "rnn_gaps", "ode_rnn", "latent_rnn", "latent_ode"])
def test_a_forecast_depends_on_what_was_observed_and_on_nothing_held_out(arms, name):
    model, data = made(arms[name]), some()
    inner, outer = model.predict(data.t, data.x, data.inner_t, data.outer_t)
    other = data.x.clone()
    other[:, :, 2] += 1.0
    for found, changed in zip(
        (inner, outer), model.predict(data.t, other, data.inner_t, data.outer_t), strict=True
    ):
        assert not torch.equal(found, changed)
    moved = data.inner_t.clone()
    moved[..., -1] = (moved[..., -1] + data.t[..., -1]) / 2
    apart, behind = model.predict(data.t, data.x, moved, data.outer_t)
    torch.testing.assert_close(apart[..., :-1, :], inner[..., :-1, :])  # a question changes no other answer
    torch.testing.assert_close(behind, outer)


@pytest.mark.parametrize("name", ["rnn", "rnn_gaps", "ode_rnn"])
def test_a_recurrent_arm_predicts_from_the_past_alone(arms, name):
    model, data = made(arms[name]), some()
    later = data.x.clone()
    later[:, :, 5:] += 1.0
    one, other = (model.read(data.t, x)[1] for x in (data.x, later))
    torch.testing.assert_close(one[:, :, :5], other[:, :, :5])
    assert not torch.allclose(one[:, :, 5:], other[:, :, 5:])


def test_only_the_plain_rnn_is_blind_to_time(arms):
    data = some()
    for name, arm in arms.items():
        model = made(arm)
        stretched = [
            model.predict(s * data.t, data.x, s * data.inner_t, s * data.outer_t)[1] for s in (1.0, 0.5)
        ]
        assert torch.equal(*stretched) == (name == "rnn")


@pytest.mark.parametrize("name", ["rnn_gaps", "ode_rnn", "latent_rnn", "latent_ode"])
def test_a_seed_trains_to_the_same_net_alone_and_beside_others(arms, name):
    found = []
    for seeds in ([3], [1, 3]):
        model = made(arms[name], seeds)
        train(model, some(seeds, count=10), Recipe(3, 4, 0.01, 0.1), seeds, "cpu")
        found.append([p[-1].detach() for p in model.parameters()])
    for alone, beside in zip(*found, strict=True):
        torch.testing.assert_close(alone, beside, rtol=1e-9, atol=1e-9)


def test_a_seed_that_is_not_finite_disturbs_no_other(arms):
    seeds, data = [0, 1], some([0, 1], count=10)
    broken = Series(*(getattr(data, f).clone() for f in data.__dataclass_fields__))
    broken.x[0] = math.nan
    curves = []
    for shown in (data, broken):
        model = made(arms["latent_rnn"], seeds)
        curves.append(train(model, shown, Recipe(3, 4, 0.01, 0.1), seeds, "cpu"))
    np.testing.assert_allclose(curves[0].loss[:, 1], curves[1].loss[:, 1])
    assert np.isnan(curves[1].loss[:, 0]).all()


def test_a_curve_tells_the_iteration_at_which_a_loss_broke():
    curve = Curve(np.array([[1.0, 2.0], [1.0, np.inf], [1.0, np.nan]]), 0.0)
    assert curve.failure(0) == {}
    assert curve.failure(1)["failed_step"] == 1
    assert curve.failure(1)["message"] == "iteration 1: the loss is not finite"


def test_training_lowers_the_loss_of_every_arm(arms):
    data = some([0], count=20)
    for name, arm in arms.items():
        loss = train(made(arm), data, Recipe(40, 20, 0.02, 0.1), [0], "cpu").loss
        assert loss[-1, 0] < 0.8 * loss[0, 0], name


def test_the_gradient_is_clipped_for_each_seed_by_itself():
    p = nn.Parameter(torch.zeros(2, 3))
    p.grad = torch.tensor([[30.0, 40.0, 0.0], [0.3, 0.4, 0.0]])
    clip_by_seed([p], 5.0)
    torch.testing.assert_close(p.grad, torch.tensor([[3.0, 4.0, 0.0], [0.3, 0.4, 0.0]]))


# --- the evidence lower bound


def test_the_terms_of_the_bound_are_those_of_torchs_distributions():
    mean, log_variance = torch.randn(2, 3, 4, 5, dtype=F64)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    wanted = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), wanted)
    x = torch.randn_like(mean)
    torch.testing.assert_close(
        gaussian_log_prob(x, mean, 0.3), torch.distributions.Normal(mean, 0.3).log_prob(x)
    )


def test_the_bound_of_a_model_that_ignores_z_is_its_closed_form(arms):
    model, data = made(arms["latent_ode"]), some()
    with torch.no_grad():
        for p in model.encoder.head.parameters():
            p.zero_()
        model.decoder.layers[-1].weight.zero_()
        model.decoder.layers[-1].bias.zero_()
    # the posterior is the prior and every prediction zero: what is left is the likelihood of the data under noise
    wanted = -torch.distributions.Normal(0.0, 0.1).log_prob(data.x).mean((1, 2, 3))
    torch.testing.assert_close(model.loss(data.t, data.x, 0.1, generators_of([0], 2)), wanted)


def test_the_latent_ode_follows_its_field_to_each_samples_own_times(arms):
    model = made(arms["latent_ode"])
    model.steps = 60
    t = some().t
    z = torch.randn(1, t.shape[1], 4, dtype=F64, generator=torch.Generator().manual_seed(0))
    found = model.trajectory(z, t)
    for i in range(t.shape[1]):
        times = torch.cat([torch.zeros(1, dtype=F64), t[0, i]])

        def field(s, y):
            return model.f(s, y[None, None])[0, 0]

        wanted = solve(field, z[0, i], times, rtol=1e-10, atol=1e-12).ys[1:]
        torch.testing.assert_close(found[0, i], wanted, rtol=1e-5, atol=1e-6)
