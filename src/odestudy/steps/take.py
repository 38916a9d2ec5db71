"""What each step of the workflow does; a request is JSON, made in workflow/rules/common.smk."""

from __future__ import annotations

import json
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odestudy.runtime.log import logged, write_seconds

if TYPE_CHECKING:
    from odestudy.study import Study


def main(log: str, request: str) -> None:
    """Take one step in the working folder; what it prints goes to the log, and what it took beside it."""
    asked = json.loads(request)
    begun = time.perf_counter()
    with logged(log):
        take(asked)
    if asked["step"] != "job":  # a job's metrics say more
        write_seconds(Path(log), time.perf_counter() - begun)


def take(request: dict[str, Any]) -> None:
    """Compute one job, or make what follows from the jobs."""
    # Imported where they are needed: a job needs no pandas, a table no torch.
    if request["step"] == "job":
        _take_job(request)
        return
    from odestudy import build

    study = study_of(request)
    match request["step"], str(request.get("name")):
        case "table", name:
            build.make_table(study, name)
        case "jobs_table", _:
            build.make_jobs_table(study)
        case "ledger", _:
            build.make_ledger(study)
        case "figure", name:
            build.make_figure(study, name)
        case "animation", name:
            build.make_animation(study, name)
        case "report", _:
            build.make_report(study)
        case "manifest", _:
            from odestudy.publication.manifest import write_manifest

            write_manifest(study.results)
        case step, _:
            raise ValueError(f"step {step!r}: unknown")


def _take_job(request: dict[str, Any]) -> None:
    """Compute a job, unless it was done when the run that wanted it was killed before it took note."""
    from odestudy.runtime.job import run_job
    from odestudy.runtime.store import is_current

    target, code = Path(request["metrics"]), request["code"]
    if is_current(target, code):
        print(f"{target}: done before (odestudy run KEY --again repeats it)")
    else:
        run_job(request["spec"], target, code=code, root=Path.cwd())


def study_of(request: dict[str, Any]) -> Study:
    """The study that a request is part of, read once in a process (and in those that are forked from it)."""
    return _study(Path.cwd(), request["run"], json.dumps(request["overrides"]))


@lru_cache(maxsize=4)
def _study(root: Path, run: str, overrides: str) -> Study:
    from odestudy.study import load_study

    return load_study(root, run, json.loads(overrides))


if __name__ == "__main__":
    main(*sys.argv[1:])
