"""Parameters of this question's tasks: one class a task, with types, bounds and a description each."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from odestudy.questions.gradients.arms import ARMS
from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Count, Counts, Parameters, Positive, Positives, Values, one_of

TABLEAUS = names_in("odestudy.ode._methods", "TABLEAUS")
Arm = Annotated[str, one_of(ARMS)]
Arms = Annotated[list[Arm], Field(min_length=1)]
Explicit = Annotated[str, one_of(TABLEAUS)]
FixedStep = Annotated[str, one_of([*TABLEAUS, "implicit_euler", "trapezoid", "implicit_midpoint"])]
Precisions = Annotated[list[Literal["float32", "float64"]], Field(min_length=1)]
Batching = Literal["shared", "own_steps", "alone", "torchode"]
Family = Literal["decaying", "growing", "net", "vanderpol"]
Seed = Annotated[int, Field(ge=0)]


# --- Problems: the keyword arguments of the functions in problems.py, a class a kind.
class Horizon(Values):
    horizon: Positive = Field(description="Time to which it is solved.")


class Linear(Horizon):
    eigenvalue: float = Field(description="Of the mode under study.")


class Mlp(Horizon):
    width: Count = Field(description="Width of a hidden layer.")
    d: Count = Field(2, description="Dimension of the state.")
    batch: Count = Field(4, description="Samples.")
    seed: Seed = Field(0, description="Seed of weights and initial states.")
    depth: Count = Field(1, description="Hidden layers.")


class Conv(Horizon):
    channels: Count = Field(description="Channels of the state.")
    size: Count = Field(description="Height and width of the state.")
    gain: float = Field(2.0, description="Factor of the initial weights.")
    seed: Seed = Field(0, description="Seed of weights and initial states.")


class VanDerPol(Horizon):
    mu: float = Field(description="Its damping.")


class Prothero(Horizon):
    rate: float = Field(description="Its eigenvalue.")


class Exponential(Horizon):
    start: float = Field(2.0, description="Initial value.")


K = TypeVar("K", bound=str)
A = TypeVar("A", bound=Values)


class Entry(Values, Generic[K, A]):
    """A problem by its kind, with the arguments that this kind takes."""

    name: str = Field("", description="What rows and figures call it.")
    kind: K = Field(description="Its right-hand side.")
    parameters: A = Field(description="Its keyword arguments.")


Problem = Annotated[
    Entry[Literal["linear"], Linear]
    | Entry[Literal["mlp"], Mlp]
    | Entry[Literal["vanderpol"], VanDerPol]
    | Entry[Literal["conv"], Conv]
    | Entry[Literal["lorenz"], Horizon]
    | Entry[Literal["lotka"], Horizon]
    | Entry[Literal["pendulum"], Horizon]
    | Entry[Literal["prothero"], Prothero]
    | Entry[Literal["exponential"], Exponential],
    Field(discriminator="kind"),
]


# --- Tasks.
class Identities(Parameters):
    precisions: Precisions = Field(description="Arithmetic of blocks and steps.")
    layers: Count = Field(description="Layers that see several earlier ones.")
    halvings: Count = Field(description="How often the step is halved.")
    draws: Count = Field(description="Random weights for each number of layers seen.")
    picture: Problem = Field(description="The problem along which a tangent and a cotangent are carried.")
    picture_points: Annotated[int, Field(ge=2)] = Field(description="Points of that picture.")


class Order(Parameters):
    steps: Count = Field(description="Steps to t = 10 on y' = y.")
    halvings: Count = Field(description="How often the step is halved.")
    problems: Annotated[list[Problem], Field(min_length=1)] = Field(description="Problems of the fits.")
    pictures: list[FixedStep] = Field(description="Methods whose solution of y' = y is shown.")

    @model_validator(mode="after")
    def _named(self) -> Order:
        for i, problem in enumerate(self.problems):
            if not problem.name:
                raise ValueError(f"needs 'problems.{i}.name'")
        return self


class Work(Parameters):
    problem: Problem = Field(description="What is solved.")
    tolerances: Positives = Field(description="Relative tolerances, of methods that adapt.")
    numbers_of_steps: Counts = Field(description="Of methods with fixed steps.")
    level: Positive = Field(1e-5, description="Relative error at which work is compared.")
    repeats: Count = Field(10, description="Timed repeats after the warm-up.")


class Tolerance(Parameters):
    problem: Problem = Field(description="What is differentiated.")
    arms: Arms = Field(default_factory=lambda: list(ARMS), description="Arms; all unless said otherwise.")
    tolerances: Positives = Field(description="Relative tolerances.")
    product_rtol: Positive = Field(1e-6, description="Tolerance of the dot-product test.")


class RoundTrip(Values):
    """A solver that goes forward and back."""

    name: str = Field(description="What rows and figures call it.")
    method: Explicit = Field(description="Its method.")
    steps: Count | None = Field(None, description="Fixed steps over the horizon.")
    rtol: Positive | None = Field(None, description="Relative tolerance, where it adapts.")

    @model_validator(mode="after")
    def _fixed_or_adaptive(self) -> RoundTrip:
        if self.steps is None and self.rtol is None:
            raise ValueError("needs 'steps' or 'rtol'")
        return self


class Reverse(Parameters):
    precisions: Precisions = Field(description="Arithmetic.")
    products: Annotated[list[float], Field(min_length=1)] = Field(description="Eigenvalue times horizon.")
    horizon: Positive = Field(1.0, description="Time to which it is solved, and back from.")
    solvers: Annotated[list[RoundTrip], Field(min_length=1)] = Field(
        description="Solvers of the round trips."
    )


class Thresholds(Parameters):
    family: Family = Field(description="Problems in which one quantity grows; see families.py.")
    arms: Arms = Field(description="Arms whose gradient is measured.")
    precisions: Precisions = Field(description="Arithmetic.")
    gradient_rtols: Positives = Field(description="Relative tolerances.")
    values: Positives = Field(
        description="What grows, in ascending order: tried whole, and bisected between."
    )
    lost: Positive = Field(0.1, description="Relative error of the gradient beyond which it is of no use.")


class Cost(Parameters):
    arm: Arm = Field(description="The arm that a job measures.")
    step_counts: Annotated[Counts, Field(min_length=4)] = Field(
        description="Numbers of Euler steps, as many as a fit of three parameters needs at least."
    )
    observations: list[Annotated[int, Field(ge=2)]] = Field(description="Numbers of observation times.")
    width: Count = Field(64, description="Width of the net's two hidden layers.")
    batch: Count = Field(128, description="Samples in a batch.")
    repeats: Count = Field(10, description="Timed repeats after the warm-up.")


class Modes(Parameters):
    arms: Arms = Field(description="Arms, forward and reverse.")
    widths: Counts = Field(description="Widths of the net with one hidden layer.")
    d: Count = Field(2, description="Dimension of the state.")
    batch: Count = Field(1, description="Samples.")
    mode_steps: Count = Field(5, description="RK4 steps.")
    repeats: Count = Field(10, description="Timed repeats after the warm-up.")

    @model_validator(mode="after")
    def _both_modes(self) -> Modes:
        if lacking := {"forward", "backprop"} - set(self.arms):
            raise ValueError(f"arms lack {', '.join(sorted(lacking))}; needed: forward, backprop")
        return self


class Size(Values):
    width: Count = Field(description="Width of a hidden layer.")
    d: Count = Field(2, description="Dimension of the state.")
    batch: Count = Field(4, description="Samples.")
    depth: Count = Field(1, description="Hidden layers.")


class Compare(Parameters):
    arms: Arms = Field(description="Arms.")
    sizes: Annotated[dict[str, Size], Field(min_length=1)] = Field(description="Nets, by name.")
    tolerances: Positives = Field(description="Relative tolerances.")
    horizon: Positive = Field(5.0, description="Time to which it is solved.")
    repeats: Count = Field(10, description="Timed repeats after the warm-up.")


class Batch(Parameters):
    samples: Annotated[int, Field(ge=2)] = Field(64, description="Oscillators in the batch.")
    batchings: Annotated[list[Batching], Field(min_length=1)] = Field(
        description="Ways to choose the step; torchode where it is installed."
    )
    fast: Counts = Field(description="How many of them are fast.")
    slow_frequency: Positive = Field(1.0, description="Frequency of the others, to within a half.")
    fast_frequency: Positive = Field(20.0, description="Frequency of these, to within a half.")
    horizon: Positive = Field(10.0, description="Time to which it is solved.")
    tolerances: Positives = Field(description="Relative tolerances.")


# The first word of a name is the folder of its metrics, and the whole of it part of a job's identity.
PARAMS: dict[str, type[Parameters]] = {
    "gradients_identities.identities": Identities,
    "gradients_order.order": Order,
    "gradients_order.work": Work,
    "gradients_error.tolerance": Tolerance,
    "gradients_error.reverse": Reverse,
    "gradients_error.thresholds": Thresholds,
    "gradients_cost.cost": Cost,
    "gradients_cost.modes": Modes,
    "gradients_cost.compare": Compare,
    "gradients_batch.batch": Batch,
}
