"""Which gradient to take, by what limits a problem: each piece of advice with the measurement that it stands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from odestudy.questions.gradients.limits import MOST_NFE, limits
from odestudy.runtime.store import read_metrics
from odestudy.study.load import Study

Rows = list[dict[str, Any]]
Measured = dict[str, pd.DataFrame]  # by experiment
UNKNOWN = "not measured in this tier"


def which_gradient(study: Study, question: str, definition: dict[str, Any]) -> Rows:
    """One row a situation. A row whose measurements this tier lacks says so; of a run without any there is none."""
    found: Measured = {}
    jobs = study.jobs_of(question, definition["experiments"])
    if not jobs:
        return []
    names = [name for name in definition["experiments"] if name.startswith("thresholds")]
    for name in [name for name in definition["experiments"] if name not in names]:
        rows = []
        for job in study.jobs_of(question, [name]):
            rows += [
                {"arm": job.spec.get("arm")} | row
                for row in read_metrics(job.metrics(study.results))["rows"].get("runs", [])
            ]
        frame = pd.DataFrame(rows)
        found[name] = frame[frame["status"] == "ok"] if "status" in frame else pd.DataFrame()
    found["limits"] = pd.DataFrame(limits(study, question, {"experiments": names}))
    identity = {"seed": 0, "status": "ok", "job": jobs[0].folder}
    said = [(situation, take, _said(because, found)) for situation, take, because in SITUATIONS]
    return [
        identity | {"situation": situation, "take": take, "because": because, "known": because != UNKNOWN}
        for situation, take, because in said
    ]


def _said(because: Callable[[Measured], str], found: Measured) -> str:
    try:
        return because(found)
    except (KeyError, IndexError):
        return UNKNOWN


def _ratio(frame: pd.DataFrame, column: str, arm: str, over: str = "backprop") -> pd.Series:
    """A measure of one arm over that of another, by setting: medians over seeds."""
    keys = [k for k in ("size", "rtol", "n", "parameters") if k in frame]
    wide = frame.pivot_table(index=keys, columns="arm", values=column, aggfunc="median")
    ratio = (wide[arm] / wide[over]).dropna()
    if ratio.empty:
        raise KeyError(column)
    return ratio


def _short(value: float) -> str:
    """Two digits, as people write them: 0.055, 5.2, 120."""
    return f"{float(f'{value:.2g}'):g}"


def _range(ratio: pd.Series) -> str:
    low, high = (_short(x) for x in (ratio.min(), ratio.max()))
    return low if low == high else f"{low} to {high}"


def _most_steps(found: Measured) -> pd.DataFrame:
    cost = found["cost"]
    steps = cost[cost["varied"] == "steps"]
    return steps[steps["n"] == steps["n"].max()]


def _memory(found: Measured, arm: str) -> str:
    most = _most_steps(found)
    memory, time = (float(_ratio(most, c, arm).iloc[0]) for c in ("peak_mib", "wall_s"))
    return f"at {int(most['n'].iloc[0])} steps {memory:.2g} times the memory of backprop in {time:.2g} times the time"


def _limit(found: Measured, arm: str, family: str) -> str:
    """From the loosest to the tightest tolerance, where the gradient is lost."""
    limit = found["limits"]
    mine = limit[(limit["arm"] == arm) & (limit["family"] == family)].sort_values("rtol", ascending=False)
    said = [f"{row['limit']} at rtol {row['rtol']:g}" for _, row in mine.iterrows()]
    if not said:
        raise KeyError(arm)
    return said[0] if len(set(mine["limit"])) == 1 else "; ".join(said)


def _fits(found: Measured) -> str:
    time = _ratio(found["compare"], "wall_s", "adjoint")
    return f"exact for the steps taken; the adjoint took {_range(time)} times its time"


def _short_of_memory(found: Measured) -> str:
    return f"the same gradient; {_memory(found, 'checkpointed')}"


def _calm(found: Measured) -> str:
    return f"{_memory(found, 'adjoint')}; contraction at which it is lost: {_limit(found, 'adjoint', 'decaying')}"


def _contracting(found: Measured) -> str:
    return (
        f"contraction on Van der Pol's equation at which the adjoint is lost: {_limit(found, 'adjoint', 'vanderpol')}; "
        f"backprop: {_limit(found, 'backprop', 'vanderpol').partition(' at ')[0]}"
    )


def _growing(found: Measured) -> str:
    """A mode that grows does not contract, so that its Lipschitz constant times the time says how far it was followed."""
    limit = found["limits"]
    mine = limit[(limit["arm"] == "adjoint") & (limit["family"] == "growing")].sort_values(
        "rtol", ascending=False
    )
    if mine.empty:
        raise KeyError("growing")
    lost = mine["threshold"].notna() if "threshold" in mine else pd.Series(False, index=mine.index)
    kept = [f"{rtol:g}" for rtol in mine.loc[~lost, "rtol"]]
    said = [f"on growing modes the adjoint kept its gradient at rtol {' and '.join(kept)}"] if kept else []
    said += [
        f"at rtol {row['rtol']:g} it took more than {MOST_NFE} evaluations, or was lost, from a growth by e^{row['lipschitz']:.0f} on"
        for _, row in mine[lost].iterrows()
    ]
    return "; ".join(said)


def _few_parameters(found: Measured) -> str:
    ratio = _ratio(found["modes"], "wall_s", "forward").sort_index()
    least, most = ratio.index[0], ratio.index[-1]
    least, most = (p[0] if isinstance(p, tuple) else p for p in (least, most))
    return (
        f"forward took {_short(ratio.iloc[0])} times backprop's time with {least} parameters, {_short(ratio.iloc[-1])} times with "
        f"{most}"
    )


def _reversible(found: Measured) -> str:
    return f"{_memory(found, 'reversible')}; contraction at which it is lost: {_limit(found, 'reversible', 'decaying')}"


# What limits the problem, what to take, and what that stands on. `solve`'s docstring says the same in short.
SITUATIONS: tuple[tuple[str, str, Callable[[Measured], str]], ...] = (
    ("its steps fit in memory", "backprop", _fits),
    ("too many steps for memory", "checkpointed", _short_of_memory),
    ("too many steps even so, and the solution contracts by less than ln(1/rtol)", "adjoint", _calm),
    ("the same, and exact for the steps", "reversible", _reversible),
    ("stiff, or a long way along an attractor", "backprop or checkpointed", _contracting),
    (
        "unstable: it grows, and hardly contracts",
        "backprop or checkpointed; adjoint only with the seminorm, or a loss in units of the data",
        _growing,
    ),
    ("a handful of parameters and states", "backprop; forward to check it", _few_parameters),
)
