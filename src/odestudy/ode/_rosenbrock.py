"""Rosenbrock methods under the stepper's contract: linear systems in place of Newton's iterations."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from odestudy.ode._jacobian import Jacobian, Shifted, check_jacobian, rows
from odestudy.ode._rosenbrock_tableau import RosenbrockTableau
from odestudy.ode._span import Span, nodes_tensor
from odestudy.ode._step import Field, weighted_sum
from odestudy.ode._stepper import Attempt
from odestudy.ode._tableau import Terms, terms


class Linearization(NamedTuple):
    """f, df/dy and df/dt (None where f does not depend on t) at a step's start."""

    slope: Tensor
    jacobian: Tensor
    along_t: Tensor | None


@dataclass(frozen=True)
class Rosenbrock:
    """A Rosenbrock method: one Jacobian and one LU factorization a step, all stages linear systems with it.

    Its order rests on exact derivatives: f must let autograd see how it depends on y and t (no float(t), no
    no_grad inside). `jacobian` is as for the DIRK methods.
    """

    tableau: RosenbrockTableau
    jacobian: Jacobian = "full"
    one_step = True
    weights = None

    def __post_init__(self) -> None:
        check_jacobian(self.jacobian)

    @property
    def name(self) -> str:
        return self.tableau.name

    @property
    def order(self) -> int:
        return self.tableau.order

    @property
    def error_power(self) -> int:
        return self.tableau.error_order + 1

    @property
    def nodes(self) -> tuple[float, ...]:
        return self.tableau.c

    @cached_property
    def _rows(self) -> tuple[tuple[Terms, Terms], ...]:
        """Of each stage after the first: the weights of the earlier u in its state, and beside f."""
        return tuple((terms(a), terms(g)) for a, g in zip(self.tableau.a, self.tableau.g, strict=True))

    def step(self, f: Field, span: Span, y: Tensor, carry: Linearization | Tensor | None) -> Attempt:
        """One step; a retry from the same state carries its linearization."""
        known = isinstance(carry, Linearization)
        at = carry if isinstance(carry, Linearization) else self._linearize(f, span, y)
        tab, dt, times = self.tableau, span.dt, span.stages(self.nodes)
        scale = tab.gamma * dt
        matrix = Shifted.of(at.jacobian, scale)
        us = [matrix.solve(self._right(at.slope, at.along_t, 0, dt) * scale)]
        for i, (row, beside) in enumerate(self._rows, start=1):
            stage = y + weighted_sum(row, us)
            right = self._right(f(times[i], stage), at.along_t, i, dt)
            us.append(matrix.solve(right * scale + weighted_sum(beside, us) * tab.gamma))
        return Attempt(y + weighted_sum(terms(tab.m), us), us, None, at, None, 0 if known else 1, 1)

    def _right(self, slope: Tensor, along_t: Tensor | None, i: int, dt: float | Tensor) -> Tensor:
        d = self.tableau.d[i]
        return slope if along_t is None or d == 0.0 else slope + along_t * (dt * d)

    def _linearize(self, f: Field, span: Span, y: Tensor) -> Linearization:
        """By autograd from one evaluation, and differentiable itself where a gradient is wanted."""
        wanted = torch.is_grad_enabled()
        time = span.times((0.0,))[0]
        t = time if wanted and time.requires_grad else time.detach().requires_grad_()
        x = y if wanted and y.requires_grad else y.detach().requires_grad_()
        with torch.enable_grad():
            slope = f(t, x)
            along_t = _along(slope, t, wanted)
            if callable(self.jacobian):
                found = self.jacobian(t, x)
                found = found.reshape(-1, *found.shape[-2:])
            else:
                found = rows(slope, x, self.jacobian, create_graph=wanted)
        if not wanted:
            return Linearization(
                slope.detach(), found.detach(), None if along_t is None else along_t.detach()
            )
        return Linearization(slope, found, along_t)

    def errors(self, dt: float, attempt: Attempt) -> tuple[Tensor, ...]:
        """u of the last stage."""
        return (attempt.ks[-1] * self.tableau.strictness,)

    def stiffness(self, attempt: Attempt) -> Tensor | None:
        """Not estimated: no bound on the step follows from it."""
        return None

    @cached_property
    def _polynomials(self) -> Tensor:
        return torch.from_numpy(self.tableau.weights().T.copy())

    def interpolate(self, f: Field, span: Span, y: Tensor, attempt: Attempt, theta: Tensor) -> Tensor:
        """y + sum_i w_i(theta) u_i."""
        p = self._polynomials.to(theta.device)
        powers = theta[:, None] ** nodes_tensor(tuple(range(1, len(p) + 1)), theta.device)
        us = torch.stack(attempt.ks)
        return y + ((powers @ p).to(y.dtype) @ us.reshape(len(us), -1)).reshape(-1, *y.shape)


def _along(slope: Tensor, t: Tensor, create_graph: bool) -> Tensor | None:
    """d slope / dt by two backward passes, as g(v) = v . df/dt is linear in v; None where t does not matter."""
    if not slope.requires_grad:
        return None
    v = torch.zeros_like(slope).requires_grad_()
    (g,) = torch.autograd.grad(slope, t, v, create_graph=True, allow_unused=True)
    if g is None or not g.requires_grad:
        return None
    return torch.autograd.grad(g, v, create_graph=create_graph, retain_graph=True)[0]
