"""`odestudy fit`: what a fit leaves, how it is judged, and what changes nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from odestudy.cli.main import main
from odestudy.fit.judge import HeldOut, answer
from odestudy.fit.model import load
from odestudy.fit.observations import read_observations
from odestudy.userdata.progress import Progress

GOOD = "trajectory,t,y1,y2\na,0,1,0\na,0.4,0.9,0.4\na,1.0,0.5,0.8\nb,0,2,0\nb,0.5,1.8,0.9\nb,0.7,1.5,1.3\n"
FILES = {
    "field.csv", "forecast.csv", "weights.pt", "portrait.png", "forecast.png", "report.md", "report.html",
}  # fmt: skip


def written(folder, text):
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_irregular_times_and_several_trajectories_are_read(tmp_path):
    table = read_observations(written(tmp_path, GOOD))
    assert table.names == ["a", "b"]
    assert table.t[0].tolist() == [0, 0.4, 1.0]
    assert table.y[1].tolist() == [[2, 0], [1.8, 0.9], [1.5, 1.3]]


def test_trajectories_may_be_of_different_lengths(tmp_path):
    table = read_observations(written(tmp_path, GOOD + "b,0.9,1.2,1.5\n"))
    assert [len(t) for t in table.t] == [3, 4]
    assert np.isnan(table.observed().t[0]).sum() == 1


def test_a_missing_file_and_a_bad_setting_are_one_line_and_exit_code_two(tmp_path, capsys):
    assert main(["fit", str(tmp_path / "no.csv")]) == 2
    with pytest.raises(SystemExit):
        main(["fit", str(written(tmp_path, GOOD)), "--iterations", "0"])
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert "no such file" in lines[0]
    assert "at least 1" in lines[1]


@pytest.fixture(scope="module")
def circle(tmp_path_factory):
    """Two noisy, irregular trajectories of a circle of period 2 pi, fitted by the linear model."""
    folder = tmp_path_factory.mktemp("fit")
    rng = np.random.default_rng(0)
    rows = []
    for name, radius, n in (("inner", 1.0, 50), ("outer", 2.0, 40)):
        t = np.concatenate([[3.0], np.sort(rng.uniform(3, 11, n - 1))])
        clean = radius * np.stack([np.cos(t), np.sin(t)], axis=1)
        rows += [
            (name, a, *b) for a, b in zip(t, clean + 0.01 * rng.standard_normal(clean.shape), strict=True)
        ]
    path = folder / "circle.csv"
    pd.DataFrame(rows, columns=["trajectory", "t", "y1", "y2"]).to_csv(path, index=False)
    assert main(["fit", str(path), "--model", "linear", "--iterations", "250"]) == 0
    return folder / "circle-fit"


def test_a_fit_leaves_field_forecast_weights_pictures_and_a_report(circle):
    assert {path.name for path in circle.iterdir()} == FILES
    page = (circle / "report.html").read_text(encoding="utf-8")
    assert "Fit of circle.csv" in page
    assert "data:image/png" in page
    text = (circle / "report.md").read_text(encoding="utf-8")
    assert "nan" not in text
    assert (
        text.split("---\n", 2)[2]
        .strip()
        .startswith("**This fit forecasts well what it did not see**: on the last 20 %")
    )


def test_the_learnt_field_is_the_circles(circle):
    field = pd.read_csv(circle / "field.csv")
    near = field[field["supported"]]
    assert np.abs(near["dy1"] + near["y2"]).max() < 0.3
    assert np.abs(near["dy2"] - near["y1"]).max() < 0.3


def test_the_forecast_goes_to_twice_the_span_from_the_first_observation(circle):
    forecast = pd.read_csv(circle / "forecast.csv")
    inner = forecast[forecast["trajectory"] == "inner"]
    assert inner["t"].iloc[0] == 3.0
    assert inner["t"].iloc[-1] > 18
    assert np.hypot(inner["y1"], inner["y2"]).to_numpy() == pytest.approx(1.0, abs=0.2)
    assert (inner["y1_low"] <= inner["y1"]).all()
    assert inner["beyond"].mean() == pytest.approx(0.5, abs=0.01)


def test_the_weights_give_the_same_field_again(circle):
    ensemble = load(circle / "weights.pt")
    assert (ensemble.kind, ensemble.steps, len(ensemble.models)) == ("linear", 250, 5)
    field = pd.read_csv(circle / "field.csv")
    slopes = ensemble.slope(field[["y1", "y2"]])
    assert slopes[:, 0] == pytest.approx(field["dy1"].to_numpy(), rel=1e-9, abs=1e-12)


def test_the_three_lines_of_the_report_load_the_model_and_use_it(circle):
    code = (circle / "report.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert len(code.splitlines()) == 3
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=circle, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("]]") == 2  # slopes (1, 2), and states at the start and at the end (2, 2)


def circle_rows(n=40):
    t = np.arange(n) * 0.25
    return pd.DataFrame({"t": t, "u": np.cos(t), "v": np.sin(t)})


def fitted(folder, frame, *options, name="mine", **how):
    """The folder of a short fit of a table, and its slopes at a few states."""
    path = folder / f"{name}.csv"
    frame.to_csv(path, index=False, **how)
    assert main(["fit", str(path), "--model", "linear", "--iterations", "40", *options]) == 0
    return folder / f"{name}-fit"


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path):
    first = fitted(tmp_path, circle_rows(), name="mine")
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    again = fitted(tmp_path, circle_rows(), name="mine")
    assert set(kept) == FILES
    assert {path.name: path.read_bytes() for path in again.iterdir()} == kept
    other = fitted(tmp_path, circle_rows(), "--seed", "1", name="mine")
    assert (other / "weights.pt").read_bytes() != kept["weights.pt"]


@pytest.mark.parametrize("factor", [1e-6, 1e4])
def test_units_orders_and_separators_change_nothing_beyond_what_the_models_disagree_by(tmp_path, factor):
    plain = load(fitted(tmp_path, circle_rows(), name="plain") / "weights.pt")
    frame = circle_rows().sample(frac=1, random_state=0)[["v", "t", "u"]]
    frame = frame.assign(v=frame["v"] * factor, t=frame["t"] / factor).rename(columns={"v": "v [mm]"})
    other = load(
        fitted(tmp_path, frame, name="other", sep=";", decimal=",", lineterminator="\r\n") / "weights.pt"
    )
    states = circle_rows()[["u", "v"]].to_numpy()
    back = other.slope(states * [1, factor]) / [factor, factor**2]
    disagreement = np.ptp([field(states) for field in plain.fields()], axis=0).max()
    assert np.abs(back - plain.slope(states)).max() <= 1e-6 * disagreement


def test_a_constant_column_changes_nothing_but_a_note(tmp_path, capsys):
    plain = fitted(tmp_path, circle_rows(), name="plain")
    other = fitted(tmp_path, circle_rows().assign(w=14.62), name="other")
    assert (other / "field.csv").read_bytes() == (plain / "field.csv").read_bytes()
    assert pd.read_csv(other / "field.csv")["supported"].any()
    assert "note: left out, being constant: w" in capsys.readouterr().out
    assert "left out, being constant: w" in (other / "report.md").read_text(encoding="utf-8")


def test_columns_keep_their_names_and_units_and_slopes_get_theirs(tmp_path):
    frame = circle_rows().set_axis(["Time (s)", "x [m]", "dx [m/s]"], axis=1)
    folder = fitted(tmp_path, frame)
    found = list(pd.read_csv(folder / "field.csv"))
    made = ["d(dx)/dt [m/s/s]", "d(x)/dt [m/s]", "d(dx)/dt_spread [m/s/s]", "d(x)/dt_spread [m/s]"]
    assert found == ["dx [m/s]", "x [m]", *made, "supported"]
    assert "Time (s)" in pd.read_csv(folder / "forecast.csv")


def test_too_short_trajectories_are_fitted_and_the_report_says_that_nobody_can_tell(tmp_path):
    folder = fitted(tmp_path, circle_rows(3))
    assert "Nobody can tell how good this fit is" in (folder / "report.md").read_text(encoding="utf-8")


def test_standing_still_that_forecasts_as_well_is_told_first():
    said = answer(HeldOut(points=5, error=0.6, still=0.5, seen=0.55, least=0.05))
    assert said.startswith("**This fit forecasts no better than standing still**")
    assert "More data alone would not help" in said
    assert "More data would help" in answer(HeldOut(points=5, error=0.4, still=0.5, seen=0.05, least=0.02))
    assert "Do not trust" in answer(HeldOut(points=5, error=float("nan"), still=0.5, seen=0.05, least=0.02))


def interrupted(monkeypatch, at):
    """Ctrl-C after so many steps."""
    reach = Progress.reach

    def once(self, done):
        if done == at and not self.stopped:
            signal.raise_signal(signal.SIGINT)
        return reach(self, done)

    monkeypatch.setattr(Progress, "reach", once)


@pytest.mark.parametrize(("at", "words"), [(10, "Stopped after 10 of 40"), (60, "Stopped after 20 of 40")])
def test_ctrl_c_leaves_what_there_is(tmp_path, monkeypatch, at, words):
    before = signal.getsignal(signal.SIGINT)
    interrupted(monkeypatch, at)
    folder = fitted(tmp_path, circle_rows())
    assert {path.name for path in folder.iterdir()} == FILES
    assert words in (folder / "report.md").read_text(encoding="utf-8")
    assert load(folder / "weights.pt").steps == int(words.split()[2])
    assert signal.getsignal(signal.SIGINT) is before


def test_progress_tells_the_time_left_where_no_terminal_looks(tmp_path, capsys):
    fitted(tmp_path, circle_rows())
    lines = [line for line in capsys.readouterr().err.splitlines() if "s left" in line]
    assert lines[0].startswith("5 models, 40 training steps twice: 8 of 80 steps, ")
    assert len(lines) == 10


def test_a_device_that_is_not_there_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    path = tmp_path / "mine.csv"
    circle_rows().to_csv(path, index=False)
    assert main(["fit", str(path), "--device", "cuda"]) == 2
    assert "no CUDA device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("of", "warned"),
    [(np.sin, True), (lambda t: np.exp(-t), False), (lambda t: np.exp(-t / 3) * np.cos(2 * t), True)],
)
def test_one_column_that_turns_back_is_warned_of_whatever_the_noise(tmp_path, of, warned):
    t = np.linspace(0, 8, 80)
    for noise in (0.0, 0.05):
        y = of(t) + noise * np.random.default_rng(0).standard_normal(len(t))
        frame = pd.DataFrame({"t": t, "height [m]": y})
        notes = read_observations(written(tmp_path, frame.to_csv(index=False))).notes
        assert any("height [m] both rises and falls" in note for note in notes) == warned
        assert any("add a second column, such as its velocity" in note for note in notes) == warned
    assert not any("rises" in note for note in read_observations(written(tmp_path, GOOD)).notes)
