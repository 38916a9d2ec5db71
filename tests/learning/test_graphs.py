"""Dynamics launched as CUDA graphs: the same bits as one kernel after another, on a GPU and with a graph's stand-in."""

from __future__ import annotations

import pytest
import torch

from odestudy.integrate import Solver
from odestudy.learning.graphs import fit_for_graphs, launched_as_graphs
from odestudy.nets.images import make_classifier
from odestudy.runtime.job import run_job
from tests.images import data_of, fit_of
from tests.learning.test_images_training import spec_of_arm

ADJOINTS = ["odenet_adjoint", "walkthrough"]


def stand_in(held, arguments):
    """What torch.cuda.make_graphed_callables gives, without a GPU: one place for inputs, result and gradients.

    Each run writes over what the last one left there, and capturing evaluates the module, as there.
    """
    places, parameters = [a.detach().clone() for a in arguments], tuple(held.parameters())
    kept = {}

    def evaluate():
        inputs = [places[0], places[1].requires_grad_()]
        kept["inputs"] = (inputs[1], *parameters)
        with torch.enable_grad():
            kept["slope"] = held.eager(*inputs)
        return kept["slope"].detach()

    class Graphed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, t, y, *_):
            with torch.no_grad():
                for place, given in zip(places, (t, y), strict=True):
                    place.copy_(given)
            evaluate()
            return result.copy_(kept["slope"].detach()).detach()

        @staticmethod
        def backward(ctx, grad):
            found = torch.autograd.grad(kept["slope"], kept["inputs"], grad, retain_graph=True)
            for place, new in zip(gradients, found, strict=True):
                place.copy_(new)
            return None, *gradients

    result = evaluate().clone()
    gradients = [torch.zeros_like(x) for x in kept["inputs"]]
    for _ in range(3):
        evaluate()
    return lambda t, y: Graphed.apply(t, y, *parameters)


def spec_of(root, arm, **changes):
    """Two epochs of three steps, the last with half a batch."""
    return spec_of_arm(root, arm) | {"train_size": 80, "epochs": 2, "augment": False} | changes


@pytest.fixture
def replays(monkeypatch):
    """Counts how often a graph, or on a processor its stand-in, evaluates the dynamics."""
    make = torch.cuda.make_graphed_callables if torch.cuda.is_available() else stand_in
    count = []

    def made(held, arguments):
        graph = make(held, arguments)

        def launch(*given):
            count.append(1)
            return graph(*given)

        return launch

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", made)
    return count


def trained(spec, graphs):
    """Weights, buffers and rows of a short training whose last batch is a smaller one."""
    data = data_of(spec)
    fit = fit_of(spec, data)
    if graphs:
        with launched_as_graphs(fit.net, data.train[0][: fit.recipe.batch]):
            fit.run(data, 100, "graphs")
        assert "forward" not in vars(fit.net.ode().f.f)
    else:
        fit.run(data, 100, "eager")
    rows = [{k: v for k, v in row.items() if k != "epoch_s"} for row in fit.training.rows]
    return fit.net.state_dict(), rows


on_a_processor = pytest.mark.skipif(
    torch.cuda.is_available(), reason="the stand-in is for machines without a GPU"
)


@on_a_processor
@pytest.mark.parametrize(
    "augment", [False, True], ids=["as they are", "cropped, which lie otherwise in memory"]
)
@pytest.mark.parametrize("arm", ADJOINTS)
def test_an_adjoint_has_the_same_bits_with_a_graphs_single_place(root, replays, arm, augment):
    spec = spec_of(root, arm, augment=augment)
    (eager, rows), (graphed, same) = (trained(spec, graphs) for graphs in (False, True))
    assert rows == same
    assert all(torch.equal(eager[name], graphed[name]) for name in eager)
    each_step = rows[0]["nfe_forward"] + rows[0]["nfe_backward"]  # of six steps four have a whole batch
    assert len(replays) > (0 if augment else 3 * each_step)


@on_a_processor
def test_back_propagation_through_a_solve_would_not_have_them(root, replays):
    """The control: where many evaluations are kept for the way back, the single place spoils the gradient."""
    spec = spec_of(root, "odenet_backprop")
    (_, rows), (_, other) = (trained(spec, graphs) for graphs in (False, True))
    assert replays
    assert rows != other


@pytest.mark.parametrize(
    ("net", "changes", "fit"),
    [
        ("odenet", {"gradient": "adjoint"}, True),
        ("odenet", {"gradient": "adjoint_seminorm"}, True),
        ("walkthrough", {"gradient": "adjoint", "method": "euler", "step": 0.05}, True),
        ("odenet", {"gradient": "adjoint", "method": "trapezoid", "step": 0.5}, False),
        ("odenet", {"gradient": "adjoint", "library": "torchdiffeq"}, False),
        ("odenet", {"gradient": "checkpointed"}, False),
        ("odenet", {"gradient": "quadrature"}, False),
        ("odenet", {"gradient": "backprop"}, False),
        ("none", {}, False),
    ],
)
def test_graphs_are_for_our_adjoints_with_explicit_methods(net, changes, fit):
    assert fit_for_graphs(make_classifier("digits", {"net": net}, Solver(**changes))) is fit


def test_on_a_processor_graphs_are_not_tried(root, monkeypatch):
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", pytest.fail)
    spec = spec_of(root, "odenet_adjoint", epochs=1, graphs=True)
    data = data_of(spec)
    fit_of(spec, data).run(data, 100, "graphs")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("arm", ADJOINTS)
def test_graphs_of_a_gpu_give_the_bits_of_single_kernels(root, tmp_path, replays, arm):
    found, counts = {}, {}
    for graphs in (False, True):
        spec = spec_of(root, arm, train_size=336, seeds=[0], device="cuda", graphs=graphs)
        target = tmp_path / str(graphs) / "metrics.json"
        found[graphs] = run_job(spec, target, code="of a test", root=root)["rows"]
        counts[graphs] = len(replays)
    assert counts[False] == 0 < counts[True]
    timed = {"epoch_s", "train_s", "time_to_99_s"}
    for rows in ("runs", "epochs"):
        one, other = (
            [{k: v for k, v in row.items() if k not in timed} for row in found[graphs][rows]]
            for graphs in (False, True)
        )
        assert one == other
