"""The benchmark of solvers as Markdown: the tables, the goals and how far they are met, all from its CSV."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from odestudy.analysis.csvs import read_csv
from odestudy.analysis.values import interval, number
from odestudy.report.markdown import pipe_table
from odestudy.report.step_times import on_gpu, steps_section, variants_section

WORKLOADS = {
    "mlp1": "small MLP, batch 1",
    "mlp256": "small MLP, batch 256",
    "conv": "ODE-Net's convolutions, batch 128",
    "cnf": "2-D CNF, exact trace, batch 512",
}
BARE = "as many bare evaluations in eager mode"  # the contender that the CSV calls floor
NOTES = (
    "Bare evaluations are as many of f, forward and backward and in eager mode, as our eager step takes. They are no lower "
    "bound for others: compiled code evaluates f faster, and a step with fewer evaluations needs less. torchdyn ends a step at "
    "every observation time, since it interpolates only where an interpolator is given, so with many of them it takes a step "
    "for each interval at least."
)
MEMORY_SAVING = ("ours, quadrature", "ours, checkpointed", "ours, reversible")


@dataclass(frozen=True)
class Goal:
    """`contenders` (the best of them) should be `factor` times as fast as `against`.

    With `equal_error` only those count whose gradient error is at most that of `against`.
    """

    workload: str
    contenders: tuple[str, ...]
    against: str
    factor: float
    equal_error: bool = False


OURS, COMPILED = ("ours",), ("ours, compiled",)
GOALS = (
    Goal("mlp1", OURS, "torchdiffeq", 3.0),
    Goal("mlp256", OURS, "torchdiffeq", 1.9),
    Goal("mlp1", COMPILED, "torchdiffeq", 7.0),
    Goal("mlp256", COMPILED, "torchdiffeq", 2.6),
    Goal("mlp1", ("ours, adjoint",), "torchdiffeq, adjoint", 4.5, equal_error=True),
    Goal("mlp1", MEMORY_SAVING, "torchdiffeq, adjoint", 10.0, equal_error=True),
    Goal("conv", OURS, "floor", 1 / 1.05),
    Goal("cnf", OURS, "floor", 1 / 1.1),
    Goal("cnf", COMPILED, "torchdiffeq", 2.0),
    *(Goal(w, OURS, "torchode", 1.0) for w in ("mlp1", "mlp256")),
    *(Goal(w, OURS, "torchdyn", 1.0) for w in ("mlp1", "mlp256", "conv")),
    Goal("mlp256", COMPILED, "diffrax, jit", 1.0),
    Goal("mlp1", COMPILED, "diffrax, jit", 1 / 3),
)


@dataclass(frozen=True)
class SolverTimes:
    """The rows of one run of benchmarks/solvers.py, what it ran on, and those of benchmarks/mnist_step.py.

    `steps` are those of the same machine, `steps_on_gpus` those of GPUs, by name; `variants` and `errors` those of
    benchmarks/mnist_variants.py.
    """

    rows: pd.DataFrame
    about: dict[str, Any]
    steps: pd.DataFrame | None = None
    steps_on_gpus: dict[str, pd.DataFrame] = field(default_factory=dict)
    variants: pd.DataFrame | None = None
    errors: pd.DataFrame | None = None

    def workload(self, name: str) -> str:
        """A workload's contenders: time, evaluations, ratios, gradient error, the first step."""
        rows = []
        for _, r in self.rows[self.rows["workload"] == name].iterrows():
            evaluations = " + ".join(number(n, 1) for n in (r["nfe"], r["nfe_backward"]) if pd.notna(n) and n)
            time = interval(r["median_ms"], r["q1_ms"], r["q3_ms"])
            ratios = [number(r["to_floor"]), number(r["speedup"])]
            name = BARE if r["contender"] == "floor" else r["contender"]
            shown = [name, time, evaluations or "n/a", *ratios, number(r["gradient_error"], 2)]
            rows.append([*shown, number(r["first_s"], 2)])
        header = [
            "",
            "ms [quartiles]",
            "evaluations",
            "over bare evaluations",
            "speed-up",
            "gradient error",
            "first step, s",
        ]
        return pipe_table(header, rows, widths=[":---", *["---:"] * 6])

    def tables(self, level: str) -> str:
        """All workloads under headings of this level, after what their columns need to be read."""
        names = [name for name in WORKLOADS if name in set(self.rows["workload"])]
        heads = {name: WORKLOADS[name][0].upper() + WORKLOADS[name][1:] for name in names}
        text = "".join(f"{level} {heads[name]}\n\n{self.workload(name)}\n" for name in names)
        if self.steps is not None:
            text += (
                f"{level} A training step at MNIST's size\n\n{steps_section(self.steps, self.steps_on_gpus)}"
            )
        if self.variants is not None:
            text += variants_section(self.variants, self.errors)
        return f"{NOTES}\n\n{text}"

    def goals(self) -> str:
        """Each goal beside what was measured."""
        rows = []
        for goal in GOALS:
            found = self._best(goal)
            what = f"{WORKLOADS[goal.workload]}: {goal.contenders[0]}"
            if len(goal.contenders) > 1:
                what = f"{WORKLOADS[goal.workload]}: the best of our memory-saving gradients"
            against = f"{goal.against}{', at its gradient error or better' if goal.equal_error else ''}"
            if goal.against == "floor":
                wanted, got = f"at most {number(1 / goal.factor)} × {BARE}", "n/a"
                got = got if found is None else f"{number(1 / found)} ×"
            else:
                wanted = f"{number(goal.factor, 2)} × as fast as {against}"
                got = "n/a" if found is None else f"{number(found)} ×"
            rows.append([what, wanted, got, _verdict(found, goal.factor)])
        return pipe_table(["", "goal", "measured", ""], rows)

    def room(self) -> str:
        """Of each goal that is missed: the time that it asks for, and what of it bare evaluations leave."""
        rows = []
        for goal in GOALS:
            found = self._best(goal)
            if found is None or found >= goal.factor or "adjoint" in goal.against:
                continue
            timed = self.rows[self.rows["workload"] == goal.workload].set_index("contender")["median_ms"]
            if "floor" not in timed:
                continue
            asked, bare = float(timed[goal.against]) / goal.factor, float(timed["floor"])
            left = f"{number(asked - bare)} ms" if asked > bare else "none: less than these take"
            against = BARE if goal.against == "floor" else goal.against
            what = f"{WORKLOADS[goal.workload]}: {goal.contenders[0]}, against {against}"
            rows.append([what, *(f"{number(x)} ms" for x in (asked, bare)), left,
                         f"{number(float(timed[goal.contenders[0]]) - bare)} ms"])  # fmt: skip
        header = ["missed", "the goal asks for", "bare evaluations, eager", "left for the solver", "it takes"]
        return pipe_table(header, rows, widths=[":---", *["---:"] * 4])

    def profiles(self) -> str:
        """Where the time of our eager step goes, in ms."""
        rows = []
        for p in self.about["profiles"]:
            solver = (p["forward_ms"] - p["f_forward_ms"], p["backward_ms"] - p["f_backward_ms"])
            total = p["forward_ms"] + p["backward_ms"]
            parts = (p["f_forward_ms"], p["f_backward_ms"], *solver)
            rows.append(
                [WORKLOADS[p["workload"]], *(f"{number(x)} ({number(100 * x / total, 2)} %)" for x in parts)]
            )
        header = ["", "f, forward", "f, backward", "solver, forward", "solver, backward"]
        return pipe_table(header, rows, widths=[":---", *["---:"] * 4])

    def source(self) -> str:
        """What was run on what, in one sentence."""
        a = self.about
        versions = ", ".join(f"{name} {version}" for name, version in a["versions"].items())
        missing = "; ".join(f"{name} ({why})" for name, why in a["missing"].items()) or "none"
        return (
            f"Measured on {a['date']} on {a['device']} with {a['cores']} cores, {a['threads']} thread(s); {versions}. "
            f"Processes that ran or waited to run meanwhile (load average of 15 minutes): {a['load'][2]}. "
            f"Missing: {missing}."
        )

    def _best(self, goal: Goal) -> float | None:
        """How many times as fast as `against` the best of the goal's contenders is; None where not measured."""
        rows = self.rows[self.rows["workload"] == goal.workload].set_index("contender")
        if goal.against not in rows.index:
            return None
        against = rows.loc[goal.against]
        found = [rows.loc[c] for c in goal.contenders if c in rows.index]
        if goal.equal_error:
            found = [r for r in found if r["gradient_error"] <= against["gradient_error"]]
        times = [float(r["median_ms"]) for r in found]  # type: ignore[arg-type]  # a cell of a table
        return float(against["median_ms"]) / min(times) if times else None  # type: ignore[arg-type]  # a cell of a table


def _verdict(found: float | None, factor: float) -> str:
    if found is None:
        return "not measured"
    if found >= factor:
        return "reached"
    return f"missed: {number(100 * (factor / found - 1), 2)} % too slow"


def load_times(csv: Path) -> SolverTimes:
    """The CSV, the JSON beside it and, where they are there, the CSVs of a step at MNIST's size, here and on GPUs, and of
    what was tried to make it faster."""
    about = json.loads(csv.with_suffix(".json").read_text(encoding="utf-8"))
    own = csv.with_name(csv.name.replace("solvers", "mnist-step"))
    found = {path: read_csv(path) for path in sorted(csv.parent.glob("mnist-step-*.csv"))}
    steps = found.pop(own, None)
    on_gpus = {p.stem.rpartition("-")[2].upper(): rows for p, rows in found.items() if on_gpu(rows)}
    tried = csv.with_name(csv.name.replace("solvers", "mnist-variants"))
    variants = read_csv(tried) if tried != csv and tried.is_file() else None
    trained = tried.with_name(tried.name.replace("mnist-variants", "mnist-bfloat16"))
    errors = read_csv(trained) if trained != tried and trained.is_file() else None
    return SolverTimes(read_csv(csv), about, steps, on_gpus, variants, errors)


PAGE = """# Our solvers beside their peers

Written by `python benchmarks/solvers.py --csv {csv} --page {page}`: all tables are made of that file.

Each row is one training step, forward and backward, at the same tolerance with Dormand and Prince's pair of order
five: the median of the wall time with its quartiles, all contenders of a workload in turns; the evaluations of the
dynamics f (forward + backward); the ratio to as many bare evaluations of f; the speed-up over torchdiffeq's step of the same kind (back-propagation, or its
adjoint for all that save memory); the relative error of the gradient against one in float64 at a far tighter
tolerance; and the first step, in which compilers compile. Libraries that cannot take a workload have no row.

{source}

## Goals

{goals}
What a missed goal leaves for the solver, once f is evaluated as often as our eager step does: where nothing is left, no
eager step with these evaluations can reach it, only fewer of them, or a compiled f. Where something is left, the solver's
own small operations take more; the last table has them. (Bare evaluations are those of the forward step's evaluations and
their backward pass, so there is no such row for an adjoint.)

{room}
{tables}## Where the time of our eager step goes

In ms, with the share of the whole. What is the solver's is the combination of stages, the error norm, the step
control, the interpolation and their backward pass: a fixed number of small operations a step, each of which costs
PyTorch about the same whatever the size of the state. That, and not arithmetic, is what a small f leaves visible.

{profiles}
What was tried and did not help: one custom autograd function for each combination of stages (its Python costs
more than the additions that it saves), stacking the stages for one matrix product (copies), the interpolation's
weights by numpy. What helped: no needless scalar operands, constants kept as tensors, all observations in a step
interpolated at once, methods that are made once, and for compiled steps a wrapper in C++ around the kernels.

On the small MLP at batch 256 our step takes more evaluations than torchdiffeq's, though no step is rejected: the last
step is a sliver. The first one, by the rule of Hairer, Nørsett and Wanner, is so small that its error in float32 is one of
rounding. By how much the next ones grow rests on this error, and so is chance. A last step that may be a little longer
than wanted saves the sliver here, with an error of the same size, but hardly any evaluation over other such nets, and
none over DETEST.
"""


def page_of(csv: Path, page: Path) -> str:
    """The page of the benchmark, which says by which files it was written."""
    times = load_times(csv)
    return PAGE.format(
        csv=csv.as_posix(), page=page.as_posix(), source=times.source(), goals=times.goals(),
        room=times.room(), tables=times.tables("##"), profiles=times.profiles(),
    )  # fmt: skip


def write_page(csv: Path, page: Path) -> None:
    """Write the page of the benchmark."""
    page.write_text(page_of(csv, page), encoding="utf-8")
