"""Compute the jobs of a batch in this process, one after another.

Nothing here imports NumPy or torch before the number of threads is set. A job that was done before is not repeated, so
that the same command goes on wherever it was killed; one that fails leaves the others to be computed.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from odestudy.text import one_line


def run_batch(jobs: Sequence[dict[str, Any]], log: str, limit_s: float) -> None:
    """Compute jobs, and end the process with status 1 where one failed.

    Args:
        jobs: of each `spec`, `code` (a hash), perhaps `rules` (see run_job) and `metrics` (the path of its metrics.json).
        log: a file for what is printed and for tracebacks; one line of each failure goes to the standard error as well.
        limit_s: the most seconds for one job. One that takes longer has that as its outcome, and the process starts
            again for the rest.
    """
    one_size(jobs[0]["spec"]["threads"])
    from odestudy.runtime.log import output_to
    from odestudy.runtime.orphan import end_with_run

    end_with_run()
    with output_to(log) as file:
        failed = [job for job in jobs if not _done(job, file, limit_s)]
    if failed:
        sys.exit(1)


def one_size(threads: int) -> None:
    """Tell all libraries how many threads a job has; heard only before they are imported."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)  # a scheduler's own setting is replaced


def _done(job: dict[str, Any], log: IO[str], limit_s: float) -> bool:
    """Compute one job, unless it is there; False where it failed, which is told."""
    from odestudy.runtime.job import run_job
    from odestudy.runtime.limit import time_limit
    from odestudy.runtime.store import is_current

    target, begun = Path(job["metrics"]), time.time()
    name = target.parent.name
    if is_current(target, job["code"]):
        print(f"{name}: done before (odestudy run KEY --again repeats it)")
        return True
    print(f"{name}: begun", flush=True)
    try:
        limit = time_limit(limit_s, lambda: _over(job, log, limit_s, begun))
        told = {"code": job["code"], "rules": job.get("rules")}
        run_job(job["spec"], target, **told, root=Path.cwd(), begun=begun, limit=limit)
    except Exception as error:
        _tell(error, name, log)
        return False
    print(f"{name}: done in {time.time() - begun:.1f} s", flush=True)
    return True


def _over(job: dict[str, Any], log: IO[str], limit_s: float, begun: float) -> None:
    """Write that a job took too long as its outcome, and go on with the rest in a new process."""
    from odestudy.runtime.limit import start_again, took_longer
    from odestudy.runtime.peak import peak_mib
    from odestudy.runtime.timeout import TIMEOUT, record_timeout

    what, target = took_longer(limit_s), Path(job["metrics"])
    try:
        record_timeout(job["spec"], target, job, what, begun, peak_mib())
    except Exception as error:  # nothing would stop it from taking too long again
        say(f"{target.parent.name}: ended, since it {what}; not recorded: {one_line(error)}", log)
        os._exit(1)
    say(f"{target.parent.name}: ended, since it {what}; recorded as {TIMEOUT}", log)
    start_again()


def say(text: str, log: IO[str]) -> None:
    """One line to the user and to the log."""
    for stream in (sys.__stderr__, log):
        if stream is not None:
            print(f"odestudy: {text}", file=stream, flush=True)


def _tell(error: Exception, name: str, log: IO[str]) -> None:
    from odestudy.runtime.log import mendable

    try:
        text = mendable(error)
        if text is None:
            traceback.print_exception(error, file=log)
            text = f"{name}: {type(error).__name__}: {one_line(error)}; its traceback is in {log.name}"
        say(text, log)
    except OSError:  # on a full disk the log has no room either
        print(f"odestudy: {text}", file=sys.__stderr__, flush=True)
