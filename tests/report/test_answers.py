"""The first page: six answers that depend on the data, and their pictures."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from odestudy.analysis.facts import Facts
from odestudy.analysis.headlines import headlines
from odestudy.analysis.ledger import ledger
from odestudy.analysis.several_tiers import one_ledger
from odestudy.analysis.values import number
from odestudy.analysis.verdicts import VERDICTS
from odestudy.figures.answers.draw import PICTURES, picture
from odestudy.figures.answers.residual_net import _says, told_apart
from odestudy.publication.snapshot import page_of
from odestudy.report.answers import ANSWERS, answer_markdown, in_short
from odestudy.report.ledger_markdown import decided_table, undecided_table
from odestudy.report.ledger_words import with_words
from odestudy.report.overview import overview_table
from odestudy.study import load_study

WITHOUT = ("planned", "not testable at this tier", "no data")
NONE = re.compile(r"\b(nan|n/a|None|inf)\b")


@pytest.fixture(scope="module")
def study(root):
    return load_study(root, "smoke")


@pytest.fixture(scope="module")
def rows(study):
    """A ledger of which no row has data."""
    names = {t: pd.DataFrame({"seed": [], "stale": [], "status": []}) for t in study.tables}
    return one_ledger([ledger(study, names)])


def no_table(name: str) -> pd.DataFrame:
    return pd.DataFrame()


def facts(study, rows, table=no_table, **of_some):
    """The facts where rows are made to say something: C04a=dict(verdict=...), or all=dict(...)."""
    rows = rows.copy()
    for claim, values in of_some.items():
        mine = slice(None) if claim == "all" else rows["id"] == claim
        for column, value in values.items():
            rows.loc[mine, column] = value
    return Facts(rows, study.claims, table, "quick")


def everywhere(study, rows, verdict, value=0.36, low=0.3, high=0.4, beside=0.5):
    """Each row with the same verdict and number, and each baseline with a number."""
    said = {
        c["id"]: {"beside": json.dumps([beside] * len(c["beside"]))} for c in study.claims if c.get("beside")
    }
    number = {"estimate": value, "low": low, "high": high, "interval": "t", "seeds": 5, "tier": "quick"}
    known = {} if verdict in WITHOUT else number
    return facts(study, rows, all={"verdict": verdict, "detail": "", "reason": ""} | known, **({} if verdict in WITHOUT else said))  # fmt: skip


def test_the_six_questions_have_an_answer_and_a_picture_each():
    assert [answer.name for answer in ANSWERS] == list(PICTURES)
    assert len(ANSWERS) == 6


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_each_answer_has_at_most_three_sentences_whatever_the_verdict(study, rows, answer, verdict):
    said = answer.say(everywhere(study, rows, verdict))
    assert 1 <= len(said) <= 3
    for sentence in said:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not re.search(r"\. [A-Z]", sentence)
        assert not NONE.search(sentence), sentence
    numbers = "0.360 [0.300, 0.400]" in " ".join(said)
    assert numbers == (verdict not in WITHOUT)
    assert ("not known yet" in " ".join(said)) == (verdict in WITHOUT)


@pytest.mark.parametrize("verdict", ["inconclusive", "open"])
def test_what_is_not_decided_says_so(study, rows, verdict):
    for answer in ANSWERS:
        assert "not decided" in " ".join(answer.say(everywhere(study, rows, verdict))), answer.name


@pytest.mark.parametrize("verdict", ["supported", "no data"])
def test_each_section_begins_with_its_answer(study, rows, verdict):
    for section in study.questions:
        said = in_short(section, everywhere(study, rows, verdict))
        assert ("0.360 [0.300, 0.400]" in said, "not known yet" in said) == (
            verdict == "supported",
            verdict == "no data",
        ), section


def say(name, found):
    return " ".join(next(answer for answer in ANSWERS if answer.name == name).say(found))


@pytest.mark.parametrize(
    ("name", "claim", "cases"),
    [
        ("advantages", "C04h", {"does not grow": ("supported", 1, 1), "the memory of a training step grows": ("refuted", 8, 8)}),
        ("advantages", "C05e", {"trades accuracy for time, without": ("supported", 0.3, 0.4), "hardly saves time": ("refuted", 0.8, 0.9)}),
        ("advantages", "C05f", {"trades accuracy for time, without": ("supported", 0.2, 0.4), "at no loss": ("refuted", -0.1, 0.05)}),
        ("advantages", "C29a", {"Its price is work": ("answered", 1.9, 2.0), "saves work": ("answered", 0.5, 0.6)}),
        ("residual_net", "C09d", {"equal within": ("supported", -0.1, 0.1), ": worse": ("refuted", 0.3, 0.5), ": better": ("refuted", -0.5, -0.3), "which is better is not decided": ("inconclusive", -0.1, 0.5)}),
        ("recovery", "C18a", {"comes nearer": ("answered", 6, 7), "stays farther": ("answered", 0.1, 0.2), "comes as near": ("answered", 0.4, 0.6)}),
        ("density", "C22f", {"it ends farther away than RealNVP": ("answered", 1.5, 2), "it ends nearer than RealNVP": ("answered", 0.5, 0.8), "which is nearer is not decided": ("answered", 0.8, 1.2)}),
        ("density", "C22k", {"target hard: parts that lie apart": ("answered", 0.2, 0.4), "hardly farther away: parts that lie apart": ("answered", -0.01, 0.02)}),
        ("density", "C22d", {r"target hard: .* and heavy tails \(": ("answered", 0.5, 0.6), "heavy tails, beyond which": ("answered", 1.6, 2.0), "heavy tails are met as far as .* yet further out they stay Gaussian": ("answered", 0.9, 1.1)}),
        ("conditioning", "C17a", {"far apart up to a ratio of": ("answered", 9, 10), "far apart not at all": ("answered", 0.2, 0.3)}),
        ("conditioning", "C17c", {"only where it is as large as the other": ("answered", 1, 1), "times smaller than the other": ("answered", 9, 10)}),
        ("conditioning", "C17d", {"up to a damping of": ("answered", 9, 10), "is not followed": ("answered", 0.1, 0.2)}),
        ("conditioning", "C16b", {"and stiffness is not, as": ("refuted", 40, 50), r"is the cause\.": ("supported", 10, 12)}),
        ("trace", "C20a", {"is of use with": ("answered", 0.006, 0.014), "is hardly of use": ("answered", 0.6, 0.7)}),
        ("trace", "C20k", {"claims to be better": ("refuted", -0.4, -0.2), "does not claim": ("supported", 0.1, 0.2)}),
        ("trace", "C20b", {"gains little": ("answered", 1.0, 1.1), "gains much": ("answered", 5, 6)}),
        ("trace", "C21b", {"not cubic in the dimension": ("refuted", 1.0, 3.0)}),
    ],
)  # fmt: skip
def test_another_number_makes_another_sentence(study, rows, name, claim, cases):
    base = everywhere(study, rows, "supported").ledger
    for words, (verdict, low, high) in cases.items():
        found = facts(study, base, **{claim: {"verdict": verdict, "low": low, "high": high, "estimate": (low + high) / 2}})  # fmt: skip
        said = say(name, found)
        assert re.search(words, said), said
        others = [w for w in cases if w != words]
        assert not any(re.search(w, said) for w in others), said


def test_a_property_that_may_cost_much_or_nothing_is_called_neither(study, rows):
    base = everywhere(study, rows, "supported").ledger
    wide = {"verdict": "open", "low": -0.01, "high": 0.3, "estimate": 0.1}
    assert "parts that lie apart" in say("density", facts(study, base))
    assert "parts that lie apart" not in say("density", facts(study, base, C22k=wide))


def test_the_tier_is_named_where_it_is_another(study, rows):
    base = everywhere(study, rows, "supported").ledger
    assert "; 5 seeds, tier full)" in say("residual_net", facts(study, base, C09d={"tier": "full"}))
    measured = {"tier": "full", "device": "h100"}
    assert "; 5 seeds, tier full run on H100)" in say("residual_net", facts(study, base, C09d=measured))
    measured["device"] = "hopper"
    assert "; 5 seeds, tier full run on Hopper GPUs, some nets trained on processors)" in say(
        "residual_net", facts(study, base, C09d=measured)
    )
    assert "tier" not in say("residual_net", facts(study, base))


def test_where_the_longest_training_is_missing_a_shorter_one_speaks(study, rows):
    base = everywhere(study, rows, "supported").ledger
    missing = {"verdict": "no data", "estimate": math.nan, "low": math.nan, "high": math.nan}
    assert "After 20 epochs on MNIST" in say("residual_net", facts(study, base))
    assert "one block that is applied six times on" in say("residual_net", facts(study, base))
    assert "After 5 epochs on MNIST" in say("residual_net", facts(study, base, C09d=missing))


def test_where_mnist_is_missing_digits_speak(study, rows):
    tables = {
        "images_equivalence": pd.DataFrame(
            {"dataset": ["digits"], "arm": "odenet_adjoint", "other": "resnet6", "equal": "worse", "seeds": 5}
        ),
        "images_step_summary": pd.DataFrame(
            {"dataset": "digits", "arm": ["odenet_adjoint", "resnet6"], "step_s": [0.89, 0.1]}
        ),
        "images_accuracy_summary": pd.DataFrame(
            {"dataset": "digits", "arm": ["odenet_adjoint", "resnet6", "resnet1"], "test_error_pct": [6.4, 3.2, 3.9]}
        ),
    }  # fmt: skip
    said = say("residual_net", facts(study, rows, lambda name: tables.get(name, pd.DataFrame())))
    assert "MNIST is not measured yet" in said
    assert "6.4 % of the test images" in said
    assert "8.9 times as long" in said


def test_a_picture_stands_under_its_answer(study, rows):
    text = answer_markdown(2, ANSWERS[1], everywhere(study, rows, "supported"), "![x](y.svg)")
    assert text.startswith("**2. How does it compare with a residual net")
    assert text.endswith("\n\n![x](y.svg)\n")


def test_no_table_shows_nan_where_a_row_lacks_a_number_or_words(study, rows):
    bare = with_words(rows, study)
    for verdict in VERDICTS:
        shown = bare.assign(verdict=verdict)
        for text in (page_of(study, shown), decided_table(shown), undecided_table(shown)):
            assert not re.search(r"\bnan\b", text)


def tables() -> dict[str, pd.DataFrame]:
    """Small tables with what the pictures read."""
    steps = [4.0, 8.0]
    cost = [{"dataset": "digits", "arm": arm, "steps": n, "peak_mib": n} for arm in ("odenet_adjoint", "odenet_backprop", "resnet6") for n in steps]  # fmt: skip
    sweep = {"dataset": "digits", "test_method": "rk4", "test_step": [1.0, 0.5], "eval_s": [0.1, 0.2], "test_error_pct": [9.0, 3.0]}  # fmt: skip
    rates = [{"problem": "stiff", "method": "dopri5", "share": 1.0, "arm": arm, "k": k, "field_error_pct": k} for arm in ("plain", "time", "true_form") for k in (1.0, 100.0)]  # fmt: skip
    gap = [{"flow": "ring", "formula": "trace", "precision": "float64", "method": m, "step": h, "gap_nat": h} for m in ("euler", "rk4") for h in (0.1, 1.0)]  # fmt: skip
    return {
        "images_sweep_summary": pd.DataFrame(sweep),
        "images_cost_summary": pd.DataFrame(cost),
        "dynamics_conditioning_summary": pd.DataFrame(rates),
        "density_gap_summary": pd.DataFrame(gap),
        "density_models_summary": pd.DataFrame(
            {"target": ["line1", "student"], "model": "cnf", "excess_nat": [0.1, 0.02]}
        ),
    }


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_says_what_it_shows_for_light_and_dark_pages(study, rows, name):
    found = everywhere(study, rows, "supported")
    found = Facts(found.ledger, study.claims, lambda table: tables().get(table, pd.DataFrame()), "quick")
    drawn = picture(name, found)
    assert not drawn.alt.startswith("Nothing to show")
    assert not NONE.search(drawn.alt)
    assert b"prefers-color-scheme: dark" in drawn.svg
    assert len(drawn.svg) < 300_000
    assert picture(name, found) == drawn


@pytest.mark.parametrize("name", PICTURES)
def test_what_a_reader_explores_are_the_numbers_of_the_picture(study, rows, name):
    found = everywhere(study, rows, "supported")
    found = Facts(found.ledger, study.claims, lambda table: tables().get(table, pd.DataFrame()), "quick")
    drawn = picture(name, found)
    data = json.loads(drawn.data)
    assert data["alt"] == drawn.alt
    shown = [p for panel in data["panels"] for series in panel["series"] for p in series["points"]]
    assert shown
    for point in shown:
        assert not NONE.search(point["said"])
        assert number(point["value"], 3) in point["said"].replace(",", "")
    for panel in data["panels"]:
        assert all(re.fullmatch("#[0-9a-f]{6}", c) for series in panel["series"] for c in series["colours"])


def test_a_baseline_has_the_interval_of_its_table_where_the_number_is_the_same(study, rows):
    summary = pd.DataFrame(
        {"system": "gated", "arm": ["stepper", "sindy"], "field_error_pct": [0.5, 0.7], "field_error_pct_low": 0.4, "field_error_pct_high": 0.6}
    )  # fmt: skip
    base = everywhere(study, rows, "supported").ledger
    found = facts(
        study, base, lambda name: summary if name == "dynamics_walkthrough_summary" else pd.DataFrame()
    )
    assert found.around("C18a", "residual stepper") == (0.4, 0.6)
    assert all(map(math.isnan, found.around("C18a", "SINDy")))
    assert all(map(math.isnan, found.around("C18a", "gradient matching")))


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("verdict", WITHOUT)
def test_a_picture_without_data_says_so(study, rows, name, verdict):
    drawn = picture(name, everywhere(study, rows, verdict))
    assert drawn.alt.startswith("Nothing to show: ")
    assert drawn.svg.startswith(b"<?xml")
    assert drawn.data == ""


def test_a_missing_number_is_not_drawn(study, rows):
    found = everywhere(study, rows, "supported", beside=np.nan)
    alt = picture("recovery", found).alt
    assert "gradient matching" not in alt
    assert "Neural ODE" in alt


@pytest.mark.parametrize(
    ("low", "high", "error"), [(-0.02, 0.1, False), (0.2, 0.4, True), (-0.4, -0.2, True)]
)
def test_a_picture_names_errors_only_where_they_can_be_told_apart(study, rows, low, high, error):
    assert (
        told_apart(facts(study, rows, C09a={"estimate": (low + high) / 2, "low": low, "high": high})) == error
    )
    said = _says({"test error\n(MNIST)": 1.2, "step time\n(MNIST)": 8.0}, error)
    assert said == f"Beside a residual net: more {'error and time' if error else 'time'}"


@pytest.mark.parametrize(("last", "told"), [(3.9, True), (0.3, False)])
def test_a_training_that_went_astray_is_told_beside_the_mean(study, rows, last, told):
    excess = [0.2, 0.25, 0.28, 0.27, last]
    flow = {"target": "checkerboard", "model": "cnf", "train_steps": 16, "iterations": 8000}
    curve = pd.DataFrame(flow | {"excess_nat": excess})
    base = everywhere(study, rows, "answered").ledger
    mean = float(np.exp(np.log(excess).mean()))
    found = facts(
        study,
        base,
        lambda name: curve if name == "density_curve" else no_table(name),
        C22a={"estimate": mean},
    )
    words = "1 of them went astray, to 3.9 nat, the others end between 0.20 and 0.28"
    assert (words in say("density", found)) == told


def test_controls_that_a_longer_training_lacks_are_those_of_the_shorter_one(study, rows):
    base = everywhere(study, rows, "supported").ledger
    lacking = {"beside": json.dumps([0.5, 0.4, None, None, 0.42, 0.41])}
    said = say("residual_net", facts(study, base, C09d=lacking))
    assert not NONE.search(said)
    assert (
        "; after 5 epochs the ODE-Net errs on 0.50 %, a residual net of six blocks on 0.50 %, one of a"
        in said
    )
    assert "after 5 epochs" not in say("residual_net", facts(study, base))


def test_what_fewer_steps_cost_on_digits_stands_beside_the_answer_on_mnist(study, rows):
    steps = {
        "dataset": "digits",
        "epochs": 20,
        "ok": 5,
        "test_method": "rk4",
        "test_step": [1.0, 0.25, 0.125],
    }
    table = pd.DataFrame(steps | {"eval_s": [0.1, 0.4, 0.8], "test_error_pct": [9.0, 3.0, 2.0]})
    base = everywhere(study, rows, "supported").ledger
    said = say("advantages", facts(study, base, lambda name: table if "sweep" in name else pd.DataFrame()))
    assert (
        "; on small images of digits, after 20 epochs of training, by RK4 1 step in place of 4 takes 0.25 times as long, "
        "and the net errs on 9 % in place of 3 % (5 seeds)" in said
    )


def test_the_claims_say_which_were_decided_on_a_gpu(study, rows):
    base = everywhere(study, rows, "supported").ledger
    found = headlines(study.headlines, base).assign(tier="full")
    gpu = with_words(base, study).assign(device="hopper")
    assert "| full (GPU) |" in overview_table(found, gpu, study.headlines)
    assert "(GPU)" not in overview_table(found, gpu.assign(device="cpu"), study.headlines)
