"""SIGKILL at any moment: the same command finishes, and nothing tells that the run was ever disturbed."""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from odestudy.runtime.store import read_metrics
from tests.workflow.clone import run
from tests.workflow.disturbed import FIGURE, TABLE, Watcher, start, steps, toy, unmeasured, wait_for

pytestmark = pytest.mark.dag

# Who is killed, and how many jobs are finished before; then at a random moment of the first half of the time that a job
# of the undisturbed run took. The first is killed while it reads the configuration, the last one while the table or the
# figure is made; in between a first training, and the second job of a batch.
FOUR = [("snakemake", 0), ("job", 0), ("job", 1), ("snakemake", 6)]
TWENTY = [
    ("snakemake", 0), *(("job", done) for done in (0, 0, 1, 1)),
    ("snakemake", 2), *(("job", done) for done in (2, 3, 3, 4)),
    ("snakemake", 5), *(("job", done) for done in (5, 6, 6, 7)),
    ("snakemake", 8), *(("job", done) for done in (8, 8, 9)),
    ("snakemake", 12),
]  # fmt: skip
# What was killed goes on from its checkpoint: in the second half a job may be over before it is killed a second time.
SPREAD = 0.5


@pytest.mark.parametrize("moments", [FOUR, pytest.param(TWENTY, marks=pytest.mark.slow)], ids=len)
def test_sigkill_at_any_moment_leaves_the_tables_of_an_undisturbed_run(tmp_path, moments):
    jobs = moments[-1][1]
    whole, disturbed = (toy(tmp_path / name, jobs) for name in ("whole", "disturbed"))
    run(whole, "--cores", "1", TABLE, FIGURE)
    with Watcher(disturbed / "results") as seen:
        kill_at(moments, disturbed, seen, SPREAD * typical_s(whole))
        run(disturbed, TABLE, FIGURE)
        seen.look()
    assert len(seen.finished) == jobs
    assert not seen.repeated, "a job that was finished was repeated"
    assert not seen.broken, "a half-written file was there to be read"
    for table in (TABLE, TABLE.replace(".csv", "_summary.csv")):
        found, wanted = (unmeasured(folder, table, "images") for folder in (disturbed, whole))
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    # Its caption has no times: all that the figure shows is the same to the last bit.
    for kind in (".svg", ".pdf", ".png", ".json"):
        one, other = ((folder / FIGURE).with_suffix(kind).read_bytes() for folder in (disturbed, whole))
        assert one == other, kind
    again = run(disturbed, TABLE, FIGURE)
    assert "Nothing to be done" in again.stdout + again.stderr


def typical_s(folder: Path) -> float:
    """The median time of a job."""
    jobs = (folder / "results/smoke/runs").rglob("metrics.json")
    return statistics.median(read_metrics(path)["provenance"]["wall_s"] for path in jobs)


def kill_at(moments: list[tuple[str, int]], folder: Path, seen: Watcher, job_s: float) -> None:
    """Run the toy and kill at each moment, the last when all jobs are done; Snakemake is started again when it has ended."""
    jobs = moments[-1][1]
    chance = random.Random(0)
    snakemake = start(folder, "--cores", "1", TABLE, FIGURE)

    def living() -> psutil.Popen:
        nonlocal snakemake
        if snakemake.poll() is not None:
            snakemake = start(folder, "--cores", "1", TABLE, FIGURE)
        return snakemake

    for victim, done in moments:
        wait_for(lambda done=done: living() and len(seen.finished) >= done)
        if victim == "snakemake":
            if done:
                wait_for(lambda: steps(living()) or len(seen.finished) == jobs)
            time.sleep(chance.uniform(0.0, job_s if done < jobs else 1.0))
            living().kill()
            snakemake.wait()
        else:
            wait_for(lambda: kill_one(steps(living()), chance, job_s))


def kill_one(running: list[psutil.Process], chance: random.Random, job_s: float) -> bool:
    """Kill the job that was started last somewhere in the time that one takes; False where it ended before."""
    if not running:
        return False
    try:
        job = max(running, key=lambda process: process.create_time())
        job.wait(chance.uniform(0.0, job_s))
    except psutil.TimeoutExpired:
        job.kill()
        return True
    except psutil.NoSuchProcess:
        pass
    return False
