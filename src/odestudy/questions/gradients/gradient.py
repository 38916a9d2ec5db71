"""The gradient of one problem by one arm: a library with a way to differentiate."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from odestudy.integrate import LIBRARIES, Counted, Solver, integrate
from odestudy.ode import GRADIENTS
from odestudy.questions.gradients.arms import ARMS, OWN_METHOD
from odestudy.questions.gradients.problems import Problem
from odestudy.runtime.outcome import Row


def missing(arm: str) -> str:
    """Why an arm cannot run here; empty where it can.

    Raises:
        ValueError: there is no such arm.
    """
    if arm not in ARMS:
        raise ValueError(f"arm {arm!r}; allowed: {', '.join(ARMS)}")
    library, gradient = ARMS[arm]
    if library == "odestudy":
        return "" if gradient.removesuffix("_seminorm") in GRADIENTS else "this version has no such gradient"
    if library not in LIBRARIES:
        return f"{library} is not among the libraries"
    return "" if find_spec(library) else f"{library} is not installed"


def solver_of(arm: str, **settings: Any) -> Solver:
    """How to solve and differentiate; an arm that needs a method of its own gets it, whatever the settings say."""
    library, gradient = ARMS[arm]
    own = {}
    if arm in OWN_METHOD:
        own["method"] = OWN_METHOD[arm][settings.get("step") is None]
    return Solver(library=library, gradient=gradient, **(settings | own))


@dataclass(frozen=True)
class Gradient:
    """Flat gradients of <c, y(t1)> in the parameters and in y0, and evaluations of f forward and backward."""

    parameters: Tensor
    y0: Tensor
    nfe: int
    nfe_backward: int


def gradient_of(problem: Problem, solver: Solver, cotangent: Tensor | None = None) -> Gradient:
    """Solve forward, then differentiate.

    Raises:
        NumericalFailure, or what the library raises for one: see odestudy.integrate.named_failure.
    """
    f = Counted(problem.f, solver.max_nfe)
    y0 = problem.y0.clone().requires_grad_()
    end = integrate(f, y0, problem.times(), solver)[-1]
    c = problem.cotangent() if cotangent is None else cotangent
    *params, start = torch.autograd.grad((end * c).sum(), [*problem.parameters(), y0])
    nfe, nfe_backward = f.take()
    return Gradient(flat(params), start.reshape(-1), nfe, nfe_backward)


def counted(nfe: int, nfe_backward: int, arm: str) -> Row:
    """Evaluations of f forward and backward, products with its Jacobian, and their sum as work.

    Back-propagation takes one product for each stored evaluation, the other reverse arms evaluate f again for each
    product. Forward mode takes one product for each direction and evaluation, which is not counted here.
    """
    if ARMS[arm][1] == "forward":
        return {"nfe_forward": nfe, "nfe_backward": nfe_backward}
    products = nfe if ARMS[arm][1] == "backprop" else nfe_backward
    return {
        "nfe_forward": nfe, "nfe_backward": nfe_backward, "products": products, "work": nfe + nfe_backward + products,
    }  # fmt: skip


def flat(tensors: list[Tensor] | tuple[Tensor, ...]) -> Tensor:
    return torch.cat([x.reshape(-1) for x in tensors])


def relative(found: Tensor, truth: Tensor) -> float:
    """||found - truth|| / ||truth||, in float64."""
    found, truth = found.double(), truth.double()
    return float((found - truth).norm() / truth.norm())


def cosine(found: Tensor, truth: Tensor) -> float:
    """The cosine of the angle between two vectors, in float64; scaled first, so that none overflows."""
    found, truth = found.double(), truth.double()
    found, truth = found / found.abs().max().clamp_min(1e-300), truth / truth.abs().max().clamp_min(1e-300)
    return float(found @ truth / (found.norm() * truth.norm()).clamp_min(1e-300))
