"""The arms of the time-series question, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Generator

from odestudy.integrate import Solver
from odestudy.nets.latent import Latent, LatentODE, LatentRNN
from odestudy.nets.recurrent import ODERNN, RNN, Recurrent

Model = Recurrent | Latent


def build(
    arm: dict[str, Any], generators: Sequence[Generator], d: int, window: float, method: str, steps: int
) -> Model:
    """An arm's nets, one a seed.

    Args:
        arm: `net` and its widths, an entry of the question's configuration.
        generators: one a seed, for the initial weights.
        d: values at a time; window: length of the observed window.
        method: the latent ODE's solver, with `steps` equal steps a window.

    Raises:
        ValueError: the net is not known.
    """
    net = arm["net"]
    if net in ("rnn", "rnn_gaps"):
        return RNN(generators, d, arm["hidden"], sees_gaps=net == "rnn_gaps")
    if net == "ode_rnn":
        return ODERNN(generators, d, arm["hidden"], arm["width"], Solver(method="midpoint"), steps=1)
    if net == "latent_rnn":
        return LatentRNN(generators, d, arm["hidden"], arm["latent"], arm["width"], arm["state"])
    if net == "latent_ode":
        solver = Solver(method=method)
        return LatentODE(generators, d, arm["hidden"], arm["latent"], arm["width"], solver, window, steps)
    raise ValueError(f"net {net!r}; allowed: rnn, rnn_gaps, ode_rnn, latent_rnn, latent_ode")


def parameter_count(model: Model) -> int:
    """Parameters of one seed's net."""
    return sum(p[0].numel() for p in model.parameters())
