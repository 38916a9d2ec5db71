"""`odestudy density FIT.csv`: what is refused, and what is written."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from odestudy.cli.main import main
from odestudy.errors import DataError
from odestudy.points.fit import FitSettings, fit_points
from odestudy.points.read import read_points

QUICK = ["--iterations", "20", "--width", "8", "--grid-points", "30", "--samples", "50"]


def table(n=200, d=2, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, d)) * 3 + 5
    return pd.DataFrame(values, columns=[f"x{i + 1}" for i in range(d)])


def written(tmp_path, frame):
    path = tmp_path / "points.csv"
    frame.to_csv(path, index=False)
    return path


def test_points_are_read_in_the_order_of_their_names(tmp_path):
    frame = table()
    found = read_points(written(tmp_path, frame[["x2", "x1"]]))
    np.testing.assert_allclose(found, frame[["x1", "x2"]].to_numpy())


def test_missing_values_are_refused_with_their_rows(tmp_path):
    frame = table().astype(object)
    frame.loc[6, "x1"], frame.loc[41, "x2"], frame.loc[99, "x2"] = np.nan, "n/a", "inf"
    with pytest.raises(DataError, match=r"3 of 200 rows .* rows 7, 42, 100; remove"):
        read_points(written(tmp_path, frame))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (table(60), "60 rows; a density in 2 dimensions wants at least 100"),
        (table(500, 30), "500 rows; a density in 30 dimensions wants at least 600"),
        (table(200, 65), "d at most 64"),
        (table().rename(columns={"x2": "y"}), "columns x1, y; wanted: x1, x2"),
        (table().assign(x3=1.0), "constant column x3"),
    ],
)
def test_points_without_a_density_are_refused(tmp_path, frame, words):
    with pytest.raises(DataError, match=words):
        read_points(written(tmp_path, frame))


def test_a_file_that_is_not_there_is_one_line_and_exit_code_two(tmp_path, capsys):
    assert main(["density", str(tmp_path / "nothing.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("d", [1, 2, 3, 9])
def test_the_command_writes_density_samples_certificate_and_pictures(tmp_path, capsys, monkeypatch, d):
    monkeypatch.setattr("odestudy.points.figures.FRAMES", 2)
    monkeypatch.setattr("odestudy.points.figures.LAST_FRAMES", 1)
    frame = table(240, d)
    assert main(["density", str(written(tmp_path, frame)), *QUICK]) == 0
    assert "trace and log-determinant agree" in capsys.readouterr().out
    folder = tmp_path / "points_density"
    names = {path.name for path in folder.iterdir()}
    wanted = {
        "density.csv",
        "samples.csv",
        "certificate.json",
        "flow.pt",
        "density.svg",
        "density.png",
        "report.html",
    }
    assert wanted <= names
    assert ("grid.csv" in names) == (d <= 2)
    assert ("flow.gif" in names) == (d in (2, 3))
    density = pd.read_csv(folder / "density.csv")
    np.testing.assert_allclose(density[list(frame)], frame)
    assert set(density["part"]) == {"train", "validation", "test"}
    assert len(pd.read_csv(folder / "samples.csv")) == 50
    found = json.loads((folder / "certificate.json").read_text())
    assert {check["name"] for check in found["checks"]} >= {"no step folds", "a round trip returns"}
    assert found["numbers"]["mass"] == pytest.approx(1.0, abs=0.1)
    if d <= 2:
        assert found["numbers"]["integral"] == pytest.approx(1.0, abs=0.05)


def test_density_and_samples_are_in_the_units_of_the_data():
    values = table(400).to_numpy() * [1.0, 10.0]
    fitted = fit_points(values, FitSettings(iterations=150, width=16, batch=64, learning_rate=0.02))
    drawn = fitted.density.sample(2000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.std(0), values.std(axis=0), rtol=0.2)
    expected = torch.distributions.Normal(*(torch.tensor(f(axis=0)) for f in (values.mean, values.std)))
    gap = fitted.density.log_prob(fitted.test) - expected.log_prob(fitted.test).sum(1)
    assert abs(float(gap.mean())) < 0.3


def test_a_fit_is_the_same_twice_and_keeps_the_best_look_at_the_validation_points():
    values = table(300).to_numpy()
    settings = FitSettings(iterations=30, width=8)
    first, second = (fit_points(values, settings) for _ in range(2))
    assert first.parts == second.parts
    torch.testing.assert_close(first.density.log_prob(first.test), second.density.log_prob(second.test))
    assert 0 < first.best_iteration <= 30
