"""Comparing, publishing and verifying folders of results."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odestudy.analysis.csvs import read_csv
from odestudy.cli.main import main
from odestudy.errors import DataError
from odestudy.publication.comment import as_markdown
from odestudy.publication.compare import AT_EQUAL_TIME, _numbers, compare, read_results
from odestudy.publication.manifest import read_manifest, sums_of, write_manifest
from odestudy.publication.publish import publish
from odestudy.publication.shown import as_text, write_html, write_json
from odestudy.publication.thin import thinned
from odestudy.publication.verify import NUMBERS, differences
from odestudy.runtime.packed import Packed, read_packed, write_packed
from odestudy.runtime.store import seal, write_metrics
from odestudy.study import load_study
from odestudy.study.claims import Headline

ROOT = Path(__file__).resolve().parents[2]


def folder(
    path: Path, *, error: tuple[float, ...] = (1.0, 0.8, 1.2), seconds: tuple[float, ...] = (1.0, 2.0),
    verdict: str = "supported", tier: str = "quick", device: str = "a processor",
) -> Path:  # fmt: skip
    """A results folder with one table of two cases, one claim and one job."""
    tables = path / "tables"
    tables.mkdir(parents=True)
    measures = dict(zip(("error", "error_low", "error_high"), error, strict=True))
    rows = [{"arm": f"arm{i}", "runs": 5, "ok": 5, **measures, "train_s": s} for i, s in enumerate(seconds)]
    summary = pd.DataFrame(rows).assign(train_s_low=float("nan"), train_s_high=float("nan"))
    summary.to_csv(tables / "errors_summary.csv", index=False)
    claim = {
        "id": "C01",
        "verdict": verdict,
        "estimate": 1.0,
        "low": 0.5,
        "high": 2.0,
        "reason": "",
        "detail": "",
    }
    pd.DataFrame([claim | {"tier": tier}]).to_csv(tables / "ledger.csv", index=False)
    pd.DataFrame([{"job": "a/b", "device_name": device}]).to_csv(tables / "jobs.csv", index=False)
    return path


def outcomes(a: Path, b: Path, metric: str) -> list[str]:
    found = compare(read_results(a, ROOT), read_results(b, ROOT), {"train_s"})
    return found.metrics.loc[found.metrics["metric"] == metric, "outcome"].tolist()


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        ((1.3, 1.1, 1.5), "reproduced"),  # intervals overlap
        ((1.4, 1.21, 1.6), "differs"),
        ((1.009, float("nan"), float("nan")), "reproduced"),  # no interval: within 1 %
        ((1.02, float("nan"), float("nan")), "differs"),
        ((float("nan"),) * 3, "missing"),
    ],
)
def test_metrics_are_judged_by_overlap_or_by_relative_difference(tmp_path, other, outcome):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b", error=other)
    assert outcomes(a, b, "error") == [outcome] * 2


def test_times_are_judged_after_the_machines_typical_ratio(tmp_path):
    a = folder(tmp_path / "a", seconds=(1.0, 2.0, 3.0))
    assert outcomes(a, folder(tmp_path / "b", seconds=(10.0, 20.0, 30.0)), "train_s") == ["reproduced"] * 3
    assert outcomes(a, folder(tmp_path / "c", seconds=(10.0, 20.0, 70.0)), "train_s") == [
        "reproduced", "reproduced", "differs",
    ]  # fmt: skip


def test_a_table_that_one_side_lacks_is_missing(tmp_path):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b")
    (b / "tables/errors_summary.csv").unlink()
    assert outcomes(a, b, "error") == ["missing"] * 2


@pytest.mark.parametrize(
    ("there", "outcome", "code"),
    [("supported", "same", 0), ("inconclusive", "changed", 0), ("refuted", "flipped", 1)],
)
def test_only_a_flipped_verdict_gives_exit_code_1(tmp_path, capsys, there, outcome, code):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b", verdict=there)
    assert main(["compare", str(a), str(b), "--json", str(tmp_path / "c.json")]) == code
    assert json.loads((tmp_path / "c.json").read_text())["verdicts"][0]["outcome"] == outcome
    assert (f"{outcome}: C01" in capsys.readouterr().out) == (outcome != "same")


CLAIM = Headline(title="It <works>.", headline="C01", meant="That.", fair="So.", change="This.")
ROW = {"C01": {"says": "It works | well.", "estimand": {"unit": "%"}}}


def comment(a: Path, b: Path) -> str:
    return as_markdown(compare(read_results(a, ROOT), read_results(b, ROOT), set()), {"C01": CLAIM}, ROW)


def test_a_comment_on_a_change_begins_with_the_claims_whose_verdict_is_another(tmp_path):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b", verdict="refuted", error=(1.4, 1.21, 1.6))
    text = comment(a, b)
    first, claims, rows, metrics = text.split("\n\n", 1)[0], *re.split(r"<details>|</details>", text)
    assert first.endswith("1 claim and 1 row changed.")
    assert r"| C01: It \<works\>. | ✓ supported | **✗ refuted** |" in claims
    assert r"| C01: It works \| well. | ✓ supported, 1.00 \[0.50, 2.00\] % |" in rows
    assert metrics.strip() == "Of 4 metrics 2 differ (`errors` 2), 0 are on one side only."


def test_a_comment_where_nothing_changed_is_two_lines(tmp_path):
    lines = [line for line in comment(folder(tmp_path / "a"), folder(tmp_path / "b")).splitlines() if line]
    assert len(lines) == 2
    assert lines[0].endswith("none changed.")


def test_a_claim_that_one_side_lacks_is_told_as_a_row_and_no_claim(tmp_path):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b")
    ledger = read_csv(b / "tables/ledger.csv")
    ledger.assign(id="C99").to_csv(b / "tables/ledger.csv", index=False)
    text = comment(a, b)
    assert "no claim and 1 row changed." in text
    assert "✓ supported, 1.00" in text
    assert "| none, " in text


def test_the_command_prints_the_comment(tmp_path, capsys):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b")
    assert main(["compare", str(a), str(b), "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("**Verdicts**, from ")


def test_other_tiers_and_folders_without_tables_are_refused(tmp_path, capsys):
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b", tier="smoke")
    assert main(["compare", str(a), str(b)]) == 2
    assert "--across-tiers" in capsys.readouterr().err
    assert main(["compare", str(a), str(b), "--across-tiers"]) == 0
    (tmp_path / "nothing").mkdir()
    assert main(["compare", str(a), str(tmp_path / "nothing")]) == 2
    assert "no tables/ledger.csv" in capsys.readouterr().err


def test_the_page_shows_names_from_files_as_text(tmp_path):
    found = compare(
        read_results(folder(tmp_path / "a", device="<script>x</script>"), ROOT),
        read_results(folder(tmp_path / "b"), ROOT),
        set(),
    )
    write_html(found, tmp_path / "c.html", ROOT, {"C01": "one | <script>"})
    page = (tmp_path / "c.html").read_text()
    assert "<script>x" not in page
    assert "one | &lt;script&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    write_json(found, tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["a"]["devices"] == "<script>x</script>"
    assert "1 of 1 verdicts are the same" in as_text(found)


def test_the_manifest_is_sha256sums_own_and_leaves_out_hidden_files(tmp_path):
    for name in ("runs/a.json", ".hidden/y"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path)
    assert (
        read_manifest(tmp_path)
        == {"runs/a.json": hashlib.sha256(b"runs/a.json").hexdigest()}
        == sums_of(tmp_path)
    )
    done = subprocess.run(
        ["sha256sum", "-c", "manifest.sha256"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "runs/a.json: OK\n"


@pytest.mark.parametrize("text", ["nonsense\n", "0" * 63 + "  a\n", None])
def test_a_manifest_that_is_none_is_refused_in_one_line(tmp_path, text):
    if text is not None:
        (tmp_path / "manifest.sha256").write_text(text)
    with pytest.raises(DataError) as error:
        read_manifest(tmp_path)
    assert "\n" not in str(error.value)


def test_a_metric_that_is_the_end_of_an_interval_is_no_stumbling_block():
    columns = ["problem", "runs", "ok", "order", "order_low", "order_high", "order_low.1", "order_low_low"]
    row = dict(zip(columns, ["p", 1, 1, 2.0, 1.9, 2.1, 1.9, float("nan")], strict=True))
    assert _numbers(pd.DataFrame([row])) == {("p", "order"): (2.0, 1.9, 2.1)}


def test_a_flag_of_the_clock_and_what_was_done_in_equal_time_are_no_difference(tmp_path):
    a, b = (
        pd.DataFrame(
            {"target": ["t"], "runs": [5], "ok": [5]}
            | {
                f"{c}{end}": [value]
                for c in ("noisy", "equal_time", "iterations", "samples_used", "budget_s", "error")
                for end in ("", "_low", "_high")
            }
        )
        for value in (1.0, 9.0)
    )
    assert {metric for frame in (a, b) for _, metric in _numbers(frame)} == {"budget_s", "error"}
    apart = a.drop(columns=[f"budget_s{end}" for end in ("", "_low", "_high")])
    assert {metric for _, metric in _numbers(apart)} == {"iterations", "samples_used", "error"}


def test_every_table_of_the_study_that_trains_for_a_given_time_is_told_by_its_budget():
    """What `compare` leaves out at equal time hangs on the name of a column that the tables have."""
    study = load_study(ROOT, "quick")
    tables = [t for q in study.questions.values() for t in q["tables"].values()]
    assert sum(AT_EQUAL_TIME in t["summary"]["columns"] for t in tables) >= 2
    for table in tables:
        if "spent_s" in table["summary"]["columns"]:
            assert AT_EQUAL_TIME in table["summary"]["columns"]


@pytest.fixture(scope="module")
def published_ledger():
    return read_csv(ROOT / "results/published/quick-cpu/ledger.csv")


def test_last_digits_of_a_ledger_are_no_difference(published_ledger):
    numbers = list(NUMBERS)
    moved = published_ledger.assign(**(published_ledger[numbers] * (1 + 1e-12)))
    assert not moved[numbers].equals(published_ledger[numbers])
    assert differences(published_ledger, moved) == []


@pytest.mark.parametrize("column", ["estimate", "low", "p_for"])
def test_a_changed_number_of_a_ledger_is_named(published_ledger, column):
    row = published_ledger[column].abs().replace(float("inf"), float("nan")).idxmax()
    forged = published_ledger.copy()
    forged.loc[row, column] *= 1.001
    (line,) = differences(forged, published_ledger)
    assert line.startswith(f"ledger.csv: {published_ledger['id'][row]}, {column}: published ")


def test_a_changed_verdict_and_a_lost_row_are_named(published_ledger):
    forged = published_ledger.copy()
    forged.loc[0, "verdict"] = "refuted"
    first = published_ledger.loc[0]
    assert differences(forged.drop(index=3), published_ledger) == [
        f"ledger.csv: {published_ledger['id'][3]}: missing",
        f"ledger.csv: {first['id']}, verdict: published refuted, the metrics give {first['verdict']}",
    ]
    assert differences(published_ledger, published_ledger.drop(index=3)) == [
        f"ledger.csv: {published_ledger['id'][3]}: does not follow from the metrics"
    ]


def test_packing_keeps_metrics_and_arrays_and_gives_the_same_bytes_each_time(tmp_path):
    metrics = {f: {"rows": rows} for f, rows in (("b/y", [{"error": 0.1, "seed": 0}]), ("a/x", []))}
    metrics = {f: content | {"seal": seal(content)} for f, content in metrics.items()}
    arrays = {
        "a/x": {"curve": np.linspace(0, 1, 5, dtype=np.float32), "labels": np.arange(3, dtype=np.uint8)}
    }
    for name in ("one", "two"):
        write_packed(tmp_path / name, "question", Packed(metrics, arrays))
    found = read_packed(tmp_path / "one")["question"]
    assert found.metrics == metrics
    assert found.arrays.keys() == arrays.keys()
    for name, array in arrays["a/x"].items():
        np.testing.assert_array_equal(found.arrays["a/x"][name], array, strict=True)
    assert sums_of(tmp_path / "one") == sums_of(tmp_path / "two")


def test_arrays_are_cut_to_what_is_shown_with_the_bits_that_a_picture_needs():
    arrays = {
        "curve": np.full(10, 1 / 3),
        "map": np.full(20_000, 1 / 3),
        "far": np.full(20_000, 1e6),
        "unseen": np.ones(9),
    }
    packed = Packed(
        {"a/x": {}, "a/y": {}}, {"a/x": arrays | {"counted": np.arange(4)}, "a/y": {"curve": np.ones(9)}}
    )
    found = thinned(packed, {"a/x": {"curve", "map", "far"}})
    assert {n: a.dtype.name for n, a in found.arrays["a/x"].items()} == {
        "curve": "float64", "map": "float16", "far": "float32", "counted": "int64",
    }  # fmt: skip
    assert "a/y" not in found.arrays
    assert found.metrics == packed.metrics


def test_a_folder_that_is_not_published_is_refused_in_one_line(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "no published results" in capsys.readouterr().err


def test_publishing_a_part_of_a_tier_leaves_the_rest_of_it_published(study_copy):
    whole = load_study(study_copy, "smoke")
    part = load_study(study_copy, "smoke", {"questions": "images"})
    job = part.jobs_by["images", "sizes"][0]
    other = whole.jobs_by["gradients", "identities"][0]
    content = {"rows": {}, "provenance": {"device_name": "a processor", "versions": {}}}
    results = study_copy / "results/published/smoke-cpu"
    kept = {"format": 1, **content, "spec": other.spec, "code": "elsewhere"}
    kept["seal"] = seal(kept)
    write_packed(results, "gradients", Packed({other.folder: kept, "gradients_order/of-an-older-tier": kept}))
    write_manifest(results)
    write_metrics(job.metrics(part.results), content | {"spec": job.spec, "code": whole.code_of(job)}, {})
    assert publish(part, partial=True) == results
    found = {q: list(packed.metrics) for q, packed in read_packed(results).items()}
    assert found == {"images": [job.folder], "gradients": [other.folder]}


def test_make_publish_runs_and_packs_the_questions_that_are_asked_for():
    made = ["make", "--dry-run", "publish", "TIER=cpu", "QUESTIONS=images", "SEEDS=2"]
    text = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert any("odestudy study" in line and "images" in line for line in text.splitlines())
    assert "odestudy publish --tier cpu --questions images --seeds 2" in text


def test_make_report_shows_what_is_published_unless_a_tier_is_named():
    for words, said in (([], "odestudy report"), (["TIER=smoke"], "results/smoke/report/index.html")):
        done = subprocess.run(
            ["make", "--dry-run", "report", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert said in done.stdout


@pytest.fixture
def some_published(study_copy, monkeypatch):
    """A clone, here, with a published folder of one job, which is laid out under results/shown already."""
    study = load_study(study_copy, "smoke", {"questions": "images"})
    job = study.jobs_by["images", "sizes"][0]
    content = {"rows": {}, "provenance": {"device_name": "a processor", "versions": {}}}
    write_metrics(job.metrics(study.results), content | {"spec": job.spec, "code": study.code_of(job)}, {})
    monkeypatch.chdir(study_copy)
    return publish(study, partial=True).relative_to(study_copy)


def refused(capsys, *command):
    assert main([str(word) for word in command]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("command", ["compare", "report", "publish --judge"])
def test_altered_metrics_are_refused_though_they_were_laid_out_before(some_published, capsys, command):
    (some_published / "metrics/images.json.xz").write_bytes(b"damaged")
    folders = [some_published] * (2 if command == "compare" else 1)
    line = refused(capsys, *command.split(), *folders)
    assert f"{some_published}/metrics/images.json.xz: not as it was published" in line


@pytest.mark.parametrize("command", ["compare", "verify", "report", "publish --judge"])
def test_a_published_folder_of_another_name_is_refused_by_its_name(some_published, capsys, command):
    renamed = some_published.rename(some_published.with_name("mine"))
    folders = [renamed] * (2 if command == "compare" else 1)
    line = refused(capsys, *command.split(), *folders)
    assert f"{renamed}: a published folder is named <tier>-<device>; tiers: smoke" in line


@pytest.mark.parametrize("command", ["compare", "verify", "report"])
def test_a_folder_that_is_none_or_has_no_manifest_is_told_so(some_published, tmp_path, capsys, command):
    def said(folder):
        return refused(capsys, command, *[folder] * (2 if command == "compare" else 1))

    assert said(tmp_path / "nope").endswith("nope: no such folder")
    if command != "compare":
        assert "published: no manifest.sha256, but published folders: smoke-cpu;" in said(
            some_published.parent
        )
    (some_published / "manifest.sha256").unlink()
    assert f"{some_published}: no manifest.sha256" in said(some_published)


@pytest.mark.parametrize("more", ["--tier smoke", "--seeds 2", "--partial", "--device cpu"])
def test_judging_a_folder_again_takes_no_other_option(some_published, capsys, more):
    line = refused(capsys, "publish", "--judge", some_published, *more.split())
    assert f"--judge {some_published}: takes its tier and all else from the folder" in line
