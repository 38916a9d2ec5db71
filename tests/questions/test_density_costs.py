"""What the formulas of a density cost, and where one overtakes the other."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from odestudy.densities.operations import lu_flops
from odestudy.densities.work import counted_flops, step_flops, step_vjps
from odestudy.measure.memory import kept_for_backward_mib
from odestudy.questions.density import derived
from odestudy.questions.density.coarse import coarse
from odestudy.questions.density.cost import _at_equal_error, _crossover, isolated
from odestudy.questions.density.gap import _largest, _slopes
from odestudy.questions.density.params import Coarse, Isolated
from tests.flows import net, points


def test_work_is_counted():
    weight, x = torch.randn(3, 5), torch.randn(7, 5)
    assert counted_flops(lambda: x @ weight.T) == 2 * 7 * 5 * 3
    assert lu_flops(2) == 3  # one division, one multiplication, one subtraction
    assert lu_flops(1000) == pytest.approx(2e9 / 3, rel=1e-2)
    assert step_vjps("trace", 5, 4) == step_vjps("logdet", 5, 4) == 20
    assert step_vjps("rademacher10", 5, 4) == 40
    field = net(4)
    both = [step_flops(field, points(3, 4), "rk4", name) for name in ("trace", "logdet")]
    assert both[1] - both[0] == pytest.approx(lu_flops(4))


def test_memory_behind_a_loss_is_counted_without_parameters():
    x, weight = torch.randn(1024, 256), torch.nn.Parameter(torch.randn(256, 256))
    loss = torch.tanh(x @ weight).sum()
    assert kept_for_backward_mib(loss) == pytest.approx(2.0, rel=0.01)  # x and the output of tanh


def test_the_largest_good_step_needs_all_smaller_ones_to_be_good():
    assert _largest([(1.0, True), (0.5, False), (0.25, True), (0.125, True)]) == 0.25
    assert _largest([(0.5, True), (0.25, False)]) is None


def swept(precision, gaps):
    return [
        {"method": "rk4", "precision": precision, "formula": "trace", "step": 2.0**-k, "gap_nat": gap}
        for k, gap in enumerate(gaps)
    ]


def test_the_slope_of_a_gap_is_taken_where_rounding_leaves_it_clear():
    exact = [0.3 * 16.0**-k for k in range(8)]
    (clear,) = _slopes(swept("float64", exact))
    assert clear["slope"] == pytest.approx(4, abs=1e-9)
    assert (clear["slope_points"], clear["smallest_step"], clear["order"]) == (4, 2.0**-7, 4)
    (rounded,) = _slopes(swept("float32", [max(gap, 3e-6) for gap in exact]))
    assert rounded["slope"] == pytest.approx(4, abs=1e-9)
    assert rounded["smallest_step"] == 2.0**-2  # beyond it the gap is under a thousand roundings
    (hidden,) = _slopes(swept("float32", [0.3, 1e-6, 1e-6]))
    assert "slope" not in hidden


def test_at_equal_error_a_formula_that_never_reaches_it_has_no_work():
    rows = [
        {"formula": formula, "step": step, "flops": flops, "error_nat": error}
        for formula, step, flops, error in [
            ("trace", 0.5, 10.0, 0.005), ("trace", 0.25, 20.0, 0.001),
            ("logdet", 0.5, 15.0, 0.02), ("logdet", 0.25, 30.0, 0.002),
            ("rademacher1", 0.5, 1.0, 0.5), ("rademacher1", 0.25, 2.0, 0.5),
        ]
    ]  # fmt: skip
    found = _at_equal_error(rows, 0.01)
    assert found == {
        "work_trace_flops": 10.0, "step_trace": 0.5, "work_logdet_flops": 30.0, "step_logdet": 0.25, "work_ratio": 3.0,
    }  # fmt: skip


def test_cost_at_equal_error_is_that_of_so_many_training_steps(monkeypatch):
    single = [
        {"d": 4, "formula": name, "status": "ok", "wall_s": wall, "saved_mib": saved}
        for name, wall, saved in [("trace", 1.0, 2.0), ("logdet", 3.0, 2.0)]
    ]
    reached = {
        "seed": 0,
        "step_trace": 0.5,
        "work_trace_flops": 10.0,
        "step_logdet": 0.25,
        "work_logdet_flops": 30.0,
    }
    metrics = {"step": {"runs": single}, "d4": {"runs": [], "equal": [reached]}}
    spec = {"d": 4, "method": "rk4", "formulas": ["trace", "logdet", "rademacher1"]}
    jobs = [SimpleNamespace(folder=name, spec=spec, metrics=lambda _, name=name: name) for name in metrics]
    study = SimpleNamespace(jobs_of=lambda question, experiments: jobs, results=None)
    monkeypatch.setattr(derived, "read_metrics", lambda name: {"rows": metrics[name]})
    rows = derived.density_equal_cost(study, "density", {"experiments": []})
    found = {row["formula"]: row for row in rows}
    assert found["trace"]["ratio_by_wall_s"] == found["trace"]["work_ratio"] == 1
    logdet = found["logdet"]
    assert (logdet["work_ratio"], logdet["ratio_by_wall_s"], logdet["memory_ratio"]) == (3, 6, 2)
    assert found["rademacher1"]["reached_pct"] == 0
    assert "work_ratio" not in found["rademacher1"]


def test_isolated_costs_are_measured_anew_for_every_seed():
    spec = {
        "task": "density_cost.isolated",
        "seeds": [0, 1],
        "dimensions": [2, 4, 8, 16],
        "net": "fixed",
        "width": 8,
        "samples": 2,
        "repeats": 1,
    }
    found = isolated(Isolated(**spec), "cpu").rows
    assert [row["seed"] for row in found["crossovers"]] == [0, 1]
    counts = {(r["seed"], r["d"], r["part"]): r["flops"] for r in found["runs"]}
    assert len(counts) == len(found["runs"]) == 2 * 4 * 4
    assert all(counts[0, d, part] == counts[1, d, part] for _, d, part in counts)


def coarsely_trained(**changes):
    spec = {
        "task": "density_coarse.coarse", "seeds": [0], "target": {"kind": "gaussian", "parameters": {}}, "formula": "trace", "train_method": "euler", "coarse_steps": [2],
        "iterations": 3, "batch": 32, "learning_rate": 0.01, "width": 8, "samples": 50, "grid_points": 20, "eval_steps": 1,
    }  # fmt: skip
    return coarse(Coarse.model_validate(spec | changes), "cpu").rows["runs"][0]


def test_a_coarsely_trained_flow_is_judged_at_a_step_at_which_its_formulas_agree(monkeypatch):
    agreed = coarsely_trained()
    assert agreed["gap_nat"] <= 0.01
    assert agreed["refined_excess_nat"] == pytest.approx(agreed["refined_nll_nat"] - agreed["entropy_nat"])
    monkeypatch.setattr("odestudy.questions.density.coarse.GAP_LIMIT_NAT", 0.0)
    refused = coarsely_trained()
    assert "refined_nll_nat" not in refused
    assert "do not agree" in refused["message"]


def test_a_crossover_has_to_last():
    rows = [
        {"d": d, "part": part, "flops": cost}
        for d, costs in {2: (1, 2), 4: (3, 2), 8: (3, 4), 16: (3, 9)}.items()
        for part, cost in zip(("exact_trace", "elimination"), costs, strict=True)
    ]
    assert _crossover(rows, "flops") == 8
    assert _crossover([r for r in rows if r["d"] <= 4], "flops") is None


# --- maps out of reach
