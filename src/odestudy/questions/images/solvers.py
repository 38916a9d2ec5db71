"""What the solver does to a net that is trained (claims C05 to C07, C12c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from odestudy.datasets.images import Images
from odestudy.learning.attempt import attempt
from odestudy.learning.evaluate import accuracy_change_pct, error_on, error_pct, evaluate, solved_with
from odestudy.measure.clock import time_repeats
from odestudy.questions.images.arms import finer, images_of
from odestudy.questions.images.fit import Fit, new_fit
from odestudy.questions.images.params import Cross, Sweep, Tested
from odestudy.runtime.outcome import Outcome, Row

WARM_UP = 32  # images


def cross(params: Cross, device: str) -> Outcome:
    """Train with one solver, test with all.

    Rows: `runs`, one a seed and test solver; `nets`, one a seed, with the refinement gate.
    """
    data = images_of(params, device, params.train_size)
    runs: list[Row] = []
    nets: list[Row] = []
    for seed in params.seeds:
        fit, row = _trained(params, data, seed, device)
        fine = row["status"] == "ok"
        for solver in solvers_of(params):
            tested = attempt(_test, fit, data, params, solver, device) if fine else row
            runs.append({"seed": seed, **_named(solver), **tested})
        nets.append({"seed": seed, **(attempt(_gate, fit, data, params) if fine else row)})
    return Outcome({"runs": runs, "nets": nets})


def sweep(params: Sweep, device: str) -> Outcome:
    """Train once, then measure evaluations, times and error under every tolerance and step.

    Rows `runs`: one a seed and solver. Forward and backward passes are those of one training batch.
    """
    data = images_of(params, device, params.train_size)
    rows: list[Row] = []
    for seed in params.seeds:
        fit, row = _trained(params, data, seed, device)
        for solver in solvers_of(params):
            fine = row["status"] == "ok"
            measured = attempt(_measure, fit, data, params, solver, device) if fine else row
            rows.append({"seed": seed, **_named(solver), **measured})
    return Outcome({"runs": rows})


def solvers_of(params: Tested) -> Iterator[dict[str, Any]]:
    """The solvers of the test: fixed steps of 1/n for each method, and adaptive methods with their tolerances."""
    for method in params.test_methods:
        for steps in params.test_steps:
            yield {"method": method, "step": 1.0 / steps}
    for method in params.adaptive_methods:
        for tolerance in params.tolerances:
            yield {"method": method, "step": None, "rtol": tolerance, "atol": tolerance}


def _named(solver: dict[str, Any]) -> Row:
    return {"test_method": solver["method"], "test_step": solver["step"], "tolerance": solver.get("rtol")}


def _trained(params: Tested, data: Images, seed: int, device: str) -> tuple[Fit, Row]:
    """The trained net, and how its training ended."""
    fit = new_fit(params, data, seed, device)

    def run() -> Row:
        fit.run(data, params.eval_batch, f"seed{seed}")
        return {}

    return fit, attempt(run)


def _test(fit: Fit, data: Images, params: Cross | Sweep, solver: dict[str, Any], device: str) -> Row:
    """Test error, the evaluations of f a batch, and the time that all test images take (median of the repeats)."""
    x, y = data.test
    batch = params.eval_batch
    with solved_with(fit.net, **solver) as net:
        evaluate(net, x[:WARM_UP], WARM_UP)
        logits, evaluations = evaluate(net, x, batch)
        row = {"test_error_pct": error_pct(logits.argmax(1) == y), "eval_nfe": evaluations}
        if isinstance(params, Sweep) and is_timed(solver):
            times = time_repeats(lambda: evaluate(net, x, batch), device, repeats=params.repeats, warmup=0)
            row["eval_s"] = times["wall_s"]
    return row


def is_timed(solver: dict[str, Any]) -> bool:
    """SciPy's methods are there for their evaluations: their time is that of copying states to and fro."""
    return not solver["method"].startswith("scipy")


def _measure(fit: Fit, data: Images, params: Sweep, solver: dict[str, Any], device: str) -> Row:
    """The test, and evaluations and times of a forward and a backward pass over one training batch."""
    tested = _test(fit, data, params, solver, device)
    x, y = (part[: params.batch] for part in data.train)
    with solved_with(fit.net, **solver) as net:
        net.train()

        def ahead() -> None:
            net.take_nfe()
            with fit.recipe.precision(device):
                net(x)

        def both() -> None:
            net.take_nfe()
            net.zero_grad(set_to_none=True)
            with fit.recipe.precision(device):
                loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()

        both()  # warm-up too
        forward, backward = net.take_nfe()
        counts = {"nfe_forward": forward, "nfe_backward": backward}
        if not is_timed(solver):
            return tested | counts
        ahead_s = time_repeats(ahead, device, repeats=params.repeats, warmup=0)["wall_s"]
        both_s = time_repeats(both, device, repeats=params.repeats, warmup=0)["wall_s"]
    return tested | counts | {"forward_s": ahead_s, "backward_s": max(0.0, both_s - ahead_s)}


def _gate(fit: Fit, data: Images, params: Cross) -> Row:
    """Whether the trained net is an ODE: its test accuracy under a refined solver (Krishnapriyan et al. 2023)."""
    last = fit.training.rows[-1]
    own = error_on(fit.net, data.test, params.eval_batch)
    with solved_with(fit.net, **finer(fit.net.ode().solver)) as net:
        refined = error_on(net, data.test, params.eval_batch)
    change = accuracy_change_pct(own, refined)
    return {
        "train_s": fit.train_s(),
        "nfe_forward": last["nfe_forward"],
        "test_error_pct": own,
        "test_error_refined_pct": refined,
        "accuracy_change_pct": change,
        "is_ode": change < params.gate_pct,
        "gate_pct": params.gate_pct,
    }
