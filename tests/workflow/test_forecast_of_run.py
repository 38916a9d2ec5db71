"""What is said of a run before it starts, against the run: its graph, its steps, and that it has no GPU."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from odestudy.study import load_study
from odestudy.study.forecast import expectations
from odestudy.study.graph import graph_of
from odestudy.study.schedule import Task
from tests.workflow.clone import WITHOUT_SLURM, copy_of_clone, run

pytestmark = pytest.mark.dag


@pytest.fixture(scope="module")
def graph(smoke) -> list[Task]:
    study = load_study(smoke, "smoke")
    return graph_of(study, expectations(study))


def test_the_graph_is_that_of_snakemake(smoke, graph):
    dot = run(smoke, "--dag", "dot", "--config", "tier=smoke").stdout
    rules = Counter(re.findall(r'label = "(\w+)', dot))
    assert Counter(task.kind for task in graph) + Counter(["all"]) == rules
    assert sum(len(set(task.after)) for task in graph) + 1 == dot.count(" -> ")


def test_after_a_run_the_time_of_every_step_is_known(graph):
    assert graph
    assert [task.name for task in graph if task.seconds is None] == []


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
