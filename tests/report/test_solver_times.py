"""The benchmark of solvers: it runs, and what the page shows is what its CSV says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from odestudy.analysis.csvs import read_csv
from odestudy.report.solver_times import SolverTimes, page_of, write_page
from odestudy.report.step_times import GRAPHS

CSV, PAGE = Path("benchmarks/results/solvers-2cores.csv"), Path("benchmarks/README.md")
ABOUT: dict[str, Any] = {
    "date": "2000-01-01", "device": "a machine", "cores": 2, "threads": 1, "versions": {"torch": "0"},
    "missing": {"torchdyn": "ImportError: none"}, "profiles": [], "load": [0.0, 0.0, 0.0],
}  # fmt: skip


def times(**median_ms: float) -> SolverTimes:
    """A run on the small MLP at batch 1; `_` stands for ", " in a contender's name."""
    names = {name.replace("_", ", "): ms for name, ms in median_ms.items()}
    rows = [
        {
            "workload": "mlp1", "contender": name, "kind": "", "median_ms": ms, "q1_ms": ms, "q3_ms": ms, "nfe": 26,
            "nfe_backward": 0, "to_floor": 1.0, "speedup": 1.0, "first_s": 0.1,
            "gradient_error": 2e-5 if "quadrature" in name else 1e-5,
        }
        for name, ms in names.items()
    ]  # fmt: skip
    return SolverTimes(pd.DataFrame(rows), ABOUT)


def goal(text: str, *words: str) -> str:
    """The one line of a table that has all these words."""
    (line,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return line


def test_goals_are_reached_missed_or_not_measured() -> None:
    text = times(torchdiffeq=6.0, ours=2.0, **{"ours_compiled": 1.0}).goals()
    assert "| 3 × | reached |" in goal(text, "batch 1: ours |", "torchdiffeq")
    assert "| 6 × | missed: 17 % too slow |" in goal(text, "batch 1: ours, compiled", "torchdiffeq")
    assert "| not measured |" in goal(text, "batch 256: ours |", "torchdiffeq")


def test_what_a_missed_goal_leaves_for_the_solver_is_said() -> None:
    text = times(torchdiffeq=6.0, ours=3.0, floor=1.5, **{"ours_compiled": 1.25}).room()
    assert "| 2 ms | 1.50 ms | 0.500 ms | 1.50 ms |" in goal(text, "batch 1: ours, against torchdiffeq")
    assert "| none: less than these take |" in goal(text, "batch 1: ours, compiled", "torchdiffeq")
    assert "diffrax" not in text


def test_only_gradients_as_good_count_where_the_error_must_be_equal() -> None:
    found = times(**{"torchdiffeq_adjoint": 100.0, "ours_quadrature": 1.0, "ours_checkpointed": 5.0}).goals()
    assert "| 20 × | reached |" in goal(found, "memory-saving")


def test_the_page_shows_what_its_csv_says(tmp_path: Path) -> None:
    csv, page = tmp_path / "run.csv", tmp_path / "page.md"
    times(torchdiffeq=6.0, ours=2.125).rows.to_csv(csv, index=False)
    csv.with_suffix(".json").write_text(json.dumps(ABOUT))
    write_page(csv, page)
    assert "| 2.12 |" in page.read_text()
    assert "Missing: torchdyn (ImportError: none)" in page.read_text()


def test_the_page_is_that_of_the_published_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert PAGE.read_text(encoding="utf-8") == page_of(CSV, PAGE)


def test_the_benchmark_runs_on_one_workload(root: Path, tmp_path: Path) -> None:
    script, csv = root / "benchmarks" / "solvers.py", tmp_path / "run.csv"
    what = ["--workloads", "mlp1", "--repeats", "2", "--contenders", "torchdiffeq;ours;ours, checkpointed"]
    subprocess.run([sys.executable, script, *what, "--device", "cpu", "--csv", csv], check=True, timeout=240)
    rows = read_csv(csv).set_index("contender")
    assert set(rows.index) == {"floor", "torchdiffeq", "ours", "ours, checkpointed"}
    assert (rows["median_ms"] > 0).all()
    assert rows.loc["ours", "to_floor"] == pytest.approx(
        rows.loc["ours", "median_ms"] / rows.loc["floor", "median_ms"], rel=1e-4
    )
    assert (rows["gradient_error"].dropna() < 1e-3).all()
    assert "ours" in page_of(csv, tmp_path / "page.md")


def test_a_step_at_mnists_size_stands_on_the_page_where_it_was_measured(tmp_path: Path) -> None:
    csv = tmp_path / "solvers-x.csv"
    times(torchdiffeq=6.0, ours=2.125).rows.to_csv(csv, index=False)
    csv.with_suffix(".json").write_text(json.dumps(ABOUT))
    assert "MNIST" not in page_of(csv, tmp_path / "page.md")
    rows = [("ResNet 6", 100.0, None, 1.0), ("ODE-Net, back-propagation", 340.0, 32, 3.4)]
    steps = pd.DataFrame(rows, columns=["arm", "median_ms", "nfe", "to_resnet6"])
    steps = steps.assign(q1_ms=steps["median_ms"], q3_ms=steps["median_ms"], nfe_backward=0)
    steps.to_csv(tmp_path / "mnist-step-x.csv", index=False)
    page = page_of(csv, tmp_path / "page.md")
    assert "2.6 times the step of ResNet 6: missed by a fresh net, 3.40." in page
    again = steps.iloc[[1]].assign(arm="ODE-Net, back-propagation, after 100 steps", nfe=26, to_resnet6=2.5)
    pd.concat([steps, again]).to_csv(tmp_path / "mnist-step-x.csv", index=False)
    page = page_of(csv, tmp_path / "page.md")
    assert (
        "missed by a fresh net, 3.40; reached after 100 steps of training, with 26 evaluations, 2.500."
        in page
    )
    steps.to_csv(tmp_path / "mnist-step-x.csv", index=False)
    assert "| ODE-Net, back-propagation | 340 | 32 | 3.40 |" in page
    assert "On the GPU" not in page
    steps.assign(median_ms=7.0, q1_ms=6.0, q3_ms=8.0).to_csv(tmp_path / "mnist-step-8cores.csv", index=False)
    graphs = steps.assign(median_ms=9.0, q1_ms=8.0, q3_ms=10.0)
    graphs.loc[1, "arm"] = GRAPHS
    graphs.to_csv(tmp_path / "mnist-step-h200.csv", index=False)
    page = page_of(csv, tmp_path / "page.md")
    assert "On the GPU H200" in page
    assert f"| {GRAPHS} | 9 [8, 10] " in page
    assert "7 [6, 8]" not in page
    assert (
        "20 epochs of the ODE-Net in under 90 s alone on a GPU: reached on the H200, 77.4 s by the fastest of our steps"
        in page
    )
    assert "times 430 steps an epoch" in page
    assert page.count("The goal, our ODE-Net") == 1
    assert "to make these steps faster" not in page
    tried = steps.assign(
        variant=["as it is", "channels-last"],
        over_plain=[1.0, 1.25],
        logits_moved=[0.0, 0.002],
        processor="Some CPU",
    )
    tried.to_csv(tmp_path / "mnist-variants-x.csv", index=False)
    page = page_of(csv, tmp_path / "page.md")
    assert "each apart, on Some CPU:" in page
    assert "| ODE-Net, back-propagation | channels-last | 340 | 32 | 1.25 | 0.20 |" in page
    assert "were not measured" in page
    trained = pd.DataFrame(
        {
            "arm": "ResNet 6",
            "seed": range(5),
            "epochs": 20,
            "plain_pct": 1.0,
            "bfloat16_pct": [1.0, 1.5, 2.0, 1.5, 1.5],
        }
    )
    trained.to_csv(tmp_path / "mnist-bfloat16-x.csv", index=False)
    page = page_of(csv, tmp_path / "page.md")
    assert "After 20 epochs on the embedded digits (5 seeds, intervals of 95 %)" in page
    assert "change the test error by 0.500 [0.0610, 0.939] points (ResNet 6)" in page
