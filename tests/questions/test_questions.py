"""What computes: parameter counts, paired arms, recovery, failures as rows, repeatability."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from odestudy.integrate import Counted, Solver, integrate, named_failure
from odestudy.runtime.job import run_job
from odestudy.runtime.outcome import NumericalFailure, Outcome
from odestudy.runtime.registry import find_task
from odestudy.study import load_study
from odestudy.systems.fields import FIELDS, field_of
from odestudy.systems.trajectories import grid_around, in_support, observe, reference, signal_to_noise_db


def small(root, question, **changes):
    """A specification of the smoke tier, made smaller still."""
    study = load_study(root, "smoke")
    job = next(j for j in study.jobs.values() if j.task == question)
    return job.spec | changes


def test_evaluations_are_counted_forward_and_backward_apart():
    f = Counted(nn.Linear(2, 2))
    f.f = Linear()
    t = torch.linspace(0, 1, 2)
    for gradient, backward in (("backprop", False), ("adjoint", True)):
        y = integrate(f, torch.ones(2, requires_grad=True), t, Solver(gradient=gradient))
        y.sum().backward()
        forward, back = f.take()
        assert forward > 0
        assert (back > 0) == backward
    assert f.take() == (0, 0)


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor([[-0.5, -1.0], [1.0, -0.5]]))

    def forward(self, t, y):
        return y @ self.a.T


class Explodes(nn.Module):
    def forward(self, t, y):
        return y**2 * 1e3


@pytest.mark.parametrize(
    ("solver", "status"),
    [(Solver(), "step_size_underflow"), (Solver(max_nfe=20), "max_steps")],
)
def test_a_solver_that_gives_up_is_a_named_failure(solver, status):
    with pytest.raises(Exception) as caught:  # noqa: PT011  (torchdiffeq tells failures by assertions)
        integrate(Counted(Explodes(), solver.max_nfe), torch.ones(2), torch.linspace(0, 1, 3), solver)
    failure = named_failure(caught.value)
    assert failure is not None
    assert failure.status == status


def test_a_bug_is_no_numerical_failure():
    assert named_failure(TypeError("x")) is None
    assert named_failure(AssertionError("t must be strictly increasing")) is None
    with pytest.raises(ValueError, match="max_steps"):
        NumericalFailure("unlucky", "x")


def test_an_unknown_library_or_gradient_is_refused():
    with pytest.raises(ValueError, match="torchdiffeq"):
        Solver(library="nothing")
    with pytest.raises(ValueError, match="backprop"):
        Solver(gradient="nothing")


def test_the_reference_trajectory_of_the_circle_is_the_circle():
    t = np.linspace(0, 31.45, 50)
    found = reference(
        field_of({"field": "linear", "parameters": {"matrix": [[0, -1], [1, 0]]}}), np.array([0.6, 0.3]), t
    )
    exact = np.stack([0.6 * np.cos(t) - 0.3 * np.sin(t), 0.6 * np.sin(t) + 0.3 * np.cos(t)], axis=1)
    assert np.abs(found - exact).max() < 1e-9


def test_the_gated_field_blends_two_linear_ones():
    field = FIELDS["gated"](a=[[1.0, 0], [0, 1.0]], b=[[0, 1.0], [1.0, 0]], centre=[0.0, 0.0])
    assert field(0.0, np.array([2.0, 4.0])) == pytest.approx([3.0, 3.0])  # the gate is 1/2 at centre 0


def test_unknown_fields_and_parameters_are_refused():
    with pytest.raises(ValueError, match="linear, cubic, gated"):
        field_of({"name": "x", "field": "quartic"})
    with pytest.raises(ValueError, match="do not fit"):
        field_of({"name": "x", "field": "linear", "parameters": {"matrices": []}})


CIRCLE = {"field": "linear", "parameters": {"matrix": [[0, -1], [1, 0]]}, "z0": [1.0, 0.0], "horizon": 20.0}


def test_noise_has_the_stated_size_and_the_signal_to_noise_ratio_follows():
    data = observe({"system": CIRCLE, "points": 4000, "noise": 0.1}, np.random.default_rng(0))
    assert (data.noisy - data.truth).std() == pytest.approx(0.1, rel=0.05)
    assert signal_to_noise_db(data.truth[0], data.noise) == pytest.approx(20 * np.log10(1 / (0.1 * 2**0.5)))


def test_the_support_is_where_the_data_are():
    line = np.stack([np.linspace(0, 1, 100), np.zeros(100)], axis=1)
    grid = grid_around(np.array([[0.0, -1.0], [1.0, 1.0]]), points=11)
    inside = in_support(grid, line, reach=0.1)
    assert inside[np.abs(grid[:, 1]) < 0.05].any()
    assert not inside[np.abs(grid[:, 1]) > 0.2].any()


def test_a_linear_system_is_recovered_from_noise_free_data(root):
    spec = small(root, "dynamics.recover", noise=0.0, iterations=600, points=200, seeds=[2])
    spec["system"] = {"name": "s", "field": "linear", "parameters": {"matrix": [[-0.1, -1], [1, -0.1]]},
                      "z0": [0.6, 0.3], "horizon": 15.0}  # fmt: skip
    spec["arm"] = {"name": "linear", "model": "linear"}
    row = find_task("dynamics.recover")(spec, "cpu").rows["runs"][0]
    assert row["status"] == "ok"
    assert row["field_error_pct"] < 10
    assert row["eigenvalue_error_pct"] < 10


def test_a_training_that_runs_out_of_evaluations_is_a_row_with_a_status_and_the_next_seed_goes_on(root):
    spec = small(root, "dynamics.recover", max_nfe=10, iterations=3, seeds=[0, 1])
    rows = find_task("dynamics.recover")(spec, "cpu").rows["runs"]
    assert [r["status"] for r in rows] == ["max_steps", "max_steps"]
    assert all(r["message"].startswith("iteration 0") for r in rows)


MEASURED = (
    "_s",
    "_us",
    "time_ratio",
    "peak_mib",
    "peak_growth",
    "wall_growth",
    "equal_time",
    "noisy",
    "because",
)


def without_measured(outcome):
    return {
        k: [{c: v for c, v in r.items() if not c.endswith(MEASURED)} for r in rows]
        for k, rows in outcome.rows.items()
    }


@pytest.mark.parametrize("task", ["dynamics.recover", "images_train.train"])
def test_the_same_specification_gives_the_same_metrics_bit_for_bit(root, task):
    spec = small(root, task, iterations=5) if task == "dynamics.recover" else small(root, task, epochs=1)
    one, other = (find_task(task)(dict(spec), "cpu") for _ in range(2))
    assert without_measured(one) == without_measured(other)
    for name, array in one.arrays.items():
        assert np.array_equal(array, other.arrays[name], equal_nan=array.dtype.kind == "f")


def test_the_columns_that_differ_from_run_to_run_are_marked_as_measured(root):
    for spec in load_study(root, "quick").questions.values():
        for column, about in spec["columns"].items():
            assert about.get("measured", False) == column.endswith(MEASURED), column


def test_memory_is_constant_in_steps_with_the_adjoint_and_linear_with_backpropagation(root):
    study = load_study(root, "smoke")
    saved = {}
    for job in study.jobs.values():
        if job.task == "images_cost.cost" and job.spec["arm"]["name"] in (
            "odenet_backprop",
            "odenet_adjoint",
        ):
            rows = find_task(job.task)(job.spec | {"steps": [4, 8, 16], "repeats": 1}, "cpu").rows["runs"]
            saved[job.spec["arm"]["gradient"]] = [r["saved_mib"] for r in rows[:3]]
    assert len(set(saved["adjoint"])) == 1
    first, second, third = saved["backprop"]
    assert third - second == pytest.approx(2 * (second - first), rel=1e-3)


def test_a_job_writes_metrics_with_provenance(root, tmp_path):
    spec = small(root, "images_sizes.sizes")
    content = run_job(spec, tmp_path / "metrics.json", code="abc", root=root)
    source = content["provenance"]
    assert {"versions", "commit", "clean", "device", "threads", "dtype", "wall_s", "process_peak_mib"} | {
        "cores", "memory_gib", "system", "blas"
    } <= set(source)  # fmt: skip
    assert {"pysindy", "zuko"} <= set(source["versions"])
    assert (tmp_path / "metrics.json").is_file()
    assert torch.get_num_threads() == spec["threads"]


def test_a_job_computes_with_the_deterministic_switches_on(root, tmp_path, monkeypatch):
    seen = {}

    def look(spec, device):
        seen["mode"] = torch.get_deterministic_debug_mode()
        seen["search"] = torch.backends.cudnn.benchmark
        seen["cublas"] = os.environ["CUBLAS_WORKSPACE_CONFIG"]
        return Outcome({"runs": []})

    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    monkeypatch.setattr("odestudy.runtime.job.find_task", lambda name: look)
    torch.set_deterministic_debug_mode("default")
    run_job(small(root, "images_sizes.sizes"), tmp_path / "metrics.json", code="abc", root=root)
    warn = 1  # torch's number for it
    assert seen == {"mode": warn, "search": False, "cublas": ":4096:8"}
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()


def test_what_a_task_draws_without_a_seed_of_its_own_is_the_same_in_every_run(root, tmp_path):
    study = load_study(root, "smoke")
    gaps = (job.spec for job in study.jobs.values() if job.task == "density_gap.linear")
    spec = next(gaps)
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(run_job(spec, tmp_path / f"{seed}/metrics.json", code="abc", root=root)["rows"])
    columns = study.questions["density"]["columns"]
    measured = {name for name, about in columns.items() if about.get("measured")}
    one, other = (
        [{c: v for c, v in row.items() if c not in measured} for row in rows["runs"]] for rows in found
    )
    assert one == other


def test_an_unknown_task_names_the_known_ones():
    with pytest.raises(Exception, match="recover"):
        find_task("dynamics.nothing")


# What takes longer to import than a small job does to run.
SLOW = {"matplotlib", "pandas", "scipy.stats", "sklearn", "statsmodels", "torch._dynamo", "torchvision"}


@pytest.mark.parametrize("module", ["dynamics", "images_train"])
def test_a_job_starts_without_what_it_need_not_wait_for(module):
    code = (
        "import sys; from odestudy.runtime.job import find_task; from odestudy.runtime import store, provenance; from odestudy.measure import device, memory;"
        f"find_task('{module}.' + {{'dynamics': 'recover', 'images_train': 'train'}}['{module}']);"
        "from odestudy.datasets.images import load_images;"
        f"'{module}' == 'images_train' and load_images('digits', train_size=None);"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded
    assert not SLOW & loaded
