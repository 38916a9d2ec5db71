"""The whole DAG on the smoke tier, in a copy of the clone: what a user sees from one command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from odestudy.study import load_study
from tests.workflow.clone import WITHOUT_SLURM, copy_of_clone, run


def page(smoke: Path) -> str:
    return (smoke / "results/smoke/report/index.html").read_text(encoding="utf-8")


pytestmark = pytest.mark.dag


def test_every_job_leaves_metrics_and_the_table_of_jobs_names_them(smoke):
    jobs = pd.read_csv(smoke / "results/smoke/tables/jobs.csv")
    assert jobs["ran"].all()
    failed = jobs[jobs["ok"] != jobs["rows"]]  # a stiff problem is beyond some explicit method: an outcome
    assert failed["job"].str.startswith("gradients_order/work").all()
    assert not jobs["stale"].any()
    for job in jobs["job"]:
        assert (smoke / "results/smoke/runs" / job / "metrics.json").is_file()


def test_the_ledger_has_every_claim_and_decides_the_deterministic_ones_alone(smoke):
    claims = {claim["id"]: claim for claim in load_study(smoke, "smoke").claims}
    ledger = pd.read_csv(smoke / "results/smoke/tables/ledger.csv")
    assert ledger["id"].tolist() == list(claims)
    decided = ledger.loc[ledger["verdict"].isin(["supported", "refuted", "answered"]), "id"]
    assert len(decided) >= 3
    assert all(claims[name].get("deterministic") for name in decided)


def test_a_new_system_appears_in_tables_and_report(smoke):
    table = pd.read_csv(smoke / "results/smoke/tables/dynamics_recovery.csv")
    assert "weak" in set(table["system"])
    assert "weak focus of a test" in page(smoke)


def test_the_report_loads_nothing_from_outside(smoke):
    html = page(smoke)
    loaded = re.findall(r'<(?:img|script|link|source|iframe)[^>]+(?:src|href)="([^"]{0,80})', html)
    assert loaded
    assert all(address.startswith("data:") for address in loaded)


def test_every_citation_is_found_and_no_template_is_left_over(smoke):
    html = page(smoke)
    assert "citation" not in (smoke / "results/smoke/logs/report.log").read_text()
    for rest in ("{{", "}}", "{%", "**", "]{."):
        assert rest not in re.sub(
            r"<style.*?</style>|<script.*?</script>|data:[^\"]+", "", html, flags=re.S
        ), rest
    assert re.search(r"<h1[^>]*>Images, against residual networks</h1>", html)


def test_the_pdf_is_a_pdf_with_vector_figures(smoke):
    pdf = (smoke / "results/smoke/report/report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) < 4 * 2**20


def test_every_figure_has_a_caption_and_an_alternative_text(smoke):
    files = list((smoke / "results/smoke/figures").glob("*.json"))
    assert len(files) >= 9
    for file in files:
        about = json.loads(file.read_text())
        assert len(about["caption"]) > 20, file
        assert len(about["alt"]) > 20, file


def test_moving_figures_lie_beside_the_page_and_have_a_strip_of_frames_in_it(smoke):
    figures = smoke / "results/smoke/figures"
    moving = [f.stem for f in figures.glob("*.json") if json.loads(f.read_text())["animated"]]
    assert moving
    for name in moving:
        assert f'href="../figures/{name}.gif"' in page(smoke)
        with Image.open(figures / f"{name}.gif") as picture:
            assert picture.n_frames > 1, name
        assert (figures / f"{name}.svg").is_file()


def test_a_second_run_has_nothing_to_do(smoke):
    assert "Nothing to be done" in (done := run(smoke, "--config", "tier=smoke")).stderr + done.stdout


def test_figures_are_remade_with_the_same_bytes_and_without_training(smoke):
    figure = smoke / "results/smoke/figures/images_memory.svg"
    pdf = figure.with_suffix(".pdf")
    before = figure.read_bytes(), pdf.read_bytes()
    figure.unlink()
    done = run(smoke, "results/smoke/figures/images_memory.svg")
    assert "rule smoke_" not in done.stderr
    assert (figure.read_bytes(), pdf.read_bytes()) == before


def test_a_question_can_be_made_alone(smoke):
    done = run(smoke, "-n", "results/smoke/dynamics.done")
    assert "images" not in re.sub(r"Config.*", "", done.stdout)


@pytest.mark.slow
def test_snakemakes_own_report_works(smoke):
    run(smoke, "--config", "tier=smoke", "--report", "snakemake-report.html")
    assert (smoke / "snakemake-report.html").stat().st_size > 50_000


def test_bad_configuration_stops_before_any_job_with_one_line(tmp_path):
    folder = copy_of_clone(tmp_path)
    tier = folder / "config/tiers/smoke.yaml"
    tier.write_text(tier.read_text().replace("iterations: 40", "iterationz: 40"))
    done = run(folder, "--config", "tier=smoke", check=False)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("odestudy:")]
    assert len(lines) == 1
    assert "config/tiers/smoke.yaml" in lines[0]
    assert "iterationz" in lines[0]
    assert "Traceback" not in done.stderr
    assert not (folder / "results").exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("tier=huge", "smoke, quick, cpu, full"),
        ("tires=smoke", "unknown key"),
        ("questions=image", "allowed: dynamics"),
    ],
)
def test_bad_settings_on_the_command_line_are_refused_in_one_line(tmp_path, setting, words):
    done = run(copy_of_clone(tmp_path), "-n", "--config", setting, check=False)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_full_tier_can_be_planned(tmp_path):
    run(copy_of_clone(tmp_path), "-n", "--quiet", "all", "--config", "tier=full")


def test_the_full_tier_says_what_it_lacks_where_there_is_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setitem(WITHOUT_SLURM, "CUDA_VISIBLE_DEVICES", "")
    folder = copy_of_clone(tmp_path)
    warning = yaml.safe_load((folder / "config/tiers/full.yaml").read_text())["without_gpu"]
    study = load_study(folder, "full", {"questions": "images"})
    job = study.jobs_by["images", "sizes"][0]
    target = job.metrics(Path("results/full"))
    said = run(folder, "--config", "tier=full", "--", str(target)).stderr
    assert said.count(f"odestudy: tier full without a GPU: {warning}") == 1
    assert (folder / target).is_file()
