"""Parameters of this question's tasks: one class a task, with types, bounds and a description each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Count, Counts, Parameters, Positive, Values, one_of

TABLEAUS = names_in("odestudy.ode._methods", "TABLEAUS")
FIXED = [*TABLEAUS, "implicit_euler", "trapezoid", "implicit_midpoint"]
IMPLICIT = ["kvaerno3", "kvaerno5", "rodas5p", "auto"]
ADAPTIVE = ["adaptive_heun", "fehlberg2", "bosh3", "dopri5", "tsit5", "dopri8", *IMPLICIT, "scipy_adams"]
Method = Annotated[str, one_of([*FIXED, *IMPLICIT])]
FixedStep = Annotated[str, one_of(FIXED)]
Adaptive = Annotated[str, one_of(ADAPTIVE)]
Gradient = Literal["backprop", "adjoint", "adjoint_seminorm", "quadrature", "checkpointed"]
Library = Literal["odestudy", "torchdiffeq"]
Dataset = Literal["digits", "mnist", "fashion"]


# --- Arms: what stands between stem and head, or a net of its own.
class Arm(Values):
    name: str = Field("", description="What rows and figures call it.")


class PlainArm(Arm):
    net: Literal["none", "mlp"] = Field(description="No block, or a perceptron.")


class BlocksArm(Arm):
    net: Literal["resnet", "tied"] = Field(
        description="Residual blocks, or one that is applied several times."
    )
    blocks: Count = Field(description="Residual blocks, or how often a tied one is applied.")


class OdeArm(Arm):
    net: Literal["odenet", "walkthrough"] = Field(description="A block that is an ODE.")
    gradient: Gradient = Field(description="How the gradient through the ODE is computed.")
    library: Library | None = Field(None, description="Who integrates, in place of the experiment's.")


AnyArm = Annotated[PlainArm | BlocksArm | OdeArm, Field(discriminator="net")]


class Trained(Values):
    """A solver that training uses in place of the experiment's."""

    name: str = Field("", description="What rows and figures call it.")
    method: Method = Field(description="The solver's name.")
    rtol: Positive | None = Field(None, description="Relative tolerance.")
    atol: Positive | None = Field(None, description="Absolute tolerance.")
    step: Positive | None = Field(None, description="Step size of a fixed-step method.")


# --- Tasks. What is excluded unless it is said is no part of a job's identity then (`study/parameters.py`).
class Net(Parameters):
    """A net on images of a size, and how its ODE is solved."""

    dataset: Dataset = Field(description="Which images.")
    arm: AnyArm = Field(description="The net.")
    library: Library = Field(description="Who integrates.")
    method: Method = Field(description="The solver's name; the explicit ones are those of both libraries.")
    max_nfe: Count = Field(description="Evaluations allowed in one solve.")
    rtol: Positive | None = Field(None, exclude=True, description="Relative tolerance.")
    atol: Positive | None = Field(None, exclude=True, description="Absolute tolerance.")
    step: Positive | None = Field(None, exclude=True, description="Step size of a fixed-step method.")


class Solved(Net):
    """A net whose ODE is solved as the experiment says, or its arm, or a named solver."""

    @model_validator(mode="after")
    def steps_or_tolerances(self) -> Solved:
        solver = getattr(self, "solver", None) or self
        said = {name for name in ("step", "rtol", "atol") if getattr(solver, name) or getattr(self, name)}
        if isinstance(self.arm, OdeArm) and "step" not in said and {"rtol", "atol"} - said:
            raise ValueError("needs 'step' or 'rtol' and 'atol'")
        return self


class Sizes(Solved):
    pass


class Training(Solved):
    """What training needs."""

    train_size: Annotated[int, Field(ge=10)] | None = Field(
        None, exclude=True, description="At most so many training images."
    )
    batch: Count = Field(description="Images in one training step.")
    eval_batch: Count = Field(description="Images in one evaluation step.")
    epochs: Count = Field(description="Passes over the training images.")
    learning_rate: Positive = Field(description="Of Adam, the peak of the one-cycle schedule or constant.")
    schedule: Literal["one_cycle", "constant"] | None = Field(
        None, exclude=True, description="Course of the learning rate; one cycle unless said."
    )
    augment: bool | None = Field(
        None, exclude=True, description="Random crops after padding by four pixels; none unless said."
    )
    amp: bool | None = Field(
        None,
        exclude=True,
        description="Mixed precision in training, which saves time on a GPU only: stem, head and residual blocks compute "
        "their forward pass in bfloat16; weights, ODE solves with their gradients, and evaluation stay in float32.",
    )
    graphs: bool | None = Field(
        None,
        exclude=True,
        description="Launch the dynamics as CUDA graphs while a net trains by our adjoint on a GPU: the same numbers in "
        "less time; elsewhere without effect.",
    )

    @model_validator(mode="after")
    def float64_is_not_mixed(self) -> Training:
        if self.amp and self.dtype == "float64":
            raise ValueError("amp with dtype float64; one of them is possible")
        return self


class Judged(Training):
    gate_pct: Positive = Field(
        description="Change of the test accuracy by refinement, in percent of it, from which a net is no ODE."
    )


class Train(Judged):
    pass


def _integrates(arm: Arm) -> Arm:
    if not isinstance(arm, OdeArm):
        raise ValueError("its net has no ODE; allowed: odenet, walkthrough")
    return arm


AnyOde = Annotated[AnyArm, AfterValidator(_integrates)]


class Tested(Training):
    """What the test of one net by several solvers needs."""

    arm: AnyOde = Field(description="The net.")
    test_methods: list[FixedStep] = Field(description="Fixed-step methods of the test.")
    test_steps: list[Count] = Field(description="Numbers of steps of these methods.")
    adaptive_methods: list[Adaptive] = Field(description="Methods of the test that have a tolerance.")
    tolerances: list[Positive] = Field(description="Their tolerances, relative and absolute alike.")


class Cross(Tested, Judged):
    solver: Trained = Field(description="The solver of training.")


class Sweep(Tested):
    repeats: Count = Field(description="Timed repeats.")


class Cost(Solved):
    batch: Count = Field(description="Images in the training step.")
    steps: Counts = Field(
        description="Solver steps of the ODE-Net, or blocks of the ResNet, whose cost is measured."
    )
    repeats: Count = Field(description="Timed repeats after the warm-up.")


class Step(Training):
    repeats: Count = Field(description="Timed repeats after the warm-up.")


class Stages(Net):
    arm: AnyOde = Field(description="The net.")
    batch: Count = Field(description="Images in the training step.")
    methods: Annotated[list[FixedStep], Field(min_length=1)] = Field(
        description="Fixed-step methods whose time is measured."
    )
    steps: Counts = Field(description="Their numbers of steps.")
    repeats: Count = Field(description="Timed repeats after the warm-up.")


# The first word of a name is the folder of its metrics, and the whole of it part of a job's identity.
PARAMS: dict[str, type[Parameters]] = {
    "images_sizes.sizes": Sizes,
    "images_train.train": Train,
    "images_solvers.cross": Cross,
    "images_solvers.sweep": Sweep,
    "images_cost.cost": Cost,
    "images_cost.step": Step,
    "images_cost.stages": Stages,
}
