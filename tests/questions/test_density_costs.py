"""What the formulas of a density cost, and where one overtakes the other."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from odestudy.densities.operations import lu_flops
from odestudy.densities.transport import Grid
from odestudy.densities.work import counted_flops, step_flops, step_vjps
from odestudy.measure.memory import kept_for_backward_mib
from odestudy.questions.density import at_cost
from odestudy.questions.density.coarse import coarse
from odestudy.questions.density.gap import _largest, _slopes
from odestudy.questions.density.params import Coarse, Steep, Ways
from odestudy.questions.density.steep import steep
from odestudy.questions.density.ways import flops_of, least_d, ways
from odestudy.study import load_study
from odestudy.study.planned import expected_seeds
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


WAYS = (
    "diagonal", "elimination", "trace", "structured_trace", "rademacher1", "logdet", "structured_logdet", "logdet_by_d",
    "logdet_by_w",
)  # fmt: skip


def curve(errors, method="rk4", formula="structured_trace", step_us=1.0):
    return [
        {"target": "ring", "scale": 1.0, "seed": 0, "precision": "float64", "job": "j", "method": method, "formula": formula,
         "steps": 2**k, "time_us": step_us * 2**k, "error_nat": error}
        for k, error in enumerate(errors)
    ]  # fmt: skip


def compared(monkeypatch, rule, runs):
    monkeypatch.setattr(at_cost, "_timed_runs", lambda *_: pd.DataFrame(runs))
    return rule(None, "density", {})


def test_at_an_equal_error_both_formulas_have_the_time_of_the_steps_that_they_need(monkeypatch):
    runs = curve([0.16, 0.04, 0.01, 0.0025]) + curve(
        [0.32, 0.08, 0.02, 0.005], formula="structured_logdet", step_us=3.0
    )
    rows = compared(monkeypatch, at_cost.time_to_error, runs)
    (row,) = [r for r in rows if r["method"] == "rk4" and r["level"] == 0.01]
    assert row["steps_trace"] == pytest.approx(4)
    assert row["steps_logdet"] == pytest.approx(4 * 2**0.5)
    assert row["time_ratio"] == pytest.approx(3 * 2**0.5)
    (beyond,) = [r for r in rows if r["method"] == "rk4" and r["level"] == 0.0001]
    assert beyond["time_ratio"] is None


def test_a_run_that_is_worse_than_a_quicker_one_counts_nowhere(monkeypatch):
    runs = curve([0.1, 5.0, 0.001]) + curve([0.1, 0.02, 0.001], formula="structured_logdet")
    rows = compared(monkeypatch, at_cost.error_at_time, runs)
    assert [row["time_us"] for row in rows if row["method"] == "rk4"] == [1, 4]


def test_in_an_equal_time_the_dearer_formula_has_the_larger_step(monkeypatch):
    runs = curve([0.16, 0.04, 0.01, 0.0025]) + curve(
        [0.16, 0.04, 0.01, 0.0025], formula="structured_logdet", step_us=2.0
    )
    rows = compared(monkeypatch, at_cost.error_at_time, runs)
    (row,) = [r for r in rows if r["method"] == "rk4" and r["step"] == 0.25]
    assert row["error_ratio"] == pytest.approx(1)
    assert row["error_ratio_at_time"] == pytest.approx(4)


def few_ways(**changes):
    spec = {
        "task": "density_ways.ways", "seeds": [0, 1], "method": "euler", "dimensions": [2, 4, 8, 16], "widths": [8],
        "ways": ["trace", "structured_trace", "logdet_by_d", "logdet_by_w"], "samples": 2, "most_flops": 1.0e9, "repeats": 1,
    }  # fmt: skip
    return ways(Ways.model_validate(spec | changes), "cpu").rows


def test_costs_are_measured_anew_for_every_seed_and_their_operations_are_the_same():
    found = few_ways()
    counts = {(r["seed"], r["d"], r["way"]): r["flops"] for r in found["runs"]}
    assert len(counts) == len(found["runs"]) == 2 * 4 * 4
    assert all(counts[0, d, way] == counts[1, d, way] for _, d, way in counts)
    assert all(row["wall_s"] > 0 for row in found["runs"])
    assert {row["crossing"] for row in found["crossovers"]} == {"width_decides"}


def test_what_takes_too_long_is_counted_and_not_run():
    rows = few_ways(most_flops=2000.0)["runs"]
    assert {"wall_s" in row for row in rows} == {True, False}
    assert all(("wall_s" in row) == (2 * row["flops"] <= 2000) for row in rows)


def test_a_training_step_takes_longer_than_its_forward_pass():
    forward, training = (
        sum(r["wall_s"] for r in few_ways(gradient=gradient, dimensions=[32], repeats=5)["runs"])
        for gradient in (False, True)
    )
    assert training > forward


def test_every_way_is_counted():
    stepper = Grid("rk4", 1).stepper
    assert all(flops_of(way, (4, 8, 8), stepper, 2) > 0 for way in WAYS)
    with pytest.raises(ValueError, match="not counted"):
        flops_of("gaussian1", (4, 8, 8), stepper, 2)


def test_a_faster_field_is_steeper_in_proportion():
    spec = {
        "task": "density_steep.steep", "seeds": [0], "target": {"kind": "gaussian"}, "scales": [1.0, 1.25],
        "formulas": ["structured_trace", "structured_logdet"], "samples": 8, "methods": {"rk4": 3}, "precisions": ["float64"],
        "width": 8, "train_method": "rk4", "train_steps": 1, "iterations": 3, "batch": 16, "learning_rate": 0.01,
    }  # fmt: skip
    found = steep(Steep.model_validate(spec), "cpu").rows
    slow, fast = (row["lipschitz"] for row in found["flows"])
    assert 1.1 < fast / slow < 1.4
    errors = [
        r["error_nat"] for r in found["runs"] if (r["scale"], r["formula"]) == (1.0, "structured_logdet")
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 100


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
        {"d": d, "way": way, "flops": cost}
        for d, costs in {2: (1, 2), 4: (3, 2), 8: (3, 4), 16: (3, 9)}.items()
        for way, cost in zip(("one", "other"), costs, strict=True)
    ]
    assert least_d(rows, "one", "other", "flops") == 8
    assert least_d(rows[:4], "one", "other", "flops") is None


# --- maps out of reach


def test_no_row_of_errors_in_time_waits_for_the_seed_of_the_timing(root):
    study = load_study(root, "quick")
    steep = {seed for job in study.jobs_by["density", "steep"] for seed in job.spec["seeds"]}
    for claim in study.claims:
        if claim["id"] in ("C20p", "C20q"):
            assert expected_seeds(claim["estimand"]["where"], claim["estimand"], study) == steep
