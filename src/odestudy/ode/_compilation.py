"""Whether and how the steps of a method are compiled."""

import torch

from odestudy.ode._explicit_rk import ExplicitRK
from odestudy.ode._stepper import Stepper
from odestudy.ode._tolerance import Tolerance

COMPILABLE = ("backprop", "checkpointed")
MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def with_compilation(
    stepper: Stepper, tolerance: Tolerance, compile: bool | str, gradient: str, device: torch.device
) -> Stepper:
    """The stepper with compiled steps, where `compile` is True or a mode of torch.compile; itself where False.

    Raises ValueError for what has no such step: other methods, and gradients that solve another ODE.
    """
    if compile is False:
        return stepper
    if not isinstance(stepper, ExplicitRK):
        raise ValueError(f"compile: only explicit Runge-Kutta methods can be compiled, not {stepper.name!r}")
    if gradient not in COMPILABLE:
        raise ValueError(f"compile goes with gradient {' or '.join(COMPILABLE)}, not with {gradient!r}")
    if compile is not True and compile not in MODES:
        raise ValueError(f"compile must be a bool or one of {', '.join(MODES)}, got {compile!r}")
    from odestudy.ode._compiled import CompiledRK  # here, since torch's compiler takes seconds to import

    return CompiledRK(stepper, tolerance, None if compile is True else compile, device.type == "cpu")
