"""The cost of irregular times in a batch: a loop over the samples, and three ways around it (claim C28)."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from odestudy.integrate import Counted, Solver, named_failure
from odestudy.measure.clock import time_repeats
from odestudy.questions.timeseries.params import Batching
from odestudy.questions.timeseries.spirals import KINDS, spirals
from odestudy.questions.timeseries.ways import WAYS, Rows, gradient_step
from odestudy.runtime.outcome import Outcome, Row


def batching(params: Batching, device: str) -> Outcome:
    """Time one way of solving a batch with irregular times, forward and backward, against the number of samples.

    Rows `runs`, one a number of samples, with the largest error against a solve of each sample to a tight tolerance.
    """
    seed, way = params.seeds[0], params.way.name
    rows: list[Row] = []
    solver = Solver(method="dopri5", rtol=params.rtol, atol=params.rtol, step=None)
    kind = KINDS["archimedean"]
    if way == "shared_steps":
        solver = Solver(method="rk4", step=kind.window / params.steps)
    for samples in params.samples:
        drawn = spirals(
            "archimedean", samples, "irregular", params.observed, 0.0, np.random.default_rng(seed)
        )
        t = (drawn.t - drawn.t[:, :1]).to(device)
        f = Counted(Rows((4, 20, 20, 4), seed, params.strength)).to(device, torch.float64)
        y0 = torch.randn(samples, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(
            device
        )
        row: Row = {"seed": seed, "samples": samples, "status": "ok", "message": ""}
        try:
            found = gradient_step(way, f, y0, t, solver)
            row["nfe"] = f.take()[0]
            tight = Solver(method="dopri8", rtol=1e-10, atol=1e-10)
            with torch.no_grad():
                row["error"] = float((found - WAYS["union"](f, y0, t, tight)).abs().max())
            work = partial(gradient_step, way, f, y0, t, solver)
            row |= time_repeats(work, device, repeats=params.repeats, warmup=1)
        except Exception as error:
            failure = named_failure(error)
            if failure is None:
                raise
            row |= {"status": failure.status, "message": str(failure)}
        rows.append(row)
    return Outcome({"runs": rows})
