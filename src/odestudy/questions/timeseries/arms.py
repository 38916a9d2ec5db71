"""The arms of the time-series question, by name."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Generator

from odestudy.integrate import Solver
from odestudy.questions.timeseries.latent import Latent, LatentODE, LatentRNN
from odestudy.questions.timeseries.params import AnyArm, LatentOdeArm, LatentRnnArm, OdeRnnArm, PlainArm
from odestudy.questions.timeseries.recurrent import ODERNN, RNN, Recurrent

Model = Recurrent | Latent


def build(
    arm: AnyArm, generators: Sequence[Generator], d: int, window: float, method: str, steps: int
) -> Model:
    """An arm's nets, one a seed.

    Args:
        arm: its net and widths.
        generators: one a seed, for the initial weights.
        d: values at a time; window: length of the observed window.
        method: the latent ODE's solver, with `steps` equal steps a window.
    """
    match arm:
        case PlainArm():
            return RNN(generators, d, arm.hidden, sees_gaps=arm.net == "rnn_gaps")
        case OdeRnnArm():
            return ODERNN(generators, d, arm.hidden, arm.width, Solver(method="midpoint"), steps=1)
        case LatentRnnArm():
            return LatentRNN(generators, d, arm.hidden, arm.latent, arm.width, arm.state)
        case LatentOdeArm():
            solver = Solver(method=method)
            return LatentODE(generators, d, arm.hidden, arm.latent, arm.width, solver, window, steps)


def parameter_count(model: Model) -> int:
    """Parameters of one seed's net."""
    return sum(p[0].numel() for p in model.parameters())
