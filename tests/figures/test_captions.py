"""What captions conclude from tables: from small ones of which the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from odestudy.analysis.labels import Labels
from odestudy.analysis.values import chosen
from odestudy.figures.base import FigureData
from odestudy.figures.error_dots import say_errors
from odestudy.figures.phase import Shown, which_seed, worst_seed
from odestudy.figures.scales import log_axis
from odestudy.figures.words import seeds_behind
from odestudy.questions.density.figures import matching, models
from odestudy.questions.dynamics.figures import conditioning, decay, fast_modes, process
from odestudy.questions.timeseries.figures.homotopy import _turns

ARMS = {"linear": "linear model", "mlp": "MLP", "sindy": "SINDy"}
COLUMNS = {"field_error_pct": {"label": "field error", "unit": "%", "scale": "log"}}


def data_of(rows: list[tuple[str, str, int, float]]) -> FigureData:
    """Of (system, arm, seed, error)."""
    table = pd.DataFrame(rows, columns=["system", "arm", "seed", "field_error_pct"]).assign(status="ok")
    summary = table.groupby(["system", "arm"], sort=False, as_index=False)["field_error_pct"].mean()
    summary = summary.assign(field_error_pct_low=np.nan, field_error_pct_high=np.nan)
    return FigureData({"t": table, "t_summary": summary}, {}, Labels({"arm": ARMS}, {}), COLUMNS)


def test_the_smallest_error_is_looked_for_where_every_arm_ran():
    rows = [("a", "mlp", 0, 2.0), ("a", "sindy", 0, 1.0), ("b", "mlp", 0, 0.1)]
    text = say_errors(data_of(rows), "t", ["field_error_pct"])
    assert "that of SINDy for 1 of the 1 system that every arm was given" in text


def test_the_worst_seed_that_is_not_shown_is_named():
    data = data_of([("a", "mlp", 0, 2.0), ("a", "mlp", 1, 90.0), ("b", "mlp", 1, 300.0)])
    found = {("a", "mlp"): Shown(data.table("t").iloc[0], {})}
    assert "90 % (a, MLP)" in worst_seed(data, "t", found)
    alone = {("b", "mlp"): Shown(data.table("t").iloc[2], {})}
    assert worst_seed(data, "t", alone) == ""


def test_the_worst_seed_is_drawn_where_it_is_another_one():
    arrays = {"seed": np.array(0), "worst_seed": np.array(0), "worst_learnt": np.ones((2, 2))}
    assert Shown(pd.Series(), arrays).worst is None
    assert np.array_equal(Shown(pd.Series(), arrays | {"worst_seed": np.array(1)}).worst, np.ones((2, 2)))
    assert Shown(pd.Series(), {"seed": np.array(0)}).worst is None


@pytest.mark.parametrize(("sign", "said"), [(1, "270°"), (-1, "−270°")])
def test_curves_turn_by_what_their_direction_turns(sign, said):
    t = np.linspace(0, 1.5 * np.pi, 4000)
    arc = np.stack([np.cos(t), sign * np.sin(t)], -1)
    line = np.stack([t, 0 * t], -1)
    text = _turns(np.stack([arc, line, arc]))
    assert text.startswith(f"{said} and {said} at the ends")
    assert text.endswith("at least 0° between")


def test_what_a_value_is_called_is_its_columns_or_what_all_columns_agree_on():
    labels = Labels({"arm": {"none": "no block", "mlp": "MLP"}, "gradient": {"none": "no solver"}}, {})
    data = FigureData({}, {}, labels, {})
    assert [data.label("none", column) for column in labels.columns] == ["no block", "no solver"]
    assert (data.label("mlp"), data.label("none"), data.label("step_size")) == ("MLP", "none", "step size")
    looks = data.looks(["none", "mlp"], "arm")
    assert [look["label"] for look in looks.values()] == ["no block", "MLP"]


@pytest.mark.parametrize(("value", "said"), [(0.001, "0.001"), (1e-6, "10⁻⁶"), (3e-5, "3·10⁻⁵"), (2.0, "2")])
def test_a_chosen_number_is_said_as_it_was_chosen(value, said):
    assert chosen(value) == said


@pytest.mark.parametrize(
    ("low", "ticks"), [(1e-3, ["0.001", "0.01", "0.1", "1"]), (1e-5, ["10^{-5}", "10^{-4}", "10^{-3}"])]
)
def test_an_axis_has_plain_numbers_or_powers_and_never_both(low, ticks):
    axes = Figure().subplots()
    axes.plot([low, 1.0], [0, 1])
    log_axis(axes, "x")
    shown = axes.xaxis.get_major_formatter().format_ticks([low * 10**k for k in range(4) if low * 10**k <= 1])
    assert [text.strip("$") for text in shown][: len(ticks)] == ticks


def test_seeds_are_those_behind_a_mean_and_not_the_union_of_what_experiments_had():
    table = pd.DataFrame({"seed": [0, 0, 1, 2, 3], "flow": ["linear", "a", "a", "b", "b"]})
    assert seeds_behind(table, pd.DataFrame({"runs": [1, 2, 2]})) == (2, 2)
    assert seeds_behind(table, pd.DataFrame({"runs": [2, 3]})) == (2, 3)
    assert seeds_behind(table, pd.DataFrame({"mean": [1.0]})) == (4, 4)  # a summary that counts no runs


def test_a_picture_of_one_seed_says_of_how_many_of_its_own_job():
    table = pd.DataFrame({"job": ["a", "a", "b", "b"], "seed": [0, 1, 2, 3]})
    data = FigureData({"t": table}, {}, Labels({}, {}), {})
    found = {("s", "m"): Shown(table.iloc[0], {}), ("s", "n"): Shown(table.iloc[2], {})}
    assert "of 2 seeds the one" in which_seed(data, "t", found)


def test_the_ways_to_train_one_net_and_the_kinds_of_model_have_a_figure_each():
    kinds = ["cnf", "realnvp", "planar", "kde", "mixture", "matching", "matching_ot"]
    rows = pd.DataFrame({"target": "ring", "model": kinds, "seed": 0, "excess_nat": 0.1})
    data = FigureData({"density_time": rows, "density_time_summary": rows}, {}, Labels({}, {}), {})
    assert list(models._table(data)["model"]) == kinds[:5]
    assert list(matching._table(data)["model"]) == ["cnf", "matching", "matching_ot"]


def test_a_frame_is_what_a_model_had_stored_by_the_iteration_above_it():
    long, short = np.array([0.0, 10.0, 100.0, 1000.0]), np.array([0.0, 5.0, 50.0, 300.0])
    shown = {
        name: Shown(pd.Series(), {"process": np.zeros((4, 3, 2)), "process_iteration": at})
        for name, at in (("short", short), ("long", long))
    }
    above = process._iterations(shown, 4)
    assert process._moments(shown, 4) == [f"{i} iterations" for i in (0, 10, 100, 1000)]
    assert [process._frame_of(shown["long"], k, above) for k in range(4)] == [0, 1, 2, 3]
    assert [process._frame_of(shown["short"], k, above) for k in range(4)] == [0, 1, 2, 3]
    late = Shown(
        pd.Series(), shown["short"].arrays | {"process_iteration": np.array([0.0, 20.0, 200.0, 300.0])}
    )
    assert [process._frame_of(late, k, above) for k in range(4)] == [0, 0, 1, 3]
    data = FigureData({}, {}, Labels({}, {}), {})
    said = process._ended_before(data, {("gated", name): one for name, one in shown.items()})
    assert said.endswith("as it ended: short after 300.")
    assert process._ended_before(data, {("gated", "long"): shown["long"]}) == ""


def test_the_last_conditioning_of_an_even_number_of_seeds_is_one_that_was_tried():
    table = pd.DataFrame(
        {
            "problem": "rotated", "arm": "true_form", "seed": range(6), "method": "dopri5", "share": 1.0, "tried_k": 100.0,
            "last_k": [10.0, 10.0, 10.0, 100.0, 100.0, 100.0], "learnt_pct": 10.0,
        }
    )  # fmt: skip
    data = FigureData({"dynamics_conditioning_last": table}, {}, Labels({}, {}), {})
    assert "rotated: true form 10 " in conditioning.caption(data).replace(".", " ")


def test_of_two_methods_that_do_the_same_one_is_drawn():
    methods = ["dopri5", "kvaerno5", "rodas5p", "implicit_euler", "trapezoid"]
    table = pd.DataFrame({"method": methods})
    assert fast_modes._drawn(table) == [m for m in methods if m != "rodas5p"]
    assert fast_modes._drawn(table[table["method"] != "kvaerno5"]) == ["dopri5", *methods[2:]]


def test_a_reach_that_no_trajectory_ends_is_infinite():
    reach = pd.DataFrame({"system": "focus", "recovered_decades": [2.0, np.nan, np.nan]})
    assert decay._measured(reach, "focus") == np.inf
    assert decay._measured(reach.iloc[:2].fillna(4.0), "focus") == 3.0
