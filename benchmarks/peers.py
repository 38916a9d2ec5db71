"""The other libraries' training steps; a library that can't be imported is named with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor
from workloads import Workload

from odestudy.datasets.torchvision_shim import import_torchvision

LIBRARIES = ("torchdiffeq", "torchode", "torchdyn", "diffrax")


@dataclass(frozen=True)
class Training:
    """One way to train on a workload: `step` is what is timed, `gradient` what the last step found.

    `nfe` gives the evaluations of f, forward and backward, of the last step; None where they are not counted.
    """

    step: Callable[[], None]
    gradient: Callable[[], Tensor]
    nfe: Callable[[], tuple[int, int] | None]


def training(w: Workload, loss: Callable[[], Tensor]) -> Training:
    """A step of PyTorch: forward and backward, the evaluations counted by a hook in one step more."""

    def step() -> None:
        w.f.zero_grad(set_to_none=True)
        loss().backward()

    def nfe() -> tuple[int, int]:
        calls: list[None] = []
        w.f.zero_grad(set_to_none=True)
        hook = w.f.register_forward_pre_hook(lambda *_: calls.append(None))
        found = loss()
        forward = len(calls)
        found.backward()
        hook.remove()
        return forward, len(calls) - forward

    return Training(step, w.gradient, nfe)


def drop_in(package: Any, name: str, **options: Any) -> Callable[[Workload], Training]:
    """torchdiffeq's odeint or odeint_adjoint, or what takes its place."""
    odeint = getattr(package, name)

    def make(w: Workload) -> Training:
        given = {"rtol": w.rtol, "atol": w.atol, "method": "dopri5", **options}
        return training(w, lambda: w.loss(odeint(w.f, w.y0, w.t, **given)))

    return make


def torchode(w: Workload) -> Training:
    """torchode's Dopri5: each sample has its own steps."""
    import torchode

    if not isinstance(w.y0, Tensor) or w.y0.ndim != 2:
        raise ValueError("torchode takes states of shape (batch, features)")
    y0 = w.y0

    def loss() -> Tensor:
        term = torchode.ODETerm(w.f)
        controller = torchode.IntegralController(atol=w.atol, rtol=w.rtol, term=term)
        solver = torchode.AutoDiffAdjoint(torchode.Dopri5(term=term), controller)
        problem = torchode.InitialValueProblem(y0=y0, t_eval=w.t.expand(len(y0), -1))
        return w.loss(solver.solve(problem).ys.transpose(0, 1))

    return training(w, loss)


def torchdyn(w: Workload) -> Training:
    """torchdyn's dopri5, back-propagated."""
    import_torchvision()  # torchdyn imports it by way of others
    from torchdyn.numerics import odeint

    if not isinstance(w.y0, Tensor):
        raise ValueError("torchdyn takes one tensor as state")
    given = {"solver": "dopri5", "rtol": w.rtol, "atol": w.atol}
    return training(w, lambda: w.loss(odeint(w.f, w.y0, w.t, **given)[1]))


def diffrax(w: Workload) -> Training:
    """diffrax's Dopri5 under jit, with its recursive checkpointing, on the same weights."""
    if not w.name.startswith("mlp"):
        raise ValueError("diffrax is measured on the MLP only, whose weights are carried over")
    import diffrax
    import jax
    from jax import numpy as jnp

    shapes = [p.detach().numpy() for p in w.f.parameters()]
    weights = [jnp.asarray(p) for p in shapes]
    y0, t = jnp.asarray(w.y0.numpy()), jnp.asarray(w.t.numpy())

    def f(time: Any, y: Any, layers: Any) -> Any:
        for i in range(0, len(layers), 2):
            y = y @ layers[i].T + layers[i + 1]
            y = jnp.tanh(y) if i + 2 < len(layers) else y
        return y

    @jax.jit
    def step(layers: Any) -> Any:
        def loss(layers: Any) -> Any:
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(f), diffrax.Dopri5(), t[0], t[-1], None, y0, layers, saveat=diffrax.SaveAt(ts=t),
                stepsize_controller=diffrax.PIDController(rtol=w.rtol, atol=w.atol),
            )  # fmt: skip
            return (solution.ys**2).mean()

        return jax.value_and_grad(loss)(layers)

    found: list[Any] = [None]

    def run() -> None:
        found[0] = jax.block_until_ready(step(weights))

    def gradient() -> Tensor:
        return torch.cat([torch.from_numpy(np.array(g, dtype=np.float64)).reshape(-1) for g in found[0][1]])

    return Training(run, gradient, lambda: None)


def load(threads: int) -> tuple[dict[str, str], dict[str, str]]:
    """Versions of the libraries that can be imported, and for the others why not; sets the number of threads."""
    torch.set_num_threads(threads)
    if threads == 1:  # read when jax is first imported
        os.environ.setdefault(
            "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )
    import_torchvision()
    found, missing = {}, {}
    for name in LIBRARIES:
        try:
            __import__("torchdyn.numerics" if name == "torchdyn" else name)
            found[name] = version(name)
        except Exception as error:  # whatever an import of somebody else's package may raise
            missing[name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found, missing
