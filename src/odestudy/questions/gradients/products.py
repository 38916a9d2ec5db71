"""Products with the Jacobian of a solve: pushing tangents forward, pulling cotangents back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.func import functional_call, jvp, vjp

from odestudy.integrate import Solver
from odestudy.ode import solve
from odestudy.questions.gradients.gradient import flat, gradient_of, solver_of
from odestudy.questions.gradients.problems import Problem

MOST_STEPS = 2000  # of an adjoint whose state, solved back, runs away
ADJOINT_RTOL = 1e-6  # of the adjoint that is shown beside the transposed steps


def push_forward(problem: Problem, solver: Solver, y0_tangent: Tensor, tangents: list[Tensor]) -> Tensor:
    """J u of the map (y0, parameters) -> y(t1) as it is computed, by dual numbers through the solver's own steps."""
    names = [name for name, _ in problem.f.named_parameters()]
    with forward_ad.dual_level():
        duals = {
            name: forward_ad.make_dual(p.detach(), u)
            for name, p, u in zip(names, problem.parameters(), tangents, strict=True)
        }
        y0 = forward_ad.make_dual(problem.y0, y0_tangent)
        found = solve(
            lambda t, y: functional_call(problem.f, duals, (t, y)), y0, problem.times(), method=solver.method,
            rtol=solver.rtol, atol=solver.atol, dt0=solver.step,
        ).raise_on_failure().ys  # fmt: skip
        assert isinstance(found, Tensor), "one tensor in, one tensor out"
        return forward_ad.unpack_dual(found[-1]).tangent


def dot_product_mismatch(problem: Problem, arm: str, rtol: float) -> float:
    """|<v, J u> - <J^T v, u>| / (||v|| ||J u||) for a random u over parameters and y0, in float64.

    J u is that of the map as computed; J^T v is what the arm gives.
    """
    solver = solver_of(arm, rtol=rtol, atol=rtol / 100)
    generator = torch.Generator().manual_seed(3)

    def random(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)

    u_y0, us = random(problem.y0), [random(p) for p in problem.parameters()]
    pushed = push_forward(problem, solver, u_y0, us)
    v = random(problem.y0)
    pulled = gradient_of(problem, solver, v)
    left = float((v * pushed).sum())
    right = float(torch.cat([pulled.parameters, pulled.y0]) @ flat([*us, u_y0]))
    return abs(left - right) / float(v.norm() * pushed.norm())


def carried(problem: Problem, points: int, substeps: int = 3) -> dict[str, np.ndarray]:
    """A tangent carried forward and a cotangent carried back along one trajectory, for a picture.

    Between neighbouring points lies a map of RK4 steps; its products are exact. Beside them the cotangent of the
    adjoint ODE, whose state is solved back from the end. All of shape (points, d), but for the tolerance of that solve; where a solve ended early NaN.
    """
    t = torch.linspace(0, problem.t1, points, dtype=torch.float64)
    step = problem.t1 / (points - 1) / substeps

    def flow(y: Tensor) -> Tensor:
        found = solve(problem.f, y, t[:2], method="rk4", dt0=step, throw=False).ys
        assert isinstance(found, Tensor), "one tensor in, one tensor out"
        return found[-1]

    states, tangents = [problem.y0], [torch.ones_like(problem.y0) / problem.y0.numel() ** 0.5]
    for _ in range(points - 1):
        y, u, *_ = jvp(flow, (states[-1],), (tangents[-1],))
        states.append(y.detach())
        tangents.append(u.detach())
    cotangents = [tangents[-1] / tangents[-1].norm()]  # along the tangent, so that their product is not small
    for y in reversed(states[:-1]):
        cotangents.append(vjp(flow, y)[1](cotangents[-1])[0].detach())
    back = _adjoint(problem, states[-1], cotangents[0], t.flip(0))
    pulled = torch.cat(cotangents[::-1])
    return {
        "t": t.numpy(), "state": torch.cat(states).numpy(), "tangent": torch.cat(tangents).numpy(),
        "cotangent": pulled.numpy(), "adjoint_state": back[0].flip(0).numpy(), "adjoint": back[1].flip(0).numpy(),
        "adjoint_rtol": np.array(ADJOINT_RTOL),
    }  # fmt: skip


def _adjoint(problem: Problem, end: Tensor, cotangent: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """(y, a) of y' = f, a' = -a df/dy, from the end back, by dopri5; shapes (points, d)."""

    def augmented(t: Tensor, pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        y, a = pair
        slope, pull, *_ = vjp(lambda z: problem.f(t, z), y)
        return slope, -pull(a)[0]

    with torch.no_grad():
        ys = solve(augmented, (end, cotangent), times, method="dopri5", rtol=ADJOINT_RTOL, atol=ADJOINT_RTOL / 100,
                   max_steps=MOST_STEPS, throw=False).ys  # fmt: skip
    return ys[0][:, 0], ys[1][:, 0]
