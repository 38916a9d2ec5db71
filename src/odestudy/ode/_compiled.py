"""An explicit Runge-Kutta step with its error norm as one compiled function of tensors."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from odestudy.ode._constants import constant
from odestudy.ode._counted import Counted
from odestudy.ode._explicit_rk import ExplicitRK, explicit_rk
from odestudy.ode._norms import Norm
from odestudy.ode._precision import wide
from odestudy.ode._span import Span
from odestudy.ode._step import VectorField, rk_step
from odestudy.ode._stepper import StepResult
from odestudy.ode._tableau import ExplicitTableau
from odestudy.ode._tolerance import Tolerance

VARIANTS = 64  # compiled versions of one method's step: kinds of f, shapes, with and without gradient

Result = tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None]


@lru_cache(maxsize=64)
def compiled_step(tab: ExplicitTableau, fixed: bool, mode: str | None, host: bool) -> Callable[..., Result]:
    """A method's compiled step: (y1, last stage, all stages, error ratio or None, h |lambda| or None).

    The size of the step is a tensor, so that a new one does not compile anew; a new shape or kind of f does.
    """
    rk = explicit_rk(tab, fixed)

    def step(
        f: VectorField, norm: Norm, t: Tensor, dt: Tensor, y: Tensor, k1: Tensor, rtol: Tensor, atol: Tensor
    ) -> Result:
        times = [(t + c * dt).to(y.dtype) for c in rk.nodes]
        y1, ks = rk_step(lambda t, y: f(t, y).clone(), times, dt, y, k1, tab, rk.rows, rk.weights)
        past = StepResult(y1.detach(), [k.detach() for k in ks], None, None)
        ratio = stiffness = None
        if rk.error_power:
            ratio = Tolerance(rtol, atol, norm).ratio(rk.errors(dt, past), y.detach(), past.y1)
            stiffness = rk.stiffness(past)
        return y1, ks[-1], torch.stack(ks), ratio, stiffness

    # On the host the kernels of a small f take less time than calling them one by one from Python.
    options: dict[str, Any] | None = {"cpp_wrapper": True} if host and mode is None else None
    return torch.compile(step, fullgraph=True, dynamic=False, mode=mode, options=options)


class CompiledRK(ExplicitRK):
    """An explicit Runge-Kutta method whose steps are compiled; a step onto a jump of f is taken eagerly.

    The first step with a new kind of f or a new shape compiles, which takes many seconds. Raises ValueError
    for an f that torch.compile can't take as one graph.
    """

    def __init__(self, rk: ExplicitRK, tolerance: Tolerance, mode: str | None, host: bool) -> None:
        vars(self).update(vars(rk))  # all that is computed once for a method
        self.tolerance, self.mode, self.host = tolerance, mode, host

    def step(self, f: VectorField, span: Span, y: Tensor, solver_state: Tensor | None) -> StepResult:
        """One step, its error ratio already computed."""
        if span.after or span.before or not isinstance(f, Counted):
            return super().step(f, span, y, solver_state)
        k1 = f(span.stages(self.nodes)[0], y) if solver_state is None else solver_state
        if k1.requires_grad and not y.requires_grad and torch.is_grad_enabled():
            y = y.detach().requires_grad_()  # as in the later steps: the first shall be no variant of its own
        t, dt = self._clock(span)
        limits = (_tensor(self.tolerance.rtol, y), _tensor(self.tolerance.atol, y))
        y1, last, stages, ratio, stiffness = self._call(f.f, self.tolerance.norm, t, dt, y, k1, *limits)
        f.counter.evaluation(len(self.nodes) - 1)
        solver_state = last if self.tableau.fsal and not self.short else None
        stacked = None if self.extra else stages
        ks = list(stages.unbind())
        return StepResult(y1, ks, solver_state, k1, stacked=stacked, ratio=ratio, stiffness=stiffness)

    def stiffness(self, attempt: StepResult) -> Tensor | None:
        """The compiled step's estimate, or an eager one."""
        return super().stiffness(attempt) if attempt.stiffness is None else attempt.stiffness

    def _clock(self, span: Span) -> tuple[Tensor, ...]:
        """t and dt as scalars on the host, or on the device where they carry a gradient."""
        if isinstance(span.t, Tensor) or isinstance(span.dt, Tensor):
            parts = [
                torch.as_tensor(x, dtype=wide(span.device), device=span.device) for x in (span.t, span.dt)
            ]
            return torch.stack(parts).unbind()
        clock = torch.tensor([span.t, span.dt], dtype=wide(span.device))
        return clock.to(span.device, non_blocking=True).unbind()

    def _call(self, *arguments: Any) -> Result:
        """The compiled function's result."""
        run = compiled_step(self.tableau, self.error_power == 0, self.mode, self.host)
        try:
            return run(*arguments)
        except TorchDynamoException:
            pass  # f may differentiate in itself (traced only on request), or be the ninth of its kind
        try:
            with torch._dynamo.config.patch(trace_autograd_ops=True, recompile_limit=VARIANTS):
                return run(*arguments)
        except TorchDynamoException as error:
            why = str(error).strip().splitlines()[0]
            raise ValueError(f"compile: f can't be compiled as one graph ({why}); leave it out") from error


def _tensor(value: float | Tensor, like: Tensor) -> Tensor:
    return constant(value, like) if isinstance(value, float) else value
