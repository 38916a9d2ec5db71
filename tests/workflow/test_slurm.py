"""Some experiments of the smoke tier through a real Slurm, one node with one counted GPU.

Slurm itself is asked what it was asked for and when it ran each job.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import pandas as pd
import pytest
import yaml

from odestudy.runtime.packed import Packed, write_packed
from odestudy.runtime.store import read_metrics
from odestudy.study import Study, load_study
from odestudy.study.batches import Batch
from odestudy.study.forecast import Request, expectations, request_of
from tests.workflow.clone import SNAKEMAKE, copy_of_clone
from tests.workflow.disturbed import unmeasured, without_others

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT.parent / "shared" / "tools" / "slurm_one_node.sh"
# With and without a GPU, timed and not, and few, since each of their jobs is a job of Slurm's.
KEPT = {
    "timeseries": ("released", "compare", "walkthrough", "batching"),
    "gradients": ("identities", "tolerance", "reverse"),
}
QUESTIONS = ",".join(KEPT)

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.dag]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[None]:
    """One node with two cores and one GPU, for as long as the tests last."""
    for program in ("slurmctld", "slurmd", "munged"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine (Debian: slurm-wlm, munge)")
    if not TOOL.is_file():
        pytest.skip(f"no {TOOL}, which sets up a cluster of one node")
    if os.geteuid() != 0:
        pytest.skip("a cluster of one node needs root")
    pytest.importorskip("snakemake_executor_plugin_slurm")
    state = {**os.environ, "STATE": str(tmp_path_factory.mktemp("slurm")), "CPUS": "2", "MEMORY_MIB": "12000"}
    up = subprocess.run(["bash", TOOL, "up"], env=state, capture_output=True, text=True, check=False)
    assert up.returncode == 0, up.stdout + up.stderr
    yield
    subprocess.run(["bash", TOOL, "down"], env=state, check=True)


@dataclass(frozen=True)
class Submitted:
    """A study that Slurm ran, what its batches were to ask for, and what Slurm says of each (scontrol show job).

    Of its tables those, with their questions, whose jobs are all of the local run's.
    """

    study: Study
    tables: dict[str, str]
    batches: dict[str, Batch]
    wanted: dict[str, Request]
    asked: dict[str, dict[str, str]]

    def span(self, batch: str) -> tuple[pd.Timestamp, pd.Timestamp]:
        return pd.Timestamp(self.asked[batch]["StartTime"]), pd.Timestamp(self.asked[batch]["EndTime"])


@pytest.fixture(scope="module")
def submitted(cluster, smoke, tmp_path_factory) -> Submitted:
    """A clone with the configuration of the local run and its records as published ones, whose batches Slurm ran.

    One job of a model is one process here, so that there are enough of them to take turns.
    """
    folder = copy_of_clone(tmp_path_factory.mktemp("submitted"))
    shutil.copytree(smoke / "config", folder / "config", dirs_exist_ok=True)
    tier = folder / "config/tiers/smoke.yaml"
    content = yaml.safe_load(re.sub(r"per_process: \d+", "per_process: 1", tier.read_text()))
    for question, kept in KEPT.items():
        own = content["questions"][question]
        own |= without_others(folder, question) | {name: own[name] for name in kept if name in own}
    tier.write_text(yaml.safe_dump(content))
    study, local = (load_study(root, "smoke", {"questions": QUESTIONS}) for root in (folder, smoke))
    same = {name for name, jobs in local.jobs_by.items() if study.jobs_by.get(name) == jobs}
    same |= set(local.dropped)
    tables = {
        name: question
        for name, (question, about) in study.tables.items()
        if {(question, experiment) for experiment in about["experiments"]} <= same
    }
    metrics = {f: read_metrics(smoke / f"results/smoke/runs/{f}/metrics.json") for f in study.jobs}
    write_packed(folder / "results/published/smoke-test", "all", Packed(metrics))
    expected, assumed = expectations(study), study.settings["assumed"]
    batches = {f"smoke_{batch.name}": batch for batch in study.batches}
    wanted = {name: request_of(batch.jobs, expected, assumed) for name, batch in batches.items()}
    profile = ["--workflow-profile", "workflow/profiles/slurm", "--slurm-status-command", "squeue"]
    profile += ["--slurm-init-seconds-before-status-checks", "1"]
    settings = ["--config", "tier=smoke", f"questions={QUESTIONS}", "gpus=always"]
    wanted_files = [f"results/smoke/tables/{name}.csv" for name in tables]
    done = subprocess.run(
        ["timeout", "-k", "5", "600", *SNAKEMAKE, *wanted_files, *profile, *settings],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    said = subprocess.run(
        ["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True, check=True
    )
    asked = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in said.stdout.splitlines()]
    return Submitted(
        study, tables, batches, wanted, {about["Comment"].removeprefix("rule_"): about for about in asked}
    )


def overlap(a: tuple[pd.Timestamp, pd.Timestamp], b: tuple[pd.Timestamp, pd.Timestamp]) -> bool:
    return max(a[0], b[0]) < min(a[1], b[1])


def test_every_batch_was_run_by_slurm_and_asked_for_what_was_recorded(submitted):
    assert set(submitted.asked) == set(submitted.batches)
    for batch, about in submitted.asked.items():
        wanted = submitted.wanted[batch]
        assert about["JobState"] == "COMPLETED", batch
        assert about["MinMemoryNode"] == f"{wanted.memory_mib(1)}M", batch
        assert pd.Timedelta(about["TimeLimit"]) == pd.Timedelta(minutes=wanted.minutes(1)), batch
    assert len({about["MinMemoryNode"] for about in submitted.asked.values()}) > 3, "not from records"


def test_batches_that_need_a_gpu_ask_for_it_and_take_turns_on_the_only_one(submitted):
    batches = submitted.batches
    on_gpu = [name for name, batch in batches.items() if batch.device != "cpu"]
    asking = {name for name, about in submitted.asked.items() if "gpu:1" in about.get("TresPerJob", "")}
    assert asking == set(on_gpu)
    untimed = [name for name, batch in batches.items() if not batch.timed]
    turns = sorted(submitted.span(name) for name in on_gpu if name in untimed)
    assert len(turns) > 3
    assert all(before[1] <= after[0] for before, after in pairwise(turns))
    # Not for want of cores or memory: other batches run beside them.
    others = [submitted.span(name) for name in untimed if name not in on_gpu]
    assert any(overlap(a, b) for a in turns for b in others)


def test_a_batch_that_measures_time_has_the_node_to_itself(submitted):
    spans = {name: submitted.span(name) for name in submitted.batches}
    timed = [name for name in spans if submitted.batches[name].timed]
    assert len(timed) > 3
    for one, other in combinations(spans, 2):
        if one in timed or other in timed:
            assert not overlap(spans[one], spans[other]), (one, other)


def test_tables_equal_those_of_a_local_run(submitted, smoke):
    assert set(submitted.tables.values()) == set(KEPT)
    for name, question in submitted.tables.items():
        for table in (f"results/smoke/tables/{name}.csv", f"results/smoke/tables/{name}_summary.csv"):
            found, wanted = (unmeasured(folder, table, question) for folder in (submitted.study.root, smoke))
            pd.testing.assert_frame_equal(found, wanted, check_exact=True, obj=table)
