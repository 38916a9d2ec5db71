"""Unstable, badly conditioned and fast systems."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from odestudy.integrate import Solver, integrate
from odestudy.questions.dynamics import conditioning, fast_modes, recover, unstable
from odestudy.recovery import reachable_step
from odestudy.recovery.learning import make_model
from odestudy.recovery.units import units_of
from odestudy.systems.trajectories import observe
from tests.recovery import spec, typed


def test_the_crash_needs_the_adjoint_its_default_norm_and_a_loss_that_is_not_normalised():
    wanted = {
        "problem": {"name": "unstable", "form": "rotation", "power": 1, "rates": [1.0]}, "library": "torchdiffeq",
        "method": "dopri5", "rtol": 1e-7, "atol": 1e-9, "max_nfe": 20_000, "points": 6, "offset": 0.05,
        "gradients": ["backprop", "adjoint", "adjoint_seminorm"], "losses": ["mean_square", "normalised"],
        "precisions": ["float64"], "horizons": [25.0], "seeds": [0],
    }  # fmt: skip
    outcome = unstable.gradients(typed("dynamics_unstable.gradients", wanted), "cpu")
    ends = {(c["gradient"], c["loss"]): c["status"] for c in outcome.rows["cells"]}
    assert ends.pop(("adjoint", "mean_square")) == "step_size_underflow"
    assert set(ends.values()) == {"ok"}
    assert all(c["gradient_error"] < 1e-3 for c in outcome.rows["cells"] if c["status"] == "ok")
    shares = {(r["factor"], r["level"]): r for r in outcome.rows["runs"]}
    assert shares["all", "all"]["cells"] == 6
    assert shares["all", "all"]["crash_pct"] == pytest.approx(100 / 6)
    combinations = {level: r["crash_pct"] for (factor, level), r in shares.items() if factor == "combination"}
    assert combinations.pop("adjoint, mean_square") == 100
    assert set(combinations.values()) == {0}
    assert len(combinations) == 5
    assert shares["horizon", "25.0"]["cells"] == 1  # of the poster's combination alone


def test_what_overflows_is_counted_apart_from_the_underflow():
    point = {"gradient": "adjoint", "loss": "mean_square", "precision": "float32", "rate": 1.0}
    ends = ["step_size_underflow", "ok", "non_finite", "non_finite"]
    cells = [point | {"status": s, "horizon": float(h)} for h, s in enumerate(ends)]
    found = {(r["factor"], r["level"]): r for r in unstable._shares(cells)}
    assert found["all", "all"]["crash_pct"] == 25
    assert found["all", "all"]["crash_finite_pct"] == 50
    assert found["horizon", "3.0"]["crash_finite_pct"] is None


def test_each_seed_draws_a_matrix_and_shares_of_its_own():
    wanted = {
        "problem": {"name": "cubic", "form": "rotation", "power": 3, "rates": [0.5], "losses": ["mean_square"]},
        "library": "odestudy", "method": "dopri5", "rtol": 1e-6, "atol": 1e-8, "max_nfe": 20_000, "points": 4,
        "offset": 0.01, "gradients": ["backprop"], "losses": ["mean_square", "normalised"],
        "precisions": ["float32", "float64"], "horizons": [0.1], "seeds": [3, 4],
    }  # fmt: skip
    rows = unstable.gradients(typed("dynamics_unstable.gradients", wanted), "cpu").rows
    assert [(c["seed"], c["precision"]) for c in rows["cells"]] == [
        (3, "float32"), (3, "float64"), (4, "float32"), (4, "float64"),
    ]  # fmt: skip
    shares = [(r["seed"], r["precision"]) for r in rows["runs"] if r["factor"] == "all"]
    assert shares == [(3, "float32"), (3, "float64"), (4, "float32"), (4, "float64")]


def test_the_control_truly_blows_up_whatever_the_gradient():
    wanted = {
        "problem": {"name": "cubic", "form": "rotation", "power": 3, "rates": [0.5]}, "library": "odestudy",
        "method": "dopri5", "rtol": 1e-6, "atol": 1e-8, "max_nfe": 20_000, "points": 4, "offset": 0.01,
        "gradients": ["backprop", "adjoint_seminorm"], "losses": ["mean_square"], "precisions": ["float64"],
        "horizons": [25.0], "seeds": [0],
    }  # fmt: skip
    cells = unstable.gradients(typed("dynamics_unstable.gradients", wanted), "cpu").rows["cells"]
    assert all(cell["status"] in ("step_size_underflow", "non_finite") for cell in cells)


def test_the_gradient_of_a_fast_rate_is_the_closed_forms():
    wanted = {
        "method": "dopri5", "rtol": 1e-9, "atol": 1e-12, "max_nfe": 100_000, "points": 11, "horizon": 1.0,
        "offset": 0.1, "ks": [1.0, 10.0], "seeds": [0],
    }  # fmt: skip
    rows = fast_modes.fast_modes(typed("dynamics_conditioning.fast_modes", wanted), "cpu").rows["runs"]
    assert all(row["gradient_error"] < 1e-5 for row in rows)
    assert rows[1]["exact_gradient"] < rows[0]["exact_gradient"]


@pytest.mark.parametrize("kind", ["stiff", "eigenvectors", "data"])
def test_each_kind_of_bad_conditioning_spoils_one_number_alone(kind):
    numbers = {}
    for k in (2.0, 200.0):
        matrix, z0 = conditioning.KINDS[kind](k)
        system = {
            "field": "linear",
            "parameters": {"matrix": matrix.tolist()},
            "z0": z0.tolist(),
            "horizon": 5.0,
        }
        # Random starts would add what a single trajectory lacks; `data` is about a single one.
        data = observe(spec(system=system, points=400, trajectories=1), np.random.default_rng(0))
        numbers[k] = conditioning._conditions(matrix, data)
    grows = {name for name in numbers[2.0] if numbers[200.0][name] > 10 * numbers[2.0][name]}
    wanted = {"stiff": "stiffness", "eigenvectors": "eigenvector_condition", "data": "data_condition"}[kind]
    assert wanted in grows
    assert not grows & ({"stiffness", "eigenvector_condition"} - {wanted})


def test_longer_steps_have_room_for_the_way_that_the_matrix_must_go():
    matrix, z0 = conditioning.KINDS["stiff"](50.0)
    system = {"field": "linear", "parameters": {"matrix": matrix.tolist()}, "z0": z0.tolist(), "horizon": 5.0}
    of = spec(system=system, scaled=True, schedule="cosine", room=10.0, learning_rate=0.1)
    data = [observe(of, np.random.default_rng(seed)) for seed in of["seeds"]]
    ways = reachable_step.needed(of, data, matrix, "cpu")
    starts = [make_model(of, 2, seed, "cpu").a.detach().numpy() for seed in of["seeds"]]
    units = units_of(of, data)
    for way, start in zip(ways, starts, strict=True):
        in_units = np.diag(1 / units.scale) @ matrix @ np.diag(units.scale)
        assert way == pytest.approx(np.abs(in_units - start).max())
    longer = reachable_step.with_room(of, max(ways))
    assert reachable_step.possible(of) == pytest.approx(0.1 * (of["iterations"] + 1) / 2)
    assert reachable_step.possible(longer) == pytest.approx(10 * max(ways))
    assert longer["start_rate"] == of["learning_rate"] == reachable_step.with_room(of, 1e-3)["learning_rate"]


def test_what_fails_for_lack_of_travel_is_learnt_by_longer_steps():
    wanted = spec(
        problem={"kind": "stiff", "trajectories": 4, "times": "regular"}, ks=[10.0], horizon=5.0, room=10.0,
        learning_rate=0.1, iterations=200, schedule="cosine", shooting="multiple", loss="normalised", seeds=[0],
        points=200, piece_points=8,
    )  # fmt: skip
    rows = {
        row["arm"]: row
        for row in conditioning.linear(typed("dynamics_conditioning.linear", wanted), "cpu").rows["runs"]
    }
    assert rows["units"]["travel_needed"] > rows["units"]["travel_possible"]
    assert rows["reach"]["travel_needed"] < rows["reach"]["travel_possible"]
    assert rows["reach"]["field_error_pct"] < rows["units"]["field_error_pct"] / 4
    assert "travel_needed" not in rows["true_form"]


@pytest.mark.parametrize(("dtype", "fine"), [(torch.float32, False), (torch.float64, True)])
def test_a_saddles_late_window_has_no_first_step_in_single_precision(dtype, fine):
    """The slope of the small component over its tolerance, squared, exceeds what single precision can hold."""
    start = torch.tensor([1.3e11, -1.5e-2], dtype=dtype)
    model = unstable.MatrixDynamics(torch.tensor([[0.8, 0.1], [-1.1, -0.5]], dtype=dtype), 1)
    slope = model(start.new_zeros(()), start)[1].abs() / (1e-9 + 1e-7 * start[1].abs())
    assert bool(torch.isfinite(slope.square())) is fine
    solver = Solver("torchdiffeq", "dopri5", 1e-7, 1e-9, gradient="adjoint_seminorm")
    t = torch.linspace(0, 1, 5, dtype=dtype)
    if fine:
        assert torch.isfinite(integrate(model, start, t, solver)).all()
        return
    with pytest.raises(AssertionError, match=r"underflow in dt 0\.0"):
        integrate(model, start, t, solver)


def test_a_training_says_in_which_step_and_pass_it_ended():
    saddle = {
        "name": "saddle",
        "field": "linear",
        "parameters": {"matrix": [[1.0, 0.0], [0.0, -1.0]]},
        "z0": [0.6, 0.3],
    }
    wanted = spec(
        system=saddle | {"horizon": 31.45}, dtype="float32", points=200, rtol=1e-7, atol=1e-9, library="torchdiffeq",
        window_max=5.0, window_points=32, learning_rate=0.01, iterations=10,
    )  # fmt: skip
    ends = {}
    for gradient in ("adjoint", "adjoint_seminorm"):
        (row,) = recover.recover(
            typed("dynamics.recover", wanted | {"gradient": gradient, "seeds": [0]}), "cpu"
        ).rows["runs"]
        assert row["status"] == "step_size_underflow"
        assert row["message"].startswith(f"iteration {row['failed_step']}: ")
        ends[gradient] = row["failed_in"]
    assert ends == {"adjoint": "backward", "adjoint_seminorm": "forward"}
