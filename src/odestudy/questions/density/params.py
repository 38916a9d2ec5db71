"""Parameters of this question's tasks: one class a task, with types, bounds and a description each."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from odestudy.densities.settings import Explicit, FlowSettings, Formula, ModelSettings, Training
from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Count, Counts, Parameters, Positive, Positives, Values, one_of

AnyFormula = Annotated[str, one_of(names_in("odestudy.densities.transport", "FORMULAS"))]
Model = Annotated[str, one_of(names_in("odestudy.densities.models.__init__", "MODELS"))]
Way = Annotated[
    str, one_of(["diagonal", "elimination", *names_in("odestudy.densities.transport", "FORMULAS")])
]
Formulas = Annotated[list[AnyFormula], Field(min_length=1)]
Precisions = Annotated[list[Literal["float32", "float64"]], Field(min_length=1)]
GridPoints = Annotated[int, Field(ge=10)]


# --- Targets: the keyword arguments of the functions in densities/targets.py, a class a kind.
class Ring(Values):
    modes: Count = Field(8, description="Their number.")
    radius: Positive = Field(2.0, description="Of the ring.")
    sigma: Positive = Field(0.2, description="Standard deviation of a mode.")


class Lattice(Values):
    side: Count = Field(5, description="Modes on a side.")
    spacing: Positive = Field(1.0, description="Between neighbours.")
    sigma: Positive = Field(0.05, description="Standard deviation of a mode.")


class Pair(Values):
    separation: Positive = Field(4.0, description="In standard deviations.")
    sigma: Positive = Field(0.25, description="Standard deviation of a mode.")


class Circles(Values):
    radii: Positives = Field([1.0, 2.0], description="Of the circles.")
    sigma: Positive = Field(0.1, description="Standard deviation across.")


class Moons(Values):
    sigma: Positive = Field(0.15, description="Standard deviation across.")


class Spirals(Values):
    turns: Positive = Field(1.25, description="Of each arm.")
    sigma: Positive = Field(0.1, description="Standard deviation across.")


class Pinwheel(Values):
    arms: Count = Field(5, description="Their number.")
    sigma: Positive = Field(0.12, description="Standard deviation across.")


class Checkerboard(Values):
    cells: Count = Field(4, description="On a side.")
    half: Positive = Field(2.0, description="Half the side.")


class Uniforms(Values):
    gap: Positive = Field(1.0, description="Between the squares.")


class Line(Values):
    sigma: Positive = Field(0.05, description="Standard deviation across.")


class Student(Values):
    nu: Positive = Field(3.0, description="Degrees of freedom.")
    d: Count = Field(2, description="Dimension.")


class Plain(Values):
    """No arguments."""


class Shells(Values):
    radii: Positives = Field([0.9, 2.0], description="Of the spheres.")
    sigma: Positive = Field(0.15, description="Standard deviation across.")


class Trefoil(Values):
    sigma: Positive = Field(0.15, description="Standard deviation across.")


class Cluster(Values):
    d: Count = Field(2, description="Dimension.")
    modes: Count = Field(4, description="Their number.")
    radius: Positive = Field(2.0, description="Distance of each from the origin.")
    sigma: Positive = Field(0.5, description="Standard deviation of a mode.")


K = TypeVar("K", bound=str)
A = TypeVar("A", bound=Values)


class Entry(Values, Generic[K, A]):
    """A target by its kind, with the arguments that this kind takes."""

    name: str = Field("", description="What rows and figures call it.")
    kind: K = Field(description="Its law.")
    parameters: A | None = Field(None, description="Its keyword arguments; defaults where there are none.")
    family: Literal["separation", "width", "freedom"] | None = Field(
        None, description="The trouble that it makes."
    )
    severity: float | None = Field(
        None, description="How much of it: separation in sigma, width, degrees of freedom."
    )


Target = Annotated[
    Entry[Literal["ring"], Ring]
    | Entry[Literal["lattice"], Lattice]
    | Entry[Literal["pair"], Pair]
    | Entry[Literal["circles"], Circles]
    | Entry[Literal["moons"], Moons]
    | Entry[Literal["spirals"], Spirals]
    | Entry[Literal["pinwheel"], Pinwheel]
    | Entry[Literal["checkerboard"], Checkerboard]
    | Entry[Literal["uniforms"], Uniforms]
    | Entry[Literal["line"], Line]
    | Entry[Literal["student"], Student]
    | Entry[Literal["gaussian"], Plain]
    | Entry[Literal["shells"], Shells]
    | Entry[Literal["trefoil"], Trefoil]
    | Entry[Literal["cluster"], Cluster],
    Field(discriminator="kind"),
]


# --- Flows whose formulas are compared.
class LinearFlow(Values):
    name: str = Field("", description="What rows and figures call it.")
    kind: Literal["linear"] = Field(description="In closed form.")
    matrix: Annotated[list[list[float]], Field(min_length=1)] = Field(description="A of dz/dt = A z.")


class TrainedFlow(Values):
    name: str = Field("", description="What rows and figures call it.")
    kind: Literal["trained"] = Field(description="By likelihood.")
    target: Target = Field(description="The law that it is fitted to.")


Flow = Annotated[LinearFlow | TrainedFlow, Field(discriminator="kind")]


# --- Tasks.
class Gap(Parameters):
    """The formulas on one flow, linear or trained; what only a trained one has is in its own class."""

    flow: Flow = Field(description="The flow.")
    samples: Count = Field(description="Points at which the density is compared.")
    methods: Annotated[dict[Explicit, Count], Field(min_length=1)] = Field(
        description="Solvers, each with steps of 1, 1/2, 1/4 and so on, with so many halvings."
    )
    precisions: Precisions = Field(description="Arithmetic.")
    estimate_method: Explicit = Field(
        description="The solver with which Hutchinson's estimates are compared."
    )
    estimate_steps: Count = Field(description="Its largest number of steps, beyond which only noise is left.")


class LinearGap(Gap):
    @model_validator(mode="after")
    def _linear(self) -> LinearGap:
        if self.flow.kind != "linear":
            raise ValueError("a flow that is not linear has to be trained")
        return self


class TrainedGap(Gap, Training):
    integral_methods: list[Explicit] = Field(description="Solvers whose density is integrated.")
    integral_steps: Counts = Field(description="Numbers of steps for it.")
    grid_points: GridPoints = Field(description="Points on each side of the grid over the plane.")

    @model_validator(mode="after")
    def _trained(self) -> TrainedGap:
        if self.flow.kind != "trained":
            raise ValueError("a linear flow is not trained")
        return self


class Ways(Parameters):
    method: Explicit = Field(description="Solver, of which one step is taken.")
    gradient: bool = Field(False, description="Whether the step is one of training, forward and backward.")
    dimensions: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)] = Field(
        description="Dimensions d measured."
    )
    widths: Counts = Field(description="Widths of the net's hidden layers.")
    hidden: Count = Field(2, description="Their number.")
    precision: Literal["float32", "float64"] = Field("float32", description="Arithmetic.")
    ways: Annotated[list[Way], Field(min_length=1)] = Field(
        description="How trace or determinant is computed."
    )
    samples: Count = Field(description="Points in a batch.")
    most_flops: Positive = Field(description="Operations of a batch beyond which it is counted and not run.")
    repeats: Count = Field(description="Timed repeats after the warm-up.")


class Steep(Parameters, Training):
    target: Target = Field(description="What the flow is fitted to.")
    scales: Positives = Field(description="Factors by which the trained field is made faster.")
    formulas: Formulas = Field(description="How the change of density is computed.")
    samples: Count = Field(description="Points at which the density is compared.")
    methods: Annotated[dict[Explicit, Count], Field(min_length=1)] = Field(
        description="Solvers, each with steps of 1, 1/2, 1/4 and so on, with so many halvings."
    )
    precisions: Precisions = Field(description="Arithmetic.")


class Coarse(Parameters):
    target: Target = Field(description="What the flow is fitted to.")
    formula: Formula = Field(description="Formula in training and in the claim.")
    train_method: Explicit = Field(description="Solver in training.")
    coarse_steps: Counts = Field(description="Numbers of solver steps at which the flow is trained.")
    width: Count = Field(description="Width of the net's two hidden layers.")
    iterations: Count = Field(description="Training steps.")
    batch: Count = Field(description="Fresh samples in one training step.")
    learning_rate: Positive = Field(description="Of Adam at the start; it falls along a cosine.")
    samples: Count = Field(description="Points at which the density is compared.")
    grid_points: GridPoints = Field(description="Points on each side of the grid over the plane.")
    eval_steps: Count = Field(
        description="RK4 steps of the evaluation, or twice as many and so on until the formulas agree."
    )


class NamedModel(Values):
    name: Model = Field(description="Which one.")


class Fitted(Parameters, ModelSettings):
    target: Target = Field(description="What is fitted.")
    samples: Count = Field(description="Points at which the density is compared.")
    grid_points: GridPoints = Field(description="Points on each side of the grid over the plane.")


class ModelFit(Fitted):
    model: NamedModel = Field(description="What is fitted to it.")
    picture_points: Annotated[int, Field(ge=0)] = Field(
        0, description="Points on each side of the pictures' grid; 0: no pictures."
    )


class InTime(Fitted):
    models: Annotated[
        list[Literal["realnvp", "planar", "kde", "mixture", "matching", "matching_ot"]], Field(min_length=1)
    ] = Field(description="Models that are trained for as long as the flow's training took.")


class DigitsInTime(Parameters, ModelSettings):
    samples: Count = Field(description="Samples drawn of each model.")
    models: Annotated[list[Literal["realnvp", "matching", "matching_ot"]], Field(min_length=1)] = Field(
        description="Models that are trained for as long as the flow's training took."
    )


class Reachable(Parameters, Training):
    problem: Literal["exchange", "spheres"] = Field(description="The map to be learnt.")
    augment: Annotated[int, Field(ge=0)] = Field(description="Dimensions added to the data.")
    gate: Positive = Field(description="Share by which halving the step may change the error.")


class Generator(Values):
    name: Literal["gan", "cnf_gan", "flow_gan", "likelihood"] = Field(description="How it is trained.")
    game_factor: Count = Field(1, description="How many times as many training steps it gets.")


class Modes(Parameters, FlowSettings):
    target: Target = Field(description="What has the modes.")
    generator: Generator = Field(description="What is trained to draw from it.")
    samples: Count = Field(description="Samples drawn.")
    grid_points: GridPoints = Field(description="Points on each side of the grid over the plane.")
    game_iterations: Count = Field(description="Training steps of a flow against a discriminator.")
    game_learning_rate: Positive = Field(description="Of Adam in these.")
    likelihood: Positive = Field(description="Weight of the generator's own NLL in its loss.")


# The first word of a name is the folder of its metrics, and the whole of it part of a job's identity.
PARAMS: dict[str, type[Parameters]] = {
    "density_gap.linear": LinearGap,
    "density_gap.trained": TrainedGap,
    "density_ways.ways": Ways,
    "density_steep.steep": Steep,
    "density_coarse.coarse": Coarse,
    "density_fit.model": ModelFit,
    "density_fit.in_time": InTime,
    "density_digits.digits": DigitsInTime,
    "density_modes.modes": Modes,
    "density_reach.reach": Reachable,
}
