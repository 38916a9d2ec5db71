"""`odestudy fit`: what a CSV may look like, what is refused and how, and what a fit leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from odestudy.cli.main import main
from odestudy.errors import DataError
from odestudy.fit.learn import Settings, load
from odestudy.fit.observations import read_observations

GOOD = "trajectory,t,y1,y2\na,0,1,0\na,0.4,0.9,0.4\na,1.0,0.5,0.8\nb,0,2,0\nb,0.5,1.8,0.9\nb,0.7,1.5,1.3\n"


def written(folder, text):
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_irregular_times_and_several_trajectories_are_read_in_the_order_of_the_file(tmp_path):
    table = read_observations(written(tmp_path, GOOD))
    assert table.names == ["a", "b"]
    assert table.t[0].tolist() == [0, 0.4, 1.0]
    assert table.y[1].tolist() == [[2, 0], [1.8, 0.9], [1.5, 1.3]]


def test_trajectories_may_be_interleaved_and_of_different_lengths(tmp_path):
    rows = GOOD.splitlines()
    mixed = "\n".join([rows[0], rows[4], rows[1], rows[5], rows[2], rows[3], rows[6], "b,0.9,1.2,1.5"])
    table = read_observations(written(tmp_path, mixed))
    assert [len(t) for t in table.t] == [4, 3]
    assert np.isnan(table.observed().t[1]).sum() == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("0.9,0.4", ",0.4"), ["row 3", "y1 is missing"]),
        (GOOD.replace("0.9,0.4", "NaN,0.4"), ["row 3", "y1 is missing"]),
        (GOOD.replace("1.8,0.9", "1.8,high"), ["row 6", "y2 is no finite number"]),
        (GOOD.replace("1.8,0.9", "1.8,inf"), ["row 6", "y2 is no finite number"]),
        (GOOD.replace("b,0.7", "b,0.5"), ["row 7", "does not increase"]),
        (GOOD.replace("b,0.7", " ,0.7"), ["row 7", "no name"]),
        (GOOD.replace("trajectory,t,y1,y2", "trajectory,t,y1,y3"), ["columns trajectory, t, y1, y3", "y1, y2"]),
        (GOOD.replace("trajectory,t", "t,trajectory"), ["allowed: trajectory, t"]),
        ("trajectory,t,y1\n", ["no rows"]),
        ("", ["not readable"]),
        (GOOD + "b,1,2\nb,2,1,1,1\n", ["not readable"]),
        (GOOD + "c,0,1,1\nc,1,1,1\n", ["'c'", "fewer than 3"]),
        ("trajectory,t,y1\na,0,1\na,1,1\na,2,1\n", ["nothing to learn"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line_with_its_rows(tmp_path, text, words):
    with pytest.raises(DataError) as caught:
        read_observations(written(tmp_path, text))
    message = str(caught.value)
    assert "mine.csv" in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_many_bad_rows_are_counted_and_not_all_listed(tmp_path):
    rows = "\n".join(f"a,{i},{'' if i % 2 else i}" for i in range(30))
    with pytest.raises(DataError, match="row 3, 5, 7, 9, 11 and 10 more: y1 is missing"):
        read_observations(written(tmp_path, "trajectory,t,y1\n" + rows))


def test_a_missing_file_and_a_bad_setting_are_one_line_and_exit_code_two(tmp_path, capsys):
    assert main(["fit", str(tmp_path / "no.csv")]) == 2
    assert main(["fit", str(written(tmp_path, GOOD)), "--iterations", "0"]) == 2
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
    names = {path.name for path in circle.iterdir()}
    assert names == {
        "field.csv", "forecast.csv", "weights.pt", "portrait.png", "forecast.png", "report.md", "report.html",
    }  # fmt: skip
    page = (circle / "report.html").read_text(encoding="utf-8")
    assert "Fit of circle.csv" in page
    assert "data:image/png" in page
    assert "nan" not in (circle / "report.md").read_text(encoding="utf-8")


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
    assert ensemble.settings == Settings(model="linear", iterations=250, learning_rate=0.1)
    field = pd.read_csv(circle / "field.csv")
    slopes = np.median([one(field[["y1", "y2"]].to_numpy()) for one in ensemble.fields()], axis=0)
    assert slopes[:, 0] == pytest.approx(field["dy1"].to_numpy(), rel=1e-9, abs=1e-12)
