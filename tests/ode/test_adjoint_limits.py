"""What the adjoint's docstring says of the solve backwards: when it is lost, and in which of two ways."""

from __future__ import annotations

import math

import pytest
import torch

from odestudy.integrate import named_failure
from odestudy.ode import SolveError, solve
from odestudy.questions.gradients.gradient import gradient_of, relative, solver_of
from odestudy.questions.gradients.oracle import oracle
from odestudy.questions.gradients.problems import linear, vanderpol
from odestudy.runtime.outcome import NumericalFailure

MU, HORIZON = 2.0, 6.0


def back_to_the_start(moved_by: float) -> str:
    """The status of the solve backwards alone, from an end state that is a little off."""
    problem = vanderpol(MU, HORIZON)
    with torch.no_grad():
        end = solve(problem.f, problem.y0, problem.times(), rtol=1e-10, atol=1e-12).ys[-1]
        off = end * (1 + moved_by)
        return solve(problem.f, off, problem.times().flip(0), rtol=1e-9, atol=1e-11, throw=False).status


def test_an_end_state_off_outwards_ends_in_an_underflow_and_one_off_inwards_does_not():
    found = {back_to_the_start(1e-5), back_to_the_start(-1e-5)}
    assert found == {"ok", "step_size_underflow"}


@pytest.mark.parametrize("arm", ["adjoint", "adjoint_seminorm", "torchdiffeq_adjoint"])
def test_over_tolerances_the_adjoint_of_either_library_both_fails_and_finishes_with_a_wrong_gradient(arm):
    problem = vanderpol(MU, HORIZON)
    truth, failed, wrong = oracle(problem), 0, 0
    for rtol in (3.16e-6, 3.16e-7, 1e-7):
        try:
            found = gradient_of(problem, solver_of(arm, rtol=rtol, atol=rtol / 100, max_nfe=4000))
        except (NumericalFailure, SolveError, AssertionError) as error:
            failed += named_failure(error) is not None
        else:
            wrong += relative(found.parameters, truth.parameters) > 1000 * rtol
    assert failed >= 1
    assert wrong >= 1


def test_a_tighter_tolerance_postpones_the_loss_and_back_propagation_has_none():
    problem = vanderpol(MU, HORIZON)
    truth = oracle(problem)
    by = {arm: gradient_of(problem, solver_of(arm, rtol=1e-8, atol=1e-10)) for arm in ("backprop", "adjoint")}
    assert relative(by["adjoint"].parameters, truth.parameters) < 1e-3
    assert relative(by["backprop"].parameters, truth.parameters) < 1e-7


@pytest.mark.parametrize("rtol", [1e-3, 1e-6])
def test_a_mode_that_decays_by_less_than_the_logarithm_keeps_its_gradient_and_by_twice_that_loses_it(rtol):
    def error(decay: float) -> float:
        problem = linear(-decay, 1.0)
        found = gradient_of(problem, solver_of("adjoint", rtol=rtol, atol=rtol / 100))
        return relative(found.parameters, oracle(problem).parameters)

    least = math.log(1 / rtol)
    assert error(least) < 0.1 < error(2 * least)


def test_the_failure_says_that_it_is_the_solve_backwards_and_does_not_advise_a_looser_tolerance():
    problem = vanderpol(MU, HORIZON)
    with pytest.raises(SolveError, match=r"solved backwards.*tighter rtol.*checkpointed") as caught:
        gradient_of(problem, solver_of("adjoint", rtol=1e-6, atol=1e-8))
    assert "looser" not in str(caught.value)
