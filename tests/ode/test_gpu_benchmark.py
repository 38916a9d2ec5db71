"""benchmarks/on_gpu.py where there is no GPU: all but the graph itself is as there."""

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    threads = torch.get_num_threads()
    yield importlib.import_module("on_gpu")
    torch.set_num_threads(threads)


def rows_of(on_gpu: Any, csv: Path) -> pd.DataFrame:
    on_gpu.main(
        [
            "--csv",
            str(csv),
            "--device",
            "cpu",
            "--workloads",
            "mlp1",
            "--repeats",
            "2",
            "--budget",
            "2",
            "--graphed",
        ]
    )
    return pd.read_csv(csv).set_index(["steps", "contender"])


def test_every_step_is_measured_with_the_gradient_of_torchdiffeq(
    on_gpu: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs: list[Any] = []

    def graphed(module: torch.nn.Module, arguments: tuple[torch.Tensor, ...]) -> torch.nn.Module:
        graphs.append((module(*arguments).shape, arguments[0].shape))
        return module

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", graphed)
    rows = rows_of(on_gpu, tmp_path / "rows.csv")
    assert graphs == [((41, 1, 2), (1, 2))]
    assert set(rows.index) == {
        ("adaptive", "torchdiffeq"),
        ("adaptive", "ours"),
        ("adaptive", "floor"),
        ("grid", "torchdiffeq"),
        ("grid", "ours"),
        ("grid", "ours, graphed"),
        ("grid", "floor"),
    }
    assert (rows["gradient_difference"].dropna() < 1e-3).all()
    assert rows.loc[("grid", "ours, graphed"), "gradient_difference"] < 1e-5
    assert (rows["median_ms"] > 0).all()
    assert rows.loc[("grid", "floor"), "nfe"] == 160


def test_what_the_device_cannot_do_is_left_out_with_its_reason(
    on_gpu: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: Any) -> Any:
        raise RuntimeError("no graphs here")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", refused)
    rows = rows_of(on_gpu, tmp_path / "rows.csv")
    assert ("grid", "ours, graphed") not in rows.index
    assert ("grid", "ours") in rows.index
    assert "mlp1: ours, graphed is left out: no graphs here" in capsys.readouterr().out
