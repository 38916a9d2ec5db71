"""Time and operations of one gradient by forward and by reverse mode, against the number of parameters (C25)."""

from __future__ import annotations

from itertools import product

from odestudy.learning.attempt import attempt
from odestudy.measure.clock import time_repeats
from odestudy.measure.operations import operations_of
from odestudy.questions.gradients.gradient import gradient_of, solver_of
from odestudy.questions.gradients.params import Modes
from odestudy.questions.gradients.problems import mlp, moved
from odestudy.runtime.outcome import Outcome, Row


def modes(params: Modes, device: str) -> Outcome:
    """Forward and reverse mode on nets of growing width, all of it once a seed (initialisation and repetition).

    Rows `runs`: one a seed, arm and width. `crossovers`: one a seed, where reverse overtakes forward mode.
    """
    rows: list[Row] = []
    crossovers: list[Row] = []
    for seed in params.seeds:
        mine = [
            _parameters(arm, width, seed, params, device)
            for width, arm in product(params.widths, params.arms)
        ]
        rows += mine
        crossovers.append({"seed": seed} | _crossover(mine))
    return Outcome({"runs": rows, "crossovers": crossovers})


def _parameters(arm: str, width: int, seed: int, params: Modes, device: str) -> Row:
    """One gradient by one arm with RK4 steps, with nets of growing width."""
    net = mlp(width, 1.0, d=params.d, batch=params.batch, seed=seed)
    problem = moved(net, device, params.dtype)
    row: Row = {"seed": seed, "arm": arm, "parameters": sum(p.numel() for p in problem.parameters())}
    row |= {"status": "ok", "message": ""}
    solver = solver_of(arm, method="rk4", step=1.0 / params.mode_steps)

    def work() -> None:
        gradient_of(problem, solver)

    def measure() -> Row:
        return {"operations": operations_of(work)} | time_repeats(work, device, repeats=params.repeats)

    return row | attempt(measure)


def _crossover(rows: list[Row]) -> Row:
    """The smallest number of parameters from which on reverse mode is faster than forward mode.

    None where it lies outside what was measured; `crossing` says on which side.
    """
    wall = {(row["arm"], row["parameters"]): row.get("wall_s", float("inf")) for row in rows}
    counts = sorted({row["parameters"] for row in rows})
    faster = [wall["backprop", count] < wall["forward", count] for count in counts]
    if all(faster):
        return {"status": "ok", "crossing": f"below {counts[0]}", "crossover_by_wall_s": None}
    if not faster[-1]:
        return {"status": "ok", "crossing": f"above {counts[-1]}", "crossover_by_wall_s": None}
    last = len(faster) - faster[::-1].index(False)
    return {"status": "ok", "crossing": "in the range", "crossover_by_wall_s": counts[last]}
