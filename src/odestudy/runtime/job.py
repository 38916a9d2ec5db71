"""Run one job: set torch up, call the task, write the metrics."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from odestudy.runtime.checkpoint_dir import at_work
from odestudy.runtime.keys import key_of
from odestudy.runtime.outcome import STATUSES, Outcome
from odestudy.runtime.registry import find_task

UNLIMITED = nullcontext()


def run_job(
    spec: Mapping[str, Any],
    target: Path,
    *,
    code: str,
    rules: Mapping[str, str] | None = None,
    root: Path,
    begun: float | None = None,
    limit: AbstractContextManager[None] = UNLIMITED,
) -> dict[str, Any]:
    """Compute one specification and write `target` (metrics.json) and its arrays.

    Args:
        spec: the specification; `task` names module.function in odestudy.questions.
        target: where metrics.json goes.
        code: hash of the code that computes it, stored with the metrics.
        rules: row of the ledger -> hash of the rule that is to judge what is computed, stored with it.
        root: the clone, for its commit.
        begun: when the work for this job began, in seconds since 1970, where that was before this call.
        limit: entered while the task computes, and left before anything is written.

    Returns:
        what was written, as a mapping.
    """
    begun = time.time() if begun is None else begun
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    from odestudy.measure.determinism import nondeterministic_operations
    from odestudy.measure.device import job_device
    from odestudy.runtime.peak import peak_mib, reset_peak
    from odestudy.runtime.provenance import provenance
    from odestudy.runtime.store import write_metrics

    task = find_task(spec["task"])
    key = key_of(dict(spec))
    start_afresh(spec["threads"], int(key, 16))
    reset_peak()
    identity = f"{key} {code}"
    with at_work(target.parent / "checkpoint", identity), job_device(spec["device"]) as device:
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
        task_begun = time.time()
        clock = time.perf_counter()
        with limit, nondeterministic_operations() as operations:
            outcome = task(dict(spec), device)
        wall_s = time.perf_counter() - clock
        peak = {"process_peak_mib": peak_mib()}
        if device.startswith("cuda"):
            peak["cuda_peak_mib"] = torch.cuda.max_memory_allocated(device) / 1024**2
        content = {
            "spec": dict(spec),
            "rows": outcome.rows,
            "code": code,
            "rules": dict(rules or {}),
            "provenance": {
                **provenance(spec, root, device),
                "nondeterministic": sorted(operations),
                "begun_unix_s": task_begun,
                "wall_s": wall_s,
                "process_s": time.time() - begun,
                **peak,
            },
        }
        _check(outcome, spec["task"])
        write_metrics(target, content, outcome.arrays)
    return content


def start_afresh(threads: int, seed: int) -> None:
    """Set torch up, and undo what an earlier job of this process may have set.

    Args:
        threads: of one operation.
        seed: of all generators, so that what a task draws without a seed of its own is the same in every run, too.
    """
    import numpy as np
    import torch

    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    # As use_deterministic_algorithms(True, warn_only=True), but without its import of the compiler, 1.4 s a process.
    torch.set_deterministic_debug_mode("warn")
    # Deterministic mode fills every new tensor, which takes a kernel each; nothing here reads what it did not write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch's types lack it
    torch.backends.cudnn.benchmark = False
    # Convolutions in float32 as it stands; torch's own setting rounds what goes into them to ten bits (TF32).
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].reset()  # or functions compiled before count towards its limits
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def _check(outcome: Outcome, task: str) -> None:
    for row in outcome.rows.get("runs", []):
        if row.get("status") not in STATUSES:
            raise ValueError(
                f"{task}: a row has status {row.get('status')!r}; allowed: {', '.join(STATUSES)}"
            )
