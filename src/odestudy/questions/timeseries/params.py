"""Parameters of this question's tasks: one class a task, with types, bounds and a description each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Count, Counts, Parameters, Positive, Values, one_of

HERE = "odestudy.questions.timeseries"
Kind = Annotated[str, one_of(names_in(f"{HERE}.spirals", "KINDS"))]
Spacing = Annotated[str, one_of(names_in(f"{HERE}.spirals", "SPACINGS"))]
Pair = Annotated[int, Field(ge=2)]


# --- Arms: what each net is made of.
class Arm(Values):
    """A forecaster by the name of its net, with its widths."""

    name: str = Field("", description="What rows and figures call it.")
    hidden: Count = Field(description="State of the recurrent net or encoder.")


class PlainArm(Arm):
    net: Literal["rnn", "rnn_gaps"] = Field(description="A recurrent net, blind to time or told the gaps.")


class OdeRnnArm(Arm):
    net: Literal["ode_rnn"] = Field(description="A recurrent net whose state follows an ODE between points.")
    width: Count = Field(description="Hidden layer of the dynamics.")


class LatentArm(Arm):
    latent: Count = Field(description="Dimension of the latent space.")
    width: Count = Field(description="Hidden layers of the dynamics and of the decoder.")


class LatentOdeArm(LatentArm):
    net: Literal["latent_ode"] = Field(description="A latent state that follows an ODE.")


class LatentRnnArm(LatentArm):
    net: Literal["latent_rnn"] = Field(description="The same with a recurrent net in the ODE's place.")
    state: Count = Field(description="State of that recurrent net.")


AnyArm = Annotated[PlainArm | OdeRnnArm | LatentOdeArm | LatentRnnArm, Field(discriminator="net")]


# --- Tasks.
class Fit(Parameters):
    """What the training of an arm needs."""

    arm: AnyArm = Field(description="The forecaster.")
    observed: Annotated[int, Field(ge=3, le=100)] = Field(description="Observations of a series.")
    noise: Positive = Field(description="Standard deviation of the noise, which the likelihood knows.")
    method: Literal["euler", "midpoint", "rk4"] = Field(description="Solver of the latent ODE.")
    steps: Count = Field(description="Its steps per window.")
    iterations: Count = Field(description="Training steps.")
    batch: Count = Field(description="Series in one training step.")
    learning_rate: Positive = Field(description="Of Adam at the start; it falls along a cosine.")

    @property
    def training_steps(self) -> int:
        return self.iterations


class Forecast(Fit):
    kind: Kind = Field(description="Family of spirals.")
    spacing: Spacing = Field(description="How observed times lie in the window.")
    train_size: Pair = Field(description="Series to train on.")
    test_size: Pair = Field(description="Fresh series to judge on.")
    length: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Share of the training steps, with a schedule of its own: whether more would help."
    )
    pairs: Count = Field(description="Pairs of a clockwise and a counter-clockwise spiral for the path.")

    @property
    def training_steps(self) -> int:
        return max(1, round(self.iterations * self.length))


class Temperatures(Fit):
    pass


class Way(Values):
    name: Annotated[str, one_of(names_in(f"{HERE}.ways", "WAYS"))] = Field(description="How it is solved.")


class Batching(Parameters):
    way: Way = Field(description="A way of solving a batch whose samples have times of their own.")
    samples: Counts = Field(description="Samples in a batch.")
    observed: Annotated[int, Field(ge=3, le=100)] = Field(description="Observations of a sample.")
    steps: Count = Field(description="Shared steps a window.")
    strength: Positive = Field(description="Factor on the random weights of the field that is solved.")
    rtol: Positive = Field(description="Tolerance of the adaptive solves.")
    repeats: Count = Field(description="Timed repeats after the warm-up.")


# The first word of a name is the folder of its metrics, and the whole of it part of a job's identity.
PARAMS: dict[str, type[Parameters]] = {
    "timeseries.forecast": Forecast,
    "timeseries.temperatures": Temperatures,
    "timeseries_batching.batching": Batching,
}
