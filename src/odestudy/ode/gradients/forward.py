"""Forward mode: the sensitivities are solved along with the state."""

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, jvp, vmap

from odestudy.ode._control import Counter
from odestudy.ode._norms import Norm
from odestudy.ode._reach import reachable
from odestudy.ode._run import Run
from odestudy.ode._step import VectorField
from odestudy.ode._uses import Uses, due
from odestudy.ode.gradients._backsolve import real, time_gradients
from odestudy.ode.gradients._implicit import for_tangents
from odestudy.ode.gradients._once import once
from odestudy.ode.gradients.backprop import forward as solve_forward

CHUNK = 256  # directions whose tangents are evaluated together


def forward(run: Run) -> Tensor:
    """dS/dt = df/dy S + df/dp along every direction of y0 and the parameters (HNW I, eq. I.14.12).

    The exact discrete gradient in y0 and the parameters, as the steps are chosen by the state alone; dL/dt is
    the continuous formula's, by f at the observation. Memory holds the sensitivities
    at the observation times, cost grows with the number of directions. Parameters need f to be an nn.Module
    (ValueError otherwise), and f to use nothing else that needs a gradient, nor to differentiate inside itself
    but by torch.func.
    """
    params = run.needed_params()
    if params and (run.problem.module is None or not _names(run, params)):
        raise ValueError("gradient 'forward' can only vary parameters of an nn.Module; make f one")
    if not run.plan.stepper.one_step:
        raise ValueError(f"gradient 'forward' needs a one-step method, not {run.plan.stepper.name!r}")
    return _Forward.apply(run, run.problem.y0, run.times.tensor, *real(params))


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, run: Run, y0: Tensor, t: Tensor, *params: Tensor) -> Tensor:
        varied_y0 = ctx.needs_input_grad[1] or ctx.needs_input_grad[2]
        system = Sensitivities(run, y0, params, varied_y0)
        n, plan = y0.numel(), run.plan
        run.plan = replace(
            plan,
            stepper=for_tangents(run, plan.stepper, system.directions),
            tolerance=replace(plan.tolerance, norm=_state_norm(plan.tolerance.norm, y0)),
        )
        zs = solve_forward(run, system.field(run), system.start())
        run.plan = plan
        if run.failure is None and len(zs) > 1:  # what f uses late only may not have been seen
            end = torch.tensor(run.times.values[-1], dtype=zs.dtype, device=zs.device)
            _watched(system.slopes, end, zs[-1])
        ys = zs[:, :n].reshape(len(zs), *y0.shape)
        ctx.run, ctx.shape, ctx.varied_y0 = run, y0.shape, varied_y0
        ctx.save_for_backward(ys, zs[:, n:].reshape(len(zs), system.directions, n), *params)
        return ys

    @staticmethod
    @once("forward")
    def backward(ctx: Any, grad_ys: Tensor) -> tuple[Tensor | None, ...]:
        ys, sensitivities, *params = ctx.saved_tensors
        flat = grad_ys.reshape(len(grad_ys), -1)
        grads = torch.einsum("tn,tdn->d", flat, sensitivities)
        n = flat.shape[1] if ctx.varied_y0 else 0
        grad_y0 = grads[:n].reshape(ctx.shape) if ctx.varied_y0 else None
        grad_t = None if grad_y0 is None else time_gradients(ctx.run, ys, grad_ys, grad_y0 - grad_ys[0])
        ctx.run.stats.status_backward = "ok"
        split = grads[n:].split([p.numel() for p in params])
        return None, grad_y0, grad_t, *(g.reshape(p.shape) for g, p in zip(split, params, strict=True))


class Sensitivities:
    """The flat system (y, S), S of shape [directions, state]: first along y0, then along the parameters."""

    def __init__(self, run: Run, y0: Tensor, params: tuple[Tensor, ...], varied_y0: bool) -> None:
        self.y0, self.params, self.problem = y0, params, run.problem
        self.n = y0.numel()
        self.along_y0 = self.n if varied_y0 else 0
        self.directions = self.along_y0 + sum(p.numel() for p in params)
        self.names = _names(run, params)
        self.tangents = self._unit_tangents()
        known = {id(p) for p in run.problem.params or ()}
        self.hidden = any(id(x) not in known for x in reachable(run.problem.f))  # something that f could use

    def start(self) -> Tensor:
        """(y0, I, 0)."""
        s = self.y0.new_zeros(self.directions, self.n)
        s[: self.along_y0] = torch.eye(self.n, dtype=s.dtype, device=s.device)[: self.along_y0]
        return torch.cat([self.y0.reshape(-1), s.reshape(-1)])

    def _unit_tangents(self) -> tuple[Tensor, ...]:
        """For each parameter the directions' tangents, shape [directions, *parameter]."""
        tangents, at = [], self.along_y0
        for p in self.params:
            block = torch.zeros(self.directions, p.numel(), dtype=p.dtype, device=p.device)
            block[at : at + p.numel()] = torch.eye(p.numel(), dtype=p.dtype, device=p.device)
            tangents.append(block.reshape(self.directions, *p.shape))
            at += p.numel()
        return tuple(tangents)

    def field(self, run: Run) -> VectorField:
        """`slopes`, an evaluation of f and one of its tangent map counted as one."""
        counter, calls = Counter(run.stats), 0

        def augmented(t: Tensor, z: Tensor) -> Tensor:
            nonlocal calls
            counter.evaluation()
            calls += 1
            return _watched(self.slopes, t, z) if self.hidden or due(calls) else self.slopes(t, z)

        return augmented

    def slopes(self, t: Tensor, z: Tensor) -> Tensor:
        """d/dt (y, S)."""
        y, s = z[: self.n].reshape(self.y0.shape), z[self.n :].reshape(self.directions, *self.y0.shape)
        values = tuple(p.detach() for p in self.params)

        def along(ds: Tensor, *dps: Tensor) -> Any:
            return jvp(lambda x, *ps: self._f(t, x, ps), (y, *values), (ds, *dps))

        if self.directions == 0:
            return self._f(t, y, values).reshape(-1)
        out_dims: Any = (None, 0)
        slopes = []
        for piece in zip(*(x.split(CHUNK) for x in (s, *self.tangents)), strict=True):
            dy, ds = vmap(along, out_dims=out_dims)(*piece)
            slopes.append(ds.reshape(-1))
        return torch.cat([dy.reshape(-1), *slopes])

    def _f(self, t: Tensor, y: Tensor, params: tuple[Tensor, ...]) -> Tensor:
        if not params or self.problem.module is None:
            return self.problem.f(t, y)
        given = {name: p for names, p in zip(self.names, params, strict=True) for name in names}
        module = self.problem.module
        # Not by torch's own tie_weights, which leaves what it put there in a module that is there under two names.
        call = partial(functional_call, module, given, tie_weights=False)
        return self.problem.on_flat(lambda t, y: call((t, y)))(t, y)


def _watched(evaluate: VectorField, t: Tensor, z: Tensor) -> Tensor:
    """An evaluation; ValueError where f is not one whose sensitivities can be had so."""
    uses = Uses()
    try:
        slopes = uses.watch(evaluate, t, z)
    except RuntimeError as error:
        raise ValueError(
            f"gradient 'forward' can't differentiate f ({str(error).splitlines()[0]}); an f that differentiates inside "
            "itself needs torch.func (grad, jvp, vjp) in place of torch.autograd, or another gradient"
        ) from error
    if uses.found:
        shapes = ", ".join(str(tuple(x.shape)) for x in uses.found.values())
        raise ValueError(
            f"gradient 'forward' can only vary f's own parameters, but f uses other tensors that need a gradient, of "
            f"shapes {shapes}: make them parameters of f, detach them, or take another gradient"
        )
    return slopes


def _names(run: Run, params: tuple[Tensor, ...]) -> tuple[list[str], ...]:
    """Each parameter's names, one in each module that has it; empty where one of them is in none."""
    if run.problem.module is None:
        return ()
    known = defaultdict[int, list[str]](list)
    for prefix, part in run.problem.module.named_modules():
        for name, p in part.named_parameters(prefix, recurse=False, remove_duplicate=False):
            known[id(p)].append(name)
    names = tuple(known[id(p)] for p in params)
    return names if all(names) else ()


def _state_norm(norm: Norm, y0: Tensor) -> Norm:
    return lambda r: norm(r[: y0.numel()].reshape(y0.shape))
