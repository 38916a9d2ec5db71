"""The arms: ways to the gradient, each a library with a way to differentiate."""

from __future__ import annotations

# An arm is one entry: its name, the library and the gradient of odestudy.integrate.
ARMS: dict[str, tuple[str, str]] = {
    "backprop": ("odestudy", "backprop"),
    "checkpointed": ("odestudy", "checkpointed"),
    "forward": ("odestudy", "forward"),
    "reversible": ("odestudy", "reversible"),
    "adjoint": ("odestudy", "adjoint"),
    "adjoint_seminorm": ("odestudy", "adjoint_seminorm"),
    "quadrature": ("odestudy", "quadrature"),
    "torchdiffeq_backprop": ("torchdiffeq", "backprop"),
    "torchdiffeq_adjoint": ("torchdiffeq", "adjoint"),
    "torchdiffeq_seminorm": ("torchdiffeq", "adjoint_seminorm"),
    "torchode_backprop": ("torchode", "backprop"),
}
# Arms that need a method that can go back: with fixed steps, and adaptive.
OWN_METHOD = {"reversible": ("reversible_rk4", "reversible_dopri5")}
