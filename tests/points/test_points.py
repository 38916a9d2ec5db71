"""`odestudy density FILE.csv`: what is refused, and what is written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from odestudy.cli.main import main
from odestudy.errors import DataError
from odestudy.points.certificate import certificate
from odestudy.points.fit import FitSettings, fit_points
from odestudy.points.read import read_points
from odestudy.points.report import answer
from odestudy.userdata.progress import Progress

QUICK = ["--iterations", "20", "--width", "8", "--grid-points", "30", "--samples", "50"]


@pytest.fixture(autouse=True)
def _few_frames(monkeypatch):
    """Drawing the moving picture would take most of the time."""
    monkeypatch.setattr("odestudy.points.figures.FRAMES", 2)
    monkeypatch.setattr("odestudy.points.figures.LAST_FRAMES", 1)


def table(n=200, d=2, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, d)) * 3 + 5
    return pd.DataFrame(values, columns=[f"x{i + 1}" for i in range(d)])


def written(tmp_path, frame):
    path = tmp_path / "points.csv"
    frame.to_csv(path, index=False)
    return path


def test_points_are_read_in_the_order_of_their_names(tmp_path):
    frame = table(300, 11)
    found = read_points(written(tmp_path, frame[frame.columns[::-1]]))
    assert [column.header for column in found.columns] == list(frame)
    np.testing.assert_allclose(found.values, frame)


def test_missing_values_are_refused_with_their_lines(tmp_path):
    frame = table().astype(object)
    frame.loc[6, "x1"], frame.loc[41, "x1"] = np.nan, "n/a"
    with pytest.raises(DataError, match=r"lines 8, 43: x1 is missing"):
        read_points(written(tmp_path, frame))


TWICE = table().assign(x3=lambda f: 2 * f.x1 - f.x2)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (table(60), "60 rows; a density in 2 dimensions wants at least 100"),
        (table(500, 30), "500 rows; a density in 30 dimensions wants at least 600"),
        (table(200, 65), "65 columns; allowed: at most 64"),
        (table().assign(x3=1.0), "constant column x3"),
        (table().assign(x3=14.62), "constant column x3"),
        (TWICE, "x3 = 2 x1 - x2, up to a constant"),
        (TWICE * [1.0, 1e6, 1e-6] + 7, "x3 = 2e-06 x1 - 1e-12 x2, up to a constant"),
        (pd.concat([table(80)] * 3), "80 distinct rows"),
        (table().assign(x3=np.arange(200) % 4), "x3 has 4 distinct values"),
        (table().assign(x3=lambda f: f.x1.clip(lower=6)), "x3 has .* distinct values, 6 in"),
        (table().rename(columns={"x2": "density"}), "rename"),
    ],
)
def test_points_without_a_density_are_refused(tmp_path, frame, words):
    with pytest.raises(DataError, match=words):
        read_points(written(tmp_path, frame))


def test_what_flatters_or_spoils_a_density_is_told_with_lines_and_columns(tmp_path):
    frame = table(400)
    frame.loc[7, "x1"] = 1e6
    frame.loc[[20, 21], :] = frame.loc[[19, 19], :].to_numpy()
    frame["x3"] = frame["x2"] + 0.005 * np.random.default_rng(1).normal(size=400)
    frame["x4"] = np.round(frame["x2"] / 2) + np.arange(400) % 7
    found = read_points(written(tmp_path, frame))
    notes = "\n".join(found.notes)
    assert "line 9: left out: x1 is 1e+06" in notes
    assert "x3 = " in notes
    assert "nearly lie in a plane" in notes
    assert "x4 has" in notes
    assert (len(found.values), len(found.every)) == (399, 400)
    repeated = table(400)
    repeated.loc[[20, 21], :] = repeated.loc[[19, 19], :].to_numpy()
    notes = read_points(written(tmp_path, repeated)).notes
    assert "3 of 400 rows are not unique (lines 21, 22, 23 are alike)" in notes[0]


def test_heavy_tails_are_told_and_not_left_out(tmp_path):
    values = np.random.default_rng(0).standard_t(0.5, size=(400, 1))
    found = read_points(written(tmp_path, pd.DataFrame(values, columns=["x"])))
    assert len(found.values) == 400
    assert "heavy" in found.notes[0]


def test_a_file_that_is_not_there_is_one_line_and_exit_code_two(tmp_path, capsys):
    assert main(["density", str(tmp_path / "nothing.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("d", [1, 2, 3, 9])
def test_the_command_writes_density_samples_certificate_and_pictures(tmp_path, capsys, d):
    frame = table(240, d)
    assert main(["density", str(written(tmp_path, frame)), *QUICK]) == 0
    assert "trace and log-determinant agree" in capsys.readouterr().out
    folder = tmp_path / "points-density"
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


def judged(values, **settings):
    return certificate(fit_points(values, FitSettings(iterations=60, width=8, **settings)), samples=200)[0]


def test_the_comparison_with_the_mixture_does_not_depend_on_units_or_on_the_order_of_rows():
    values, scale = table(400).to_numpy(), np.array([1e-9, 1e4])
    plain, other = judged(values), judged(values[::-1] * scale)
    assert other["ahead_of_mixture_nat"] == pytest.approx(plain["ahead_of_mixture_nat"], abs=1e-4)
    assert other["mixture_components"] == plain["mixture_components"]
    moved = plain["test_nll_nat"] + np.log(scale).sum()
    assert other["test_nll_nat"] == pytest.approx(moved, abs=1e-4)


def test_a_row_that_was_left_out_stays_in_the_table_without_a_density(tmp_path):
    frame = table(300, 1)
    frame.loc[7, "x1"] = 1e6
    assert main(["density", str(written(tmp_path, frame)), *QUICK]) == 0
    found = pd.read_csv(tmp_path / "points-density/density.csv")
    assert found["part"].value_counts()["left out"] == 1
    assert np.flatnonzero(found["density"].isna()).tolist() == [7]
    report = (tmp_path / "points-density/report.md").read_text(encoding="utf-8")
    assert "line 9: left out: x1 is 1e\\+06" in report
    assert "describes points that it did not see better" not in report


def test_equal_rows_are_never_on_both_sides_of_the_split():
    values = np.repeat(table(150).to_numpy(), 2, axis=0)
    parts = np.array(fit_points(values, FitSettings(iterations=2, width=8)).parts)
    assert (parts[::2] == parts[1::2]).all()


def numbers(ahead, gap):
    return {
        "ahead_of_mixture_nat": ahead, "ahead_of_mixture_error_nat": 0.1, "mixture_components": 2, "test_nll_nat": 1 + gap,
        "train_nll_nat": 1.0, "test_nll_error_nat": 0.03, "train_nll_error_nat": 0.04,
    }  # fmt: skip


def test_the_answer_boasts_only_beyond_its_standard_errors():
    assert "see better** than a Gaussian mixture of 2 components (0.300 nat" in answer(numbers(0.3, 0.0))
    assert "no better and no worse" in answer(numbers(0.15, 0.0))
    assert "take the mixture" in answer(numbers(-0.3, 0.0))
    assert "Do not trust" in answer(numbers(float("nan"), 0.0))
    assert "More points would help" in answer(numbers(0.3, 0.2))
    assert "The points suffice" in answer(numbers(0.3, 0.05))


def test_the_same_seed_writes_the_same_bytes_and_the_report_shows_how_to_load(tmp_path):
    path, folder = written(tmp_path, table(200, 1)), tmp_path / "points-density"
    found = []
    for _ in range(2):
        assert main(["density", str(path), *QUICK]) == 0
        found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert found[0] == found[1]
    code = (folder / "report.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) == 3
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    first = pd.read_csv(folder / "density.csv")["log_density_nat"].iloc[0]
    assert float(done.stdout.split("[")[1].split("]")[0]) == pytest.approx(first, abs=1e-3)


def test_ctrl_c_leaves_what_there_is(tmp_path, monkeypatch):
    reach = Progress.reach

    def once(self, done):
        if done == 7:
            signal.raise_signal(signal.SIGINT)
        return reach(self, done)

    monkeypatch.setattr(Progress, "reach", once)
    assert main(["density", str(written(tmp_path, table(200, 1))), *QUICK]) == 0
    report = (tmp_path / "points-density/report.md").read_text(encoding="utf-8")
    assert "Stopped after 7 of 20 training steps" in report


def test_a_fit_is_the_same_twice_and_keeps_the_best_look_at_the_validation_points():
    values = table(300).to_numpy()
    settings = FitSettings(iterations=30, width=8)
    first, second = (fit_points(values, settings) for _ in range(2))
    assert first.parts == second.parts
    torch.testing.assert_close(first.density.log_prob(first.test), second.density.log_prob(second.test))
    assert 0 < first.best_iteration <= 30


def test_flow_matching_fits_the_same_net_and_says_so(tmp_path, monkeypatch):
    steps = []
    fit_settings = FitSettings

    def noted(**settings):
        steps.append(settings["train"])
        return fit_settings(**settings)

    monkeypatch.setattr("odestudy.points.fit.FitSettings", noted)
    path, folder = written(tmp_path, table(300, 2)), tmp_path / "points-density"
    assert main(["density", str(path), *QUICK, "--train", "matching"]) == 0
    assert "fitted by flow matching" in (folder / "report.md").read_text(encoding="utf-8")
    assert main(["density", str(path), *QUICK]) == 0
    assert "fitted by maximum likelihood" in (folder / "report.md").read_text(encoding="utf-8")
    assert steps == ["matching", "likelihood"]


def test_a_flow_that_was_matched_comes_near_the_law_of_its_points():
    values = np.random.default_rng(0).normal(size=(400, 2)) * [1.0, 10.0]
    values[::2, 0] += 8.0  # two heaps, which one step of training cannot tell apart
    settings = {"width": 16, "batch": 128, "learning_rate": 0.02, "train": "matching"}
    found, early = (fit_points(values, FitSettings(iterations=n, **settings)) for n in (400, 1))
    x, y = found.test.unbind(1)
    normal = torch.distributions.Normal(0.0, 1.0)
    heaps = torch.logaddexp(normal.log_prob(x), normal.log_prob(x - 8.0)) - np.log(2)
    truth = float((heaps + normal.log_prob(y / 10) - np.log(10)).mean())
    nearer, farther = (float(fit.density.log_prob(found.test).mean()) for fit in (found, early))
    assert farther < truth - 0.4
    assert abs(nearer - truth) < 0.3


def test_another_way_of_training_is_refused():
    with pytest.raises(ValueError, match="allowed: likelihood, matching"):
        FitSettings(train="trace")
