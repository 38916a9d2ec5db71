"""The text of a failure: where, by what, and what to try."""

import torch
from torch import Tensor

from odestudy.ode._control import Control
from odestudy.ode._norms import MixedNorm
from odestudy.ode._status import Failure, Status
from odestudy.ode._stepper import StepStatus
from odestudy.ode._tolerance import Tolerance

STIFF_METHODS = ("auto", "rodas5p", "kvaerno5", "kvaerno3")
STIFF = 2.5  # h |lambda| near the edge of an explicit method's region of stability


def details(status: Status, control: Control) -> str:
    """What ran out: steps, or their size."""
    if status == "max_steps":
        return f"{control.max_steps} steps were not enough"
    if control.pid.factor_min < 1:
        return "the step size became too small"
    return "a rejected step may not be made smaller, with factor_min 1 (dfactor)"


def diagnose(
    status: Status,
    t: float,
    dt: float,
    ratio: float,
    stiffness: float,
    blamed: str,
    y: Tensor,
    detail: str,
    backward: bool = False,
) -> Failure:
    """A failure with its circumstances; a non-finite error turns an underflow into "non_finite".

    With `backward` it is an adjoint's, whose state may have left the way it came.
    """
    if status == "step_size_underflow" and not ratio < float("inf"):
        status = "non_finite"
    causes, advice = [], []
    if not bool(torch.isfinite(y).all()):
        causes.append("the state itself is not finite")
        advice.append("check the initial value and the dynamics' output")
    elif not ratio < float("inf"):
        causes.append("f gave a non-finite value, however short the step")
        advice.append("look for a blow-up in finite time, a division by zero or an overflow near this time")
    if stiffness > STIFF:
        causes.append(f"the problem is stiff here (h |lambda| = {stiffness:.2g})")
        advice.append(f"a stiff method ({', '.join(STIFF_METHODS)}), or a looser tolerance")
    if "adjoint" in blamed or "parameters" in blamed:
        causes.append(f"the largest error is in {blamed}")
        advice.append(
            "the adjoint's norm 'seminorm', or gradient='checkpointed', which solves nothing backwards"
        )
    if not causes and backward:
        causes.append(
            f"the error is largest in {blamed}, solved backwards, where what converges forwards diverges"
        )
        advice.append("a tighter rtol and atol, or gradient='checkpointed', which solves nothing backwards")
    elif not causes:
        causes.append(f"the error is largest in {blamed}")
        advice.append("a looser rtol or atol, float64, or a larger max_steps")
    where = f"t = {t:.9g}, dt = {dt:.3g}, error norm {ratio:.3g} (allowed 1)"
    return Failure(status, f"{detail} at {where}; {'; '.join(causes)}. Try: {'; '.join(advice)}.")


def no_start(t: float, y: Tensor) -> Failure:
    """The failure of a solve whose first state or first slope is not finite."""
    if not bool(torch.isfinite(y).all()):
        return Failure(
            "non_finite", f"the state itself is not finite at the start, t = {t:.9g}. Try: check y0."
        )
    return Failure(
        "non_finite",
        f"f gave a non-finite value at the start, t = {t:.9g}. Try: check y0, and f for an overflow or a "
        "division by zero there.",
    )


def no_event(t: float) -> Failure:
    """The failure of a solve that came to rest at t, before its event."""
    return Failure("max_steps", f"no event between t = {t:.9g}, where the solution is at rest, and infinity")


def unsolved(status: StepStatus, t: float, dt: float, y: Tensor) -> Failure:
    """The failure of an implicit step whose equations have not been solved, however short it was made."""
    where = f"at t = {t:.9g}, dt = {dt:.3g}"
    if status == "non_finite" or not bool(torch.isfinite(y).all()):
        return Failure(
            "non_finite",
            f"f gave a non-finite value in an implicit stage {where}. Try: look for a blow-up in finite time, "
            "a division by zero or an overflow near this time; with fixed steps, shorter ones.",
        )
    return Failure(
        "newton_failed",
        f"Newton's iterations for an implicit stage do not converge {where}. Try: with fixed steps shorter "
        "ones, or an adaptive method; look for a jump of f (jump_t) or for a Jacobian that does not belong to "
        "f (option jacobian); a looser tolerance, or float64.",
    )


def blame(tolerance: Tolerance, error: Tensor | None, y: Tensor, y1: Tensor) -> str:
    """Name of the part of the state whose error is largest."""
    if isinstance(tolerance.norm, MixedNorm) and error is not None:
        return tolerance.norm.largest(error / tolerance.scale(torch.maximum(y.abs(), y1.abs())))
    return "the state"
