"""A file of claims says once what its rows share."""

from __future__ import annotations

import pytest

from odestudy.errors import ConfigError
from odestudy.study import load_study
from odestudy.study.claims import load_claims

FILE = "config/claims/gradients.yaml"


def test_rows_share_what_their_claim_and_measure_say_and_come_in_the_order_of_claims(root):
    rows, headlines, _ = load_claims(root, ["images", "gradients"])
    by = {row["id"]: row for row in rows}
    ids = [row["id"][:3] for row in rows]
    assert ids == sorted(ids)
    assert [row["question"] for row in rows if row["id"].startswith("C04")] == ["images"] * 6 + [
        "gradients"
    ] * 3
    assert by["C26a"]["sources"] == by["C26b"]["sources"]
    assert (
        by["C26a"]["estimand"]["where"]
        == by["C26b"]["estimand"]["where"]
        == {"fast": 1, "rtol": 1e-3, "batching": "shared"}
    )
    assert by["C02a"]["estimand"]["is"].endswith("explicit Euler")
    assert by["C02a"]["estimand"]["table"] == by["C02b"]["estimand"]["table"]
    assert (by["C29a"]["kind"], by["C26a"]["kind"]) == ("question", "claim")
    assert by["C29a"]["class"] == "finding"
    assert set(headlines) == {row["id"][:3] for row in rows}


def test_every_row_of_a_headline_has_its_baseline_or_limit_beside_it(root):
    study = load_study(root, "quick")
    beside = {claim["id"] for claim in study.claims if claim.get("beside")}
    assert not {row for about in study.headlines.values() for row in about.rows} - beside
    # A count of the card's items has neither.
    assert {claim["id"] for claim in study.claims} - beside == {"C31a"}


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (lambda d: d["claims"]["C01"].update(mesure="x"), "claims.C01.mesure: unknown key; allowed: accept"),
        (lambda d: d["claims"]["C01"].update(measure="bits"), "claims.C01.measure: 'bits' is not there; allowed: bits_of_blocks"),
        (lambda d: d["claims"]["C01"].update(accept="none"), "claims.C01.accept: 'none' is not there; allowed: no_bit"),
        (lambda d: d["claims"]["C02"]["rows"]["a"].pop("says"), "claims.C02a: needs 'says'"),
        (lambda d: d["claims"]["C02"].pop("title"), "claims.C02: needs 'title'"),
        (lambda d: d["margins"]["no_bit"].update(at_most="0"), "margins.no_bit.at_most: '0' is a string; allowed: number"),
        (lambda d: d["measures"]["order_gap"].update(column="gap"), "C02c: unknown column 'gap'"),
        (lambda d: d["measures"]["order_gap"].update(colum="gap"), "colum: unknown key"),
        (lambda d: d["measures"]["order_gap"].update(success="roundin"), "measure: order_gap.success: 'roundin' is not there; allowed:"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_claim_is_told_in_one_line(edit, how, says):
    root = edit(FILE, how)
    with pytest.raises(ConfigError) as caught:
        load_study(root, "smoke")
    said = str(caught.value)
    assert said.startswith(f"{FILE}: ")
    assert says in said
    assert "\n" not in said
