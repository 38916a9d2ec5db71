"""Tables about images that are made of several arms, and what the card of protocols says."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats
from torch import nn

from odestudy.analysis.tables import long_table
from odestudy.datasets.images import load_images
from odestudy.nets.blocks import ConvDynamics, ResidualBlock
from odestudy.questions.images.pairs import equality, images_error_points
from odestudy.questions.images.shared_images import TEST_IMAGES, binomial_error_points
from odestudy.runtime.store import write_metrics
from odestudy.statistics.estimates import rate_estimate, t_estimate
from odestudy.statistics.region import Region
from odestudy.statistics.tests import mcnemar_p
from odestudy.study import load_study
from odestudy.study.claims import Region as Accepted

TRUTH = np.arange(1000) % 10
WRONG = {
    "resnet6": [10, 12, 11, 9, 10],
    "odenet_adjoint": [30, 33, 31, 29, 30],
    "odenet_backprop": [10, 11, 11, 10, 10],
}


def write_runs(study, job, failed=()):
    """Five seeds of an arm, that miss the first images of a thousand; as a job writes them."""
    rows, arrays = [], {"truth": TRUTH}
    for seed, wrong in enumerate(WRONG[job.spec["arm"]["name"]]):
        row = {"seed": seed, "status": "ok", "message": "", "parameters": 100, "mflop": 2.0 + len(rows)}
        row |= {"test_error_pct": wrong / 10, "test_errors": wrong, "test_images": 1000}
        if seed in failed:
            row = {"seed": seed, "status": "non_finite", "message": "lost", "parameters": 100}
        else:
            arrays[f"found_seed{seed}"] = np.where(np.arange(1000) < wrong, (TRUTH + 1) % 10, TRUTH)
        rows.append(row)
    content = {"spec": job.spec, "rows": {"runs": rows}, "code": study.code_of(job), "provenance": {}}
    write_metrics(job.metrics(study.results), content, arrays)


# Of a stack six blocks lie on the line through four and eight; of an ODE-Net the row without steps is adaptive.
ALONE = {
    "step": [{"seed": 0, "status": "ok", "step_s": 2.0}, {"seed": 1, "status": "ok", "step_s": 4.0}],
    "cost": [
        {"seed": 0, "status": "ok", "steps": 8, "peak_mib": 8.0, "saved_mib": 16.0},
        {"seed": 0, "status": "ok", "steps": 4, "peak_mib": 4.0, "saved_mib": 8.0},
    ],
}
ADAPTIVE = {"seed": 0, "status": "ok", "steps": None, "peak_mib": 20.0, "saved_mib": 30.0}


@pytest.fixture
def study(study_copy):
    found = load_study(study_copy, "smoke", {"questions": "images"})
    for job in found.jobs_by["images", "train"]:
        write_runs(found, job)
    walk = found.jobs_by["images", "walkthrough"][0]
    content = {"spec": walk.spec, "rows": {"runs": []}, "code": found.code_of(walk), "provenance": {}}
    write_metrics(walk.metrics(found.results), content, {})
    for experiment, rows in ALONE.items():
        for job in found.jobs_by["images", experiment]:
            content = {"spec": job.spec, "rows": {"runs": rows}, "code": found.code_of(job), "provenance": {}}
            if experiment == "cost" and job.spec["arm"]["net"] == "odenet":
                content["rows"] = {"runs": [*rows, ADAPTIVE]}
            write_metrics(job.metrics(found.results), content, {})
    return found


def test_arms_are_compared_with_the_residual_networks_by_seed(study):
    table = long_table(study, "images_equivalence").set_index("arm")
    assert list(table.index) == [
        "odenet_adjoint",
        "odenet_backprop",
    ]  # ResNet 1 and the perceptron did not run
    worse, equal = table.loc["odenet_adjoint"], table.loc["odenet_backprop"]
    points = (np.array(WRONG["odenet_adjoint"]) - np.array(WRONG["resnet6"])) / 10
    # Image i of a thousand is missed by the share of seeds that miss more than i.
    missed = {arm: np.mean([np.arange(1000) < n for n in WRONG[arm]], axis=0) for arm in WRONG}
    shared = 100 * (missed["odenet_adjoint"] - missed["resnet6"]).std(ddof=1) / np.sqrt(1000)
    expected = t_estimate(points.tolist(), Region(-1, 1), shared=float(shared))
    assert worse["difference_points"] == pytest.approx(expected.value)
    assert (worse["difference_points_low"], worse["difference_points_high"]) == (
        pytest.approx(expected.low), pytest.approx(expected.high),
    )  # fmt: skip
    assert (worse["equal"], equal["equal"]) == ("worse", "equal")
    assert worse["margin_points"] == 0.15  # an image in a thousand is less
    assert worse["times_mflop"] == 1.0


def test_the_share_of_seeds_that_differ_has_the_exact_interval(study):
    row = long_table(study, "images_equivalence").set_index("arm").loc["odenet_adjoint"]
    apart = 0
    for one, other in zip(WRONG["odenet_adjoint"], WRONG["resnet6"], strict=True):
        apart += mcnemar_p(np.arange(1000) >= one, np.arange(1000) >= other) < 0.05
    share = rate_estimate(apart, 5, Region())
    assert row["apart"] == f"{apart} of 5"
    assert (row["apart_pct_low"], row["apart_pct_high"]) == (
        pytest.approx(100 * share.low), pytest.approx(100 * share.high),
    )  # fmt: skip


def test_none_are_told_equal_where_an_image_is_more_than_the_margin(study):
    study.margins["images"]["equal_errors"] = Accepted(at_least=-0.05, at_most=0.05, because="half an image")
    table = long_table(study, "images_equivalence").set_index("arm")
    assert table.loc["odenet_backprop", "equal"] == "open: an image is more than the margin"
    assert table.loc["odenet_adjoint", "equal"] == "worse"


def test_a_failed_run_leaves_equality_open(study):
    job = next(j for j in study.jobs_by["images", "train"] if j.spec["arm"]["name"] == "odenet_backprop")
    write_runs(study, job, failed=(3,))
    row = long_table(study, "images_equivalence").set_index("arm").loc["odenet_backprop"]
    assert (row["equal"], row["status"]) == ("open: a run failed", "non_finite")
    assert np.isnan(row["difference_points"])


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.1, 0.1, "equal"),
        (0.2, 0.3, "worse"),
        (-0.3, -0.2, "better"),
        (0.1, 0.3, "open"),
        (-1.0, 1.0, "open"),
    ],
)
def test_equal_is_an_interval_within_the_margin(low, high, word):
    assert equality(low, high, 0.15) == word


def test_what_others_publish_of_a_net_stands_below_the_studys_own(study):
    table = long_table(study, "images_published")
    published = study.sources["images"]["published"]
    own = table[table["whose"] == "this study"]
    assert len(own) == 3
    for (dataset, arm), rows in table.groupby(["dataset", "arm"], sort=False):
        theirs = [entry["whose"] for entry in published if (entry["dataset"], entry["arm"]) == (dataset, arm)]
        ours = ["this study"] * len(own[(own["dataset"] == dataset) & (own["arm"] == arm)])
        assert rows["whose"].tolist() == ours + theirs
        assert rows.index.tolist() == list(range(rows.index[0], rows.index[0] + len(rows))), "apart"
    assert {entry["whose"] for entry in published} <= set(table["whose"])
    assert table.loc[table["differs"].notna(), "dataset"].eq("mnist").all()


def test_a_steps_time_and_memory_stand_beside_the_studys_own_error(study):
    table = long_table(study, "images_published")
    own = table[(table["whose"] == "this study") & (table["dataset"] == "digits")].set_index("arm")
    assert own.loc["resnet6", ["step_s", "peak_mib", "saved_mib"]].tolist() == [3.0, 6.0, 12.0]
    assert own.loc["odenet_adjoint", ["step_s", "peak_mib", "saved_mib"]].tolist() == [3.0, 20.0, 30.0]


def test_the_card_has_the_parameters_of_the_released_code_with_either_stem(study):
    """The code's option --downsampling-method res has two residual blocks with a 1x1 convolution beside each."""

    def count(*modules):
        return sum(p.numel() for module in modules for p in module.parameters())

    first, halving = nn.Conv2d(1, 64, 3), [nn.Conv2d(64, 64, 4, 2, 1) for _ in range(2)]
    norms, head = [nn.GroupNorm(32, 64) for _ in range(2)], [nn.GroupNorm(32, 64), nn.Linear(64, 10)]
    beside = [nn.Conv2d(64, 64, 1, bias=False) for _ in range(2)]
    stems = {
        "conv": count(first, *halving, *norms),
        "res": count(first, ResidualBlock(64), ResidualBlock(64), *beside),
    }
    middles = {
        "ODE-Net": count(ConvDynamics(64)),
        "residual network": count(*(ResidualBlock(64) for _ in range(6))),
    }
    card = {entry["item"]: entry["code"] for entry in study.sources["images"]["protocol"]}
    for net, middle in middles.items():
        text = card[f"parameters of the {net}"]
        wanted = [stem + middle + count(*head) for stem in stems.values()]
        assert [int(n.replace(" ", "")) for n in re.findall(r"\d{3} \d{3}", text)] == wanted


def test_the_bound_of_the_images_error_is_that_of_nets_that_err_on_different_images():
    """Seeds that all err on the same images, the two nets on others; what is less apart scatters less."""
    image = np.arange(1000)
    apart = [image >= 10] * 5, [(image < 10) | (image >= 30)] * 5
    overlap = [image >= 10] * 5, [image >= 20] * 5
    bound = np.hypot(binomial_error_points([1.0] * 5, 1000), binomial_error_points([2.0] * 5, 1000))
    assert images_error_points(*apart) == pytest.approx(bound, rel=0.01)
    assert images_error_points(*overlap) < bound
    assert binomial_error_points([0.4, 0.6], 10_000) == pytest.approx(
        100 * stats.binom(10_000, 0.005).std() / 10_000
    )


def test_the_test_images_of_the_digits_are_as_many_as_the_bound_says():
    assert len(load_images("digits", train_size=None).test[1]) == TEST_IMAGES["digits"]
