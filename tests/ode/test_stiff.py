"""On stiff problems: as accurate as scipy's Radau, and the automatic choice of the method."""

from functools import cache

import numpy as np
import pytest
import torch
from detest import PROBLEMS as NON_STIFF
from helpers import F64, Mlp
from stiff_compare import error, ours, reference, scipys
from stiff_problems import PROBLEMS
from torch import Tensor

from odestudy.ode import Solution, solve

JACOBIAN, LU = 3.0, 1.0  # what they count beside an evaluation: about their time for the small systems here


def ratios(method: str, names: tuple[str, ...], tolerances: tuple[float, ...]) -> tuple[float, float]:
    """Geometric means over problems and tolerances: our error over Radau's, our accepted steps over Radau's."""
    errors, steps = [], []
    for name in names:
        for tol in tolerances:
            mine, theirs = ours(name, method, tol), scipys(name, "Radau", tol)
            errors.append(mine.error / theirs.error)
            steps.append(mine.accepted / theirs.accepted)
    return float(np.exp(np.mean(np.log(errors)))), float(np.exp(np.mean(np.log(steps))))


def test_rodas5p_is_as_accurate_as_radau_at_the_same_tolerance() -> None:
    errors, steps = ratios("rodas5p", ("vdp1e3", "robertson", "hires", "oregonator"), (1e-3, 1e-5))
    assert errors <= 1.5
    assert steps <= 2


def test_kvaerno5_crosses_the_stiffest_van_der_pol_and_follows_robertson_to_the_end() -> None:
    assert ours("vdp1e6", "kvaerno5", 1e-4).error < 1e-2
    assert ours("robertson", "kvaerno5", 1e-5).error < 1e-3
    with torch.no_grad():
        problem = PROBLEMS["robertson"]
        y0 = torch.tensor(problem.y0, dtype=F64)
        solution = solve(
            lambda t, y: problem.f(t, y, torch), y0, [0.0, 1e11], method="kvaerno5", rtol=1e-5, atol=1e-11
        )
    assert float(solution.ys[-1].sum()) == pytest.approx(1, abs=1e-12)  # mass is kept by every stage


@pytest.mark.parametrize("solver", ["Radau", "BDF"])
def test_scipys_stiff_solvers_are_methods_too(solver: str) -> None:
    problem = PROBLEMS["robertson"]
    with torch.no_grad():
        solution = solve(
            lambda t, y: problem.f(t, y, torch),
            torch.tensor(problem.y0, dtype=F64),
            problem.times,
            method="scipy_solver",
            options={"solver": solver},
            rtol=1e-6,
            atol=1e-12,
        )
    assert solution.status == "ok"
    assert error("robertson", solution.ys.numpy()) < 1e-4


def test_an_explicit_method_names_the_stiff_ones_where_it_gives_up() -> None:
    problem = PROBLEMS["vdp1e3"]
    y0 = torch.tensor(problem.y0, dtype=F64)
    solution = solve(lambda t, y: problem.f(t, y, torch), y0, [0.0, 2.0], max_steps=500, throw=False)
    assert solution.status == "max_steps"
    assert "a stiff method (auto, rodas5p, kvaerno5, kvaerno3)" in solution.message


def automatic(name: str, method: str, tol: float) -> Solution:
    """A stiff problem by its name, or a non-stiff one of DETEST's."""
    if name in NON_STIFF:
        f, start = NON_STIFF[name]
        times, atol = (0.0, 20.0), tol
    else:
        problem = PROBLEMS[name]
        f, start, times, atol = problem.f, problem.y0, problem.times, tol * problem.atol_per_rtol
    with torch.no_grad():
        y0 = torch.tensor(start, dtype=F64)
        return solve(lambda t, y: f(t, y, torch), y0, times, method=method, rtol=tol, atol=atol)


def cost(solution: Solution) -> float:
    """Evaluations, with Jacobians and factorizations by their weight."""
    stats = solution.stats
    return stats.nfe + JACOBIAN * stats.jacobians + LU * stats.factorizations


@pytest.mark.parametrize("name", ["robertson", "hires", "oregonator", "vdp1e3"])
def test_auto_costs_at_most_a_third_more_than_the_stiff_method_on_stiff_problems(name: str) -> None:
    """The explicit one alone needs more steps than anybody waits for."""
    auto, stiff = automatic(name, "auto", 1e-4), automatic(name, "rodas5p", 1e-4)
    assert auto.status == "ok"
    assert cost(auto) <= 1.3 * cost(stiff)
    assert error(name, auto.ys.numpy()) < 0.05
    assert auto.stats.switches >= 1
    assert {method for method, _ in auto.stats.methods} == {"tsit5", "rodas5p"}
    assert sum(steps for _, steps in auto.stats.methods) == auto.stats.accepted


@pytest.mark.parametrize("name", ["A1", "B1", "B2", "C2", "C3", "D3", "E2"])
@pytest.mark.parametrize("tol", [1e-3, 1e-6])
def test_auto_costs_at_most_a_third_more_than_the_better_method_on_non_stiff_problems(
    name: str, tol: float
) -> None:
    better = min(cost(automatic(name, method, tol)) for method in ("tsit5", "rodas5p"))
    assert cost(automatic(name, "auto", tol)) <= 1.3 * better


def test_auto_changes_over_and_back_with_the_phases_of_van_der_pol() -> None:
    methods = [method for method, _ in automatic("vdp1e3", "auto", 1e-4).stats.methods]
    assert methods[:5] == ["tsit5", "rodas5p", "tsit5", "rodas5p", "tsit5"]


def test_an_explicit_method_counts_no_switches() -> None:
    stats = automatic("A1", "tsit5", 1e-3).stats
    assert stats.methods == []
    assert stats.switches == 0


class Relaxing(torch.nn.Module):
    """y1 follows y2 fast, y2 turns slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = torch.nn.Parameter(torch.tensor(2e3, dtype=F64))
        self.slow = Mlp(dim=2, hidden=4)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        slow = self.slow(t, y)
        return torch.stack([self.rate * (torch.sin(y[1]) - y[0]), slow[1]])


@pytest.mark.parametrize("gradient", ["backprop", "checkpointed", "forward"])
def test_autos_gradient_is_that_of_its_own_steps(gradient: str) -> None:
    ours, switches = relaxing_gradient("auto", gradient, 1e-6)
    exact, _ = relaxing_gradient("rodas5p", "backprop", 1e-8)
    assert switches > 0
    assert float((ours - exact).norm() / exact.norm()) < 1e-4


@cache
def relaxing_gradient(method: str, gradient: str, tol: float) -> tuple[Tensor, int]:
    """In y0 and the parameters, one vector; and how often the method was changed."""
    f, y0 = Relaxing(), torch.tensor([0.5, 1.0], dtype=F64, requires_grad=True)
    solution = solve(f, y0, [0.0, 0.5, 1.0], method=method, gradient=gradient, rtol=tol, atol=tol)
    parts = torch.autograd.grad(solution.ys.sin().sum(), [y0, *f.parameters()])
    return torch.cat([p.reshape(-1) for p in parts]), solution.stats.switches


def test_the_reference_values_are_far_more_accurate_than_what_they_judge() -> None:
    assert all(np.isfinite(reference(name)).all() for name in PROBLEMS)
    tight = scipys("hires", "Radau", 1e-10)
    assert tight.error < 1e-10 * 100
