"""The benchmark of a training step at MNIST's size as Markdown, from the CSV of benchmarks/mnist_step.py."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from odestudy.analysis.values import chosen, interval, number
from odestudy.report.markdown import pipe_table
from odestudy.statistics.estimates import t_estimate
from odestudy.statistics.region import Region

OURS, REFERENCE, GOAL = "ODE-Net, back-propagation", "ResNet 6", 2.6
IMAGES, BATCH, EPOCHS, GOAL_S = (
    55_000,
    128,
    20,
    90,
)  # a training on MNIST alone on a GPU, and how long it may take
QUANTUM = 100 / 360  # points of error that one of the digits' test images is
GRAPHS = "ODE-Net, adjoint, CUDA graphs"


def step_table(rows: pd.DataFrame) -> str:
    """Each net's time and its ratio to the residual network's."""
    shown = []
    for _, r in rows.iterrows():
        evaluations = " + ".join(number(n) for n in (r["nfe"], r["nfe_backward"]) if pd.notna(n) and n)
        time = interval(r["median_ms"], r["q1_ms"], r["q3_ms"])
        shown.append([r["arm"], time, evaluations or "n/a", number(r["to_resnet6"])])
    header = ["", "ms [quartiles]", "evaluations", f"over {REFERENCE}"]
    return pipe_table(header, shown, widths=[":---", *["---:"] * 3])


def on_gpu(rows: pd.DataFrame) -> bool:
    """Whether a table is that of a GPU, where graphs are measured, too."""
    return GRAPHS in set(rows["arm"])


def steps_section(rows: pd.DataFrame, on_gpus: Mapping[str, pd.DataFrame]) -> str:
    """The table, whether ours is as fast as it should be, and the same nets on GPUs, by their names."""
    ours = float(rows.set_index("arm").loc[OURS, "to_resnet6"])  # type: ignore[arg-type]  # a cell of a table
    met = "reached" if ours <= GOAL else "missed"
    again = rows[rows["arm"].str.startswith(f"{OURS}, after")]
    trained = "".join(
        f"; {'reached' if r['to_resnet6'] <= GOAL else 'missed'} {r['arm'].removeprefix(f'{OURS}, ')} of training, with "
        f"{number(r['nfe'])} evaluations, {number(r['to_resnet6'], 4)}"
        for _, r in again.iterrows()
    )
    text = (
        f"Forward, loss and backward of a batch of {BATCH} random images of MNIST's size, one thread, all nets in turns; dopri5 "
        f"at a tolerance of 0.001.\n\n{step_table(rows)}\n"
        f"The goal, our ODE-Net by back-propagation in at most {chosen(GOAL)} times the step of {REFERENCE}: {met} by a fresh net, {number(ours)}{trained}.\n\n"
    )
    for name, table in on_gpus.items():
        text += (
            f"On the GPU {name}, where a step of so small a net waits for the processor that launches its kernels, with and "
            f"without the dynamics as CUDA graphs:\n\n{step_table(table)}\n{_whole_training(table, name)}\n"
        )
    return text


def variants_section(rows: pd.DataFrame, errors: pd.DataFrame | None) -> str:
    """What was tried to make a step faster, each apart, from the CSVs of benchmarks/mnist_variants.py."""
    shown = [
        [
            r["arm"],
            r["variant"],
            interval(r["median_ms"], r["q1_ms"], r["q3_ms"]),
            number(r["nfe"]) if pd.notna(r["nfe"]) else "n/a",
            number(r["over_plain"]),
            number(100 * r["logits_moved"], 2),
        ]
        for _, r in rows.iterrows()
    ]
    header = ["", "", "ms [quartiles]", "evaluations", "over the net as it is", "logits moved by (%)"]
    return (
        f"What was tried to make these steps faster, each apart, on {rows['processor'].iloc[0]}:\n\n{pipe_table(header, shown, widths=[':---', ':---', *['---:'] * 4])}\n"
        "Logits are moved by the root of the mean square, over their spread. A first step that suits a fresh net need not suit "
        f"a trained one. {_errors_in_bfloat16(errors)}\n\n"
    )


def _errors_in_bfloat16(errors: pd.DataFrame | None) -> str:
    """What lower precision does to the test error after training, paired by seed."""
    if errors is None:
        return "Errors after training in bfloat16 were not measured, so the study takes none of these."
    said = []
    for arm, rows in errors.groupby("arm", sort=False):
        apart = (rows["bfloat16_pct"] - rows["plain_pct"]).tolist()
        found = t_estimate(apart, Region(), quantum=QUANTUM)
        said.append(f"{interval(found.value, found.low, found.high, 'points')} ({arm})")
    return (
        f"After {errors['epochs'].iloc[0]} epochs on the embedded digits ({errors['seed'].nunique()} seeds, intervals of 95 %) convolutions in bfloat16 "
        f"change the test error by {' and '.join(said)}. The study stays with single precision, in which all of its nets "
        "were trained."
    )


def _whole_training(rows: pd.DataFrame, name: str) -> str:
    """Whether a whole training of the ODE-Net is as short as it should be, by the time of its fastest step."""
    ours = rows[rows["arm"].str.startswith("ODE-Net") & ~rows["arm"].str.contains("torchdiffeq")]
    best = ours.sort_values("median_ms").iloc[0]
    steps = math.ceil(IMAGES / BATCH)
    seconds = float(best["median_ms"]) * steps * EPOCHS / 1000
    met = "reached" if seconds < GOAL_S else "missed"
    return (
        f"The goal, {EPOCHS} epochs of the ODE-Net in under {GOAL_S} s alone on a GPU: {met} on the {name}, {number(seconds)} s "
        f"by the fastest of our steps ({best['arm']}), times {steps} steps an epoch.\n"
    )
