"""The one train loop: what a kill leaves is taken up to the same bits, and training in mixed precision."""

from __future__ import annotations

import copy
from contextlib import suppress

import pytest
import torch
from torch import nn

from odestudy.integrate import Solver, integrate
from odestudy.learning import loop
from odestudy.learning.checkpoint import checkpoint_of
from odestudy.learning.evaluate import error_on, error_with_batch_statistics
from odestudy.learning.recipe import Recipe
from odestudy.nets.blocks import BatchNormDynamics
from odestudy.nets.images import make_classifier
from odestudy.runtime.checkpoint_dir import at_work
from odestudy.runtime.files import plain
from odestudy.runtime.registry import find_task
from odestudy.study import load_study
from tests.images import data_of, fit_of


def spec_of_arm(root, arm):
    """Of the quick tier, cut to two steps in each of three epochs; augmented, so that both generators count."""
    jobs = load_study(root, "quick", {"questions": "images"}).jobs.values()
    found = next(j for j in jobs if j.task == "images_train.train" and j.spec["arm"]["name"] == arm)
    return found.spec | {"train_size": 64, "epochs": 3, "augment": True, "device": "cpu"}


def trained(spec, folder, die_in=None):
    """The training of one seed; it dies at the end of an epoch, when the weights have moved and nothing is saved yet."""
    data = data_of(spec)
    with suppress(InterruptedError), at_work(folder, "a job"):
        fit = fit_of(spec, data)

        def after_epoch():
            if len(fit.training.rows) + 1 == die_in:
                raise InterruptedError
            return {}

        loop.train(fit.training, data.train, fit.recipe, checkpoint_of("seed0"), after_epoch)
    return fit.training


@pytest.mark.parametrize("arm", ["resnet6", "odenet_adjoint", "walkthrough"])
def test_what_was_killed_goes_on_to_the_same_weights_adam_state_and_generators(root, tmp_path, arm):
    spec = spec_of_arm(root, arm)
    whole = trained(spec, tmp_path / "whole")
    killed = trained(spec, tmp_path / "killed", die_in=2)
    assert len(killed.rows) == 1
    again = trained(spec, tmp_path / "killed")
    assert [row["epoch"] for row in again.rows] == [1, 2, 3]
    one, other = (
        t.net.state_dict() for t in (whole, again)
    )  # running statistics of batch normalisation among it
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    one, other = (t.optimizer.state_dict() for t in (whole, again))
    assert plain(one["param_groups"]) == plain(other["param_groups"])  # JSON knows no tuples
    assert one["state"].keys() == other["state"].keys() != set()
    assert all(
        torch.equal(one["state"][i][k], other["state"][i][k]) for i in one["state"] for k in one["state"][i]
    )
    assert plain(whole.schedule.state_dict()) == plain(again.schedule.state_dict())
    for name, generator in whole.generators.items():
        assert torch.equal(generator.get_state(), again.generators[name].get_state())
    assert any(not torch.equal(killed.net.state_dict()[n], v) for n, v in whole.net.state_dict().items())


def net_of(arm, solver):
    torch.manual_seed(1)
    return make_classifier("digits", arm, solver)


def step_of(net, amp):
    """The loss of one step on random images, and the gradient that it took."""
    x, y = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 10
    recipe = Recipe(batch=16, epochs=1, learning_rate=1e-3, amp=amp)
    loss = loop._step(loop.make_training(net, recipe, len(x), 0, "cpu"), x, y, recipe)
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in net.parameters())
    return float(loss), torch.cat([p.grad.flatten() for p in net.parameters()])


def assert_mixed_is_near(arm, solver):
    (loss, gradient), (mixed_loss, mixed) = (step_of(net_of(arm, solver), amp) for amp in (False, True))
    assert mixed_loss == pytest.approx(loss, rel=0.02)
    assert not torch.equal(mixed, gradient)  # otherwise nothing was computed in bfloat16
    assert float(torch.cosine_similarity(gradient, mixed, dim=0)) > 0.95


EULER, ADAPTIVE = {"method": "euler", "step": 0.25}, {"method": "dopri5", "rtol": 1e-3, "atol": 1e-3}
ODE_GRADIENTS = ["backprop", "adjoint", "adjoint_seminorm", "quadrature", "checkpointed"]


@pytest.mark.parametrize("net", ["none", "resnet", "tied", "mlp"])
def test_a_step_in_mixed_precision_has_about_the_loss_and_gradient_of_single_precision(net):
    assert_mixed_is_near({"net": net, "blocks": 6}, Solver())


@pytest.mark.parametrize("solver", [EULER, ADAPTIVE], ids=["euler", "dopri5"])
@pytest.mark.parametrize("gradient", ODE_GRADIENTS)
def test_so_has_a_step_of_an_ode_by_every_gradient(solver, gradient):
    assert_mixed_is_near({"net": "odenet"}, Solver(gradient=gradient, **solver))


def test_so_has_one_through_torchdiffeqs_adjoint():
    assert_mixed_is_near({"net": "odenet"}, Solver(library="torchdiffeq", gradient="adjoint", **ADAPTIVE))


@pytest.mark.parametrize("solver", [EULER, ADAPTIVE], ids=["euler", "dopri5"])
@pytest.mark.parametrize("gradient", ODE_GRADIENTS)
def test_an_ode_is_solved_in_the_precision_of_its_weights_forwards_and_backwards(solver, gradient):
    """Seen in each evaluation: the state, the output of f, and whether autocast is on; stem and head are in bfloat16."""
    net = net_of({"net": "odenet"}, Solver(gradient=gradient, **solver))
    seen, around = set(), {}

    def look(_, inputs, output):
        backward = torch._C._current_graph_task_id() != -1
        seen.add((backward, inputs[1].dtype, output.dtype, torch.is_autocast_enabled("cpu")))

    net.ode().f.f.register_forward_hook(look)
    net.stem.register_forward_hook(lambda _, inputs, output: around.update(stem=output.dtype))
    net.head.register_forward_hook(lambda _, inputs, output: around.update(head=output.dtype))
    step_of(net, amp=True)
    backward = set() if gradient == "backprop" else {(True, torch.float32, torch.float32, False)}
    assert seen == {(False, torch.float32, torch.float32, False)} | backward
    assert around == {"stem": torch.bfloat16, "head": torch.bfloat16}


def test_without_mixed_precision_the_block_is_the_bare_solve_to_the_bit():
    for dtype in (torch.float32, torch.float64):
        net = net_of({"net": "odenet"}, Solver(**ADAPTIVE)).to(dtype)
        y = torch.randn(4, 16, 8, 8, dtype=dtype, generator=torch.Generator().manual_seed(0))
        bare = integrate(net.ode().f, y, torch.tensor([0.0, 1.0], dtype=dtype), net.ode().solver)[-1]
        assert torch.equal(net.block(y), bare)
        assert bare.dtype == dtype


@pytest.mark.parametrize("arm", ["resnet6", "odenet_adjoint"])
def test_a_job_of_any_device_trains_in_mixed_precision_to_about_the_same_loss(root, edit, arm):
    """Device auto on a machine without a GPU as well: the CPU has bfloat16, it only saves no time."""
    clone = edit("config/questions/images.yaml", lambda d: d["experiments"]["train"]["base"].update(amp=True))
    mixed, single = (spec_of_arm(at, arm) | {"train_size": 128, "seeds": [0]} for at in (clone, root))
    assert mixed["amp"]
    found = [find_task("images_train.train")(spec, "cpu").rows for spec in (mixed, single)]
    assert found[0]["runs"][0]["status"] == "ok"
    losses = [[row["train_loss"] for row in rows["epochs"]] for rows in found]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert losses[0] != losses[1]


def test_the_walkthroughs_dynamics_are_convolution_relu_and_batch_normalisation_twice():
    """As the walk-through writes it, with time as the last channel; here it is the first of the weights."""
    torch.manual_seed(0)
    f, y, t = BatchNormDynamics(4), torch.randn(3, 4, 5, 5), torch.tensor(0.3)

    def layer(conv, norm, y):
        whole = torch.cat([y, t.expand(3, 1, 5, 5)], 1)
        weight = torch.cat([conv.weight[:, 1:], conv.weight[:, :1]], 1)
        return norm(torch.relu(nn.functional.conv2d(whole, weight, padding=1)))

    expected = layer(f.conv2, f.norm2, layer(f.conv1, f.norm1, y))
    assert torch.allclose(f(t, y), expected, atol=1e-5)


def test_the_error_by_the_batches_own_statistics_is_that_of_nets_with_batch_normalisation_alone(root):
    """Of small batches, each normalised by itself, worked out by functions that know no running average."""
    specs = (
        spec_of_arm(root, arm) | {"seeds": [0], "epochs": 1} for arm in ("walkthrough", "odenet_adjoint")
    )
    column = "test_error_batch_stats_pct"
    walked, other = (find_task("images_train.train")(spec, "cpu").rows["runs"][0] for spec in specs)
    assert 0 <= walked[column] <= 100
    assert column not in other
    net = net_of({"net": "walkthrough"}, Solver(method="euler", step=0.5))
    x, y = torch.randn(24, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(24) % 10
    running = error_with_batch_statistics(net, (x, y), 12)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = module.running_var = None  # evaluation, too, then takes the batch's own
    assert running == error_on(net, (x, y), 12)


def test_batch_normalisation_in_the_dynamics_fails_with_averages_over_all_times(root):
    """Trained as the walk-through trains; what the averages hold is not to blame, but that there is one for all times."""
    spec = spec_of_arm(root, "walkthrough") | {"train_size": 640, "epochs": 5, "augment": False}
    data = data_of(spec)
    fit = fit_of(spec, data)
    fit.run(data, 500, "seed0")
    anew = copy.deepcopy(fit.net).train()
    for module in anew.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all that follows
    with torch.no_grad():
        for part in data.train[0].split(32):
            anew(part)
    before = copy.deepcopy(fit.net.state_dict())
    with_own = error_with_batch_statistics(fit.net, data.test, 32)
    assert all(torch.equal(before[name], value) for name, value in fit.net.state_dict().items())
    running, again = (error_on(net, data.test, 500) for net in (fit.net, anew))
    assert 2 * with_own < min(running, again), (with_own, running, again)
