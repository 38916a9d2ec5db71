"""The Jacobians of the systems that gradients solve, for methods that need one, from that of f."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from odestudy.ode._auto import Auto
from odestudy.ode._control import Counter
from odestudy.ode._counted import Counted
from odestudy.ode._dirk import Dirk
from odestudy.ode._interp import Linear
from odestudy.ode._jacobian import Analytic, Jacobian, jacobian
from odestudy.ode._rosenbrock import Rosenbrock
from odestudy.ode._run import Run
from odestudy.ode._stepper import Stepper
from odestudy.ode.tableaus.kvaerno import KVAERNO5


def for_adjoint(run: Run, stepper: Stepper) -> Stepper:
    """The stepper for (y, a, ...), with d/dt a = -a df/dy: two blocks, J and -J^T.

    What couples a to y is left out, and what is driven by both only: Newton's iterations converge without. A
    Rosenbrock method would need it exactly, so kvaerno5 takes its place.
    """

    def change(method: Dirk | Rosenbrock) -> Stepper:
        analytic = _of(run, method.jacobian, True, lambda j: [j, -j.mT])
        if isinstance(method, Rosenbrock):
            return Dirk(KVAERNO5, jacobian=analytic)
        return replace(method, jacobian=analytic)

    return _with(stepper, change)


def for_tangents(run: Run, stepper: Stepper, directions: int) -> Stepper:
    """The stepper for (y, S), with d/dt S = df/dy S + ..: the block J for y and each direction of S.

    Where the iterations for S fail, J is taken at the iterates, so that the steps are those of y alone. A
    Rosenbrock method takes the whole system's Jacobian by autograd.
    """

    def change(method: Dirk | Rosenbrock) -> Stepper:
        if isinstance(method, Rosenbrock):
            return replace(method, jacobian="full")
        analytic = _of(run, method.jacobian, False, lambda j: [j] * (1 + directions))
        return replace(method, jacobian=analytic, persistent=True)

    return _with(stepper, change)


def _with(stepper: Stepper, change: Callable[[Dirk | Rosenbrock], Stepper]) -> Stepper:
    if isinstance(stepper, Linear):
        return type(stepper)(_with(stepper.inner, change))
    if isinstance(stepper, Auto):
        return replace(stepper, implicit=_with(stepper.implicit, change))
    return change(stepper) if isinstance(stepper, Dirk | Rosenbrock) else stepper


def _of(run: Run, kind: Jacobian, backward: bool, blocks: Callable[[Tensor], list[Tensor]]) -> Analytic:
    f = Counted(run.problem.f, Counter(run.stats, backward))
    shape, n = run.problem.y0.shape, run.problem.y0.numel()

    def analytic(time: Tensor, z: Tensor) -> Tensor:
        return torch.cat(blocks(jacobian(f, time, z[:n].reshape(shape), kind)))

    return analytic
