"""compile=True: the same numbers as the eager steps, and refusals that say what can't be compiled."""

from typing import Any

import pytest
import torch
import torch._dynamo
from helpers import F64, Mlp
from torch import Tensor, nn

from odestudy.ode import Solution, odeint, odeint_adjoint, solve

T = torch.linspace(0, 2, 6, dtype=F64)


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    """Each test compiles for itself."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def trained(compile: bool, f: nn.Module | None = None, **arguments: Any) -> tuple[Solution, list[Tensor]]:
    """A solve and its gradient in y0 and the parameters."""
    f = f or Mlp()
    y0 = torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2).requires_grad_()
    arguments = {"method": "bosh3", "rtol": 1e-6, "atol": 1e-8, **arguments}
    solution = solve(f, y0, T, compile=compile, **arguments).raise_on_failure()
    return solution, list(torch.autograd.grad(solution.ys.sin().sum(), [y0, *f.parameters()]))


@pytest.mark.parametrize("arguments", [{}, {"gradient": "checkpointed"}, {"method": "rk4", "dt0": 0.25}])
def test_compiled_steps_give_the_numbers_and_counts_of_eager_ones(arguments: dict[str, Any]) -> None:
    (eager, expected), (compiled, found) = trained(False, **arguments), trained(True, **arguments)
    torch.testing.assert_close(compiled.ys, eager.ys, rtol=1e-9, atol=1e-11)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)
    assert (compiled.stats.nfe, compiled.stats.accepted) == (eager.stats.nfe, eager.stats.accepted)


def test_a_new_step_size_or_tolerance_compiles_nothing_anew() -> None:
    f, y0 = Mlp(), torch.ones(3, 2, dtype=F64)
    with torch.no_grad():
        solve(f, y0, T, method="bosh3", rtol=1e-4, atol=1e-4, compile=True)
        torch._dynamo.utils.counters.clear()
        for tolerance in (1e-5, 1e-6, 1e-7):
            again = solve(f, y0, 2 * T, method="bosh3", rtol=tolerance, atol=tolerance, compile=True)
            assert again.status == "ok"
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 0


def test_dynamics_that_differentiate_in_themselves_compile_on_a_tuple_state() -> None:
    class Flow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.field = Mlp()

        def forward(self, t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                z = state[0] if state[0].requires_grad else state[0].requires_grad_()
                dz = self.field(t, z)
                trace = sum(
                    torch.autograd.grad(dz[:, i].sum(), z, create_graph=True)[0][:, i] for i in (0, 1)
                )
            return dz, -trace[:, None]

    def gradient(compile: bool) -> list[Tensor]:
        f, y0 = Flow(), (torch.linspace(-1, 1, 6, dtype=F64).reshape(3, 2), torch.zeros(3, 1, dtype=F64))
        z, log_p = odeint(f, y0, T, method="bosh3", rtol=1e-4, atol=1e-4, options={"compile": compile})
        return list(torch.autograd.grad(z[-1].sin().sum() - log_p[-1].sum(), list(f.parameters())))

    for a, b in zip(gradient(True), gradient(False), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gradient": "adjoint"}, "compile goes with gradient backprop or checkpointed, not with 'adjoint'"),
        ({"method": "implicit_adams", "dt0": 0.1}, "only explicit Runge-Kutta methods can be compiled"),
        ({"compile": "fast"}, "compile must be a bool or one of default, reduce-overhead"),
    ],
)
def test_what_has_no_compiled_step_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solve(Mlp(), torch.ones(2, dtype=F64), T, **{"compile": True, **arguments})


def test_the_drop_in_adjoint_refuses_compile() -> None:
    with pytest.raises(ValueError, match="not with 'adjoint'"):
        odeint_adjoint(Mlp(), torch.ones(2, dtype=F64), T, options={"compile": True})


def test_dynamics_that_are_no_single_graph_are_refused() -> None:
    def f(t: Tensor, y: Tensor) -> Tensor:
        return -y if float(y.sum()) > 0 else y

    with pytest.raises(ValueError, match="f can't be compiled as one graph"):
        solve(f, torch.ones(2, dtype=F64), T, compile=True)
