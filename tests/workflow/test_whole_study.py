"""The whole DAG on the smoke tier, in a copy of the clone: what a user sees from one command."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from odestudy.measure.store import seal
from tests.workflow.clone import SNAKEMAKE, WITHOUT_SLURM, copy_of_clone, run
from tests.workflow.disturbed import unmeasured

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = "images,timeseries"  # of what is published


def page(smoke: Path) -> str:
    return (smoke / "results/smoke/report/index.html").read_text(encoding="utf-8")


pytestmark = pytest.mark.dag


def test_the_smoke_tier_takes_under_five_minutes(smoke):
    assert float((smoke / "seconds").read_text()) < 300


def test_every_job_leaves_metrics_and_the_table_of_jobs_names_them(smoke):
    jobs = pd.read_csv(smoke / "results/smoke/tables/jobs.csv")
    assert jobs["ran"].all()
    failed = jobs[jobs["ok"] != jobs["rows"]]  # a stiff problem is beyond some explicit method: an outcome
    assert failed["job"].str.startswith("gradients_order/work").all()
    assert not jobs["stale"].any()
    for job in jobs["job"]:
        assert (smoke / "results/smoke/runs" / job / "metrics.json").is_file()


def test_the_ledger_has_all_31_claims_and_its_columns(smoke):
    ledger = pd.read_csv(smoke / "results/smoke/tables/ledger.csv")
    assert {"id", "verdict", "estimate", "low", "high", "seeds", "tier", "question"} <= set(ledger)
    assert ledger["id"].str[:3].nunique() == 31
    assert set(ledger["tier"]) == {"smoke"}
    deterministic = ledger[ledger["verdict"].isin(["supported", "refuted", "answered"])]
    assert set(deterministic["id"].str[:3]) <= {
        "C01",
        "C02",
        "C03",
        "C04",
        "C10",
        "C16",
        "C19",
        "C20",
        "C21",
        "C24",
        "C25",
        "C26",
        "C30",
        "C31",
    }
    assert len(deterministic) >= 3


def test_a_new_system_appears_in_tables_and_report(smoke):
    table = pd.read_csv(smoke / "results/smoke/tables/dynamics_recovery.csv")
    assert "weak" in set(table["system"])
    assert "weak focus of a test" in page(smoke)


def test_the_report_loads_nothing_from_outside_and_every_link_to_data_works(smoke):
    html = page(smoke)
    loaded = re.findall(r'<(?:img|script|link|source|iframe)[^>]+(?:src|href)="([^"]{0,80})', html)
    assert loaded
    assert all(address.startswith("data:") for address in loaded)
    links = {a for a in re.findall(r'<a[^>]+href="([^"#]+)"', html) if not a.startswith(("http", "mailto"))}
    assert len(links) > 20
    for link in links:
        assert (smoke / "results/smoke/report" / link).exists(), link


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


def test_moving_figures_play_in_the_html_and_have_a_strip_of_frames_beside_them(smoke):
    figures = smoke / "results/smoke/figures"
    moving = [f.stem for f in figures.glob("*.json") if json.loads(f.read_text())["animated"]]
    assert moving
    assert page(smoke).count("data:image/gif;base64,") == len(moving)
    for name in moving:
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
    assert "rule job:" not in done.stderr
    assert (figure.read_bytes(), pdf.read_bytes()) == before


def test_a_question_can_be_made_alone(smoke):
    done = run(smoke, "-n", "results/smoke/dynamics.done")
    assert "images" not in re.sub(r"Config.*", "", done.stdout)


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


def test_the_full_tier_is_planned_in_under_ten_seconds(tmp_path):
    folder = copy_of_clone(tmp_path)
    begun = time.monotonic()
    run(folder, "-n", "--quiet", "all", "--config", "tier=full")
    assert time.monotonic() - begun < 10


def test_a_run_that_is_killed_in_a_job_resumes_with_the_same_tables(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    target = "results/smoke/tables/dynamics_recovery.csv"
    process = subprocess.Popen(
        [*SNAKEMAKE, target],
        cwd=folder,
        env=WITHOUT_SLURM,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    runs = folder / "results/smoke/runs"
    deadline = time.monotonic() + 60
    while len(list(runs.rglob("metrics.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # A rewritten file is another inode; Snakemake touches what it had not noted as finished when it was killed.
    finished = {p: p.stat().st_ino for p in runs.rglob("metrics.json")}
    whole = pd.read_csv(smoke / target).drop(columns="train_s")
    assert 3 <= len(finished) < whole["job"].nunique(), "killed too late to leave anything"
    run(folder, target)
    kept = [p for p, before in finished.items() if p.stat().st_ino == before]
    assert kept == list(finished), "finished jobs were repeated"
    resumed = pd.read_csv(folder / target).drop(columns="train_s")
    pd.testing.assert_frame_equal(resumed, whole[whole["system"] != "weak"].reset_index(drop=True))


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_one_lives(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    target = "results/smoke/tables/images_cost.csv"  # its jobs outlast the second run's start
    first = subprocess.Popen(
        [*SNAKEMAKE, target],
        cwd=folder,
        env=WITHOUT_SLURM,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    lock = folder / ".snakemake/odestudy.lock"
    deadline = time.monotonic() + 60
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    second = run(folder, target, check=False)
    by_hand = [sys.executable, "-m", "odestudy.cli", "run", "--tier", "smoke", "images_sizes"]
    third = subprocess.run(by_hand, cwd=folder, capture_output=True, text=True, check=False)
    assert first.poll() is None, "the first run ended too early to be in the way"
    for refused in (second, third):
        assert refused.returncode != 0
        assert "another run is going on" in refused.stderr
    assert first.wait(120) == 0
    found, wanted = (unmeasured(where, target, "images") for where in (folder, smoke))
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)


def test_a_job_is_run_again_when_its_code_changed_or_its_metrics_were_edited(smoke, tmp_path):
    """Snakemake's own memory is not in the folder, so that only the metrics can tell."""
    folder = copy_of_clone(tmp_path)
    target = "results/smoke/tables/images_sizes.csv"
    jobs = [p for p in (smoke / "results/smoke/runs/images_sizes").iterdir() if p.name.startswith("mnist-")]
    for job in jobs:
        shutil.copytree(job, folder / "results/smoke/runs/images_sizes" / job.name)
    assert "rule job:" not in run(folder, "-n", target).stdout
    files = [folder / "results/smoke/runs/images_sizes" / job.name / "metrics.json" for job in jobs]
    whole = [json.loads(file.read_text()) for file in files]
    older = whole[0] | {"code": "older"}
    edited = json.loads(json.dumps(whole[1:3]))
    for content in edited:
        content["rows"]["runs"][0]["parameters"] -= 1
    del edited[1]["seal"]
    altered = [json.dumps(older | {"seal": seal(older)}), *map(json.dumps, edited), "{ half a file"]
    for file, text in zip(files, altered, strict=True):
        file.write_text(text)
    assert run(folder, target).stderr.count("rule job:") == len(files) == 4
    for file, content in zip(files, whole, strict=True):
        found = json.loads(file.read_text())
        assert (found["rows"], found["code"]) == (content["rows"], content["code"])
    assert "Nothing to be done" in (done := run(folder, target)).stderr + done.stdout


def test_what_is_shown_is_remade_when_the_configuration_that_it_shows_changes(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / "results", folder / "results")
    shutil.copytree(smoke / ".snakemake", folder / ".snakemake", ignore=shutil.ignore_patterns("*.socket"))
    for file in ("config/systems.yaml", "config/tiers/smoke.yaml"):
        shutil.copy(smoke / file, folder / file)
    tier = folder / "config/tiers/smoke.yaml"
    tier.write_text(tier.read_text().replace("title: The machinery", "title: All the machinery"))
    done = run(folder, "-n", "--config", "tier=smoke")
    assert "rule report:" in done.stdout + done.stderr
    assert "rule job:" not in done.stdout + done.stderr


def test_a_job_fails_alone_and_leaves_its_traceback_in_its_log(tmp_path):
    folder = copy_of_clone(tmp_path)
    (folder / "shaky.py").write_text(
        "def field(t, z):\n    if t > 0.5:\n        raise ValueError('no slope so late')\n    return -z\n"
    )
    shaky = {
        "label": "a test's own",
        "field": "shaky.py:field",
        "z0": [1.0, 0.0],
        "horizon": 10.0,
        "groups": ["recover"],
    }
    systems = folder / "config/systems.yaml"
    systems.write_text(systems.read_text() + yaml.safe_dump({"shaky": shaky}))
    tier = folder / "config/tiers/smoke.yaml"
    tier.write_text(tier.read_text().replace("system: [focus, gated]", "system: [shaky]"))
    done = run(
        folder,
        "results/smoke/tables/dynamics_recovery.csv",
        "results/smoke/tables/images_sizes.csv",
        check=False,
    )
    assert done.returncode != 0
    assert (folder / "results/smoke/tables/images_sizes.csv").is_file()
    log = "".join(file.read_text() for file in (folder / "results/smoke/logs/runs/dynamics").glob("*.log"))
    assert "Traceback" in log
    assert "ValueError: no slope so late" in log


def test_published_metrics_are_shown_as_they_are_and_marked_where_they_are_stale(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    source, target = smoke / "results/smoke/runs", folder / "results/published/smoke-test/runs"
    shutil.copytree(source / "images_sizes", target / "images_sizes")
    sizes = sorted(target.glob("images_sizes/mnist-*"))
    shutil.rmtree(sizes[0])
    changed = sizes[1] / "metrics.json"
    content = json.loads(changed.read_text())
    older = content | {"code": "older"}
    changed.write_text(json.dumps(older | {"seal": seal(older)}))
    done = run(folder, "results/published/smoke-test/report/index.html")
    assert "rule job:" not in done.stderr
    jobs = pd.read_csv(folder / "results/published/smoke-test/tables/jobs.csv")
    assert (~jobs["ran"]).sum() == 1 + (~jobs["job"].str.startswith("images_sizes/")).sum()
    assert jobs.loc[jobs["stale"] == True, "job"].tolist() == [f"images_sizes/{sizes[1].name}"]  # noqa: E712  (has gaps)
    html = (folder / "results/published/smoke-test/report/index.html").read_text()
    assert "1 jobs are stale" in html
    assert json.loads(changed.read_text())["code"] == "older"


def test_the_report_of_two_questions_takes_under_half_a_minute(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    shutil.copytree(smoke / "results/smoke/runs", folder / "results/published/smoke-again/runs")
    begun = time.monotonic()
    run(folder, "results/published/smoke-again/report/index.html", "--config", "questions=dynamics,images")
    assert time.monotonic() - begun < 30


def test_a_run_is_published_verified_and_every_change_to_it_is_found(smoke, tmp_path):
    folder = copy_of_clone(tmp_path)
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (folder / "results").mkdir()
    (folder / "results/smoke").symlink_to(smoke / "results/smoke")
    shutil.copy(smoke / "config/systems.yaml", folder / "config/systems.yaml")
    shutil.copy(smoke / "config/tiers/smoke.yaml", folder / "config/tiers/smoke.yaml")

    def odestudy(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "odestudy.cli", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    published = Path(odestudy("publish", "--tier", "smoke", "--questions", QUESTIONS).stdout.strip())
    assert published.as_posix() == "results/published/smoke-cpu"
    run(folder, f"{published}/manifest.sha256", "--config", "tier=smoke", f"questions={QUESTIONS}")
    found = tmp_path / "found.json"
    assert odestudy("compare", "results/smoke", str(published), "--json", str(found)).returncode == 0
    compared = [
        row["outcome"]
        for row in json.loads(found.read_text())["metrics"]
        if row["table"].startswith(tuple(QUESTIONS.split(",")))
    ]
    assert len(compared) > 100
    assert set(compared) == {"reproduced"}
    table = folder / published / "tables/images_sizes.csv"
    table.write_text(table.read_text().replace("208266", "208267"))
    altered = odestudy("verify", str(published))
    assert (altered.returncode, altered.stdout.splitlines()[0]) == (1, "altered: tables/images_sizes.csv")
    forged = hashlib.sha256(table.read_bytes()).hexdigest()
    manifest = folder / published / "manifest.sha256"
    lines = [line for line in manifest.read_text().splitlines() if not line.endswith("/images_sizes.csv")]
    manifest.write_text("\n".join([*lines, f"{forged}  tables/images_sizes.csv"]) + "\n")
    said = odestudy("verify", str(published))
    assert said.returncode == 1
    # All that was published is made again from the metrics, and only what was forged is not as it was published.
    assert said.stdout.splitlines()[0] == "does not follow from the metrics: tables/images_sizes.csv"
    assert said.stdout.splitlines()[1].endswith(" of them made again from the metrics, 1 differ.")
