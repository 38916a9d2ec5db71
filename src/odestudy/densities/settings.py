"""How a flow and the models beside it are trained, as typed values; read without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Count, Positive, Values, one_of

Explicit = Annotated[str, one_of(names_in("odestudy.ode._methods", "TABLEAUS"))]
Formula = Literal["trace", "logdet", "rademacher1", "structured_trace", "structured_logdet"]


class Training(Values):
    """A flow's net and its training."""

    width: Count = Field(description="Width of the net's two hidden layers.")
    train_method: Explicit = Field(description="Solver in training.")
    train_steps: Count = Field(description="Number of solver steps in training.")
    iterations: Count = Field(description="Training steps.")
    batch: Count = Field(description="Fresh samples in one training step.")
    learning_rate: Positive = Field(description="Of Adam at the start; it falls along a cosine.")


class FlowSettings(Training):
    """A flow trained by likelihood, and its evaluation."""

    train_formula: Formula = Field(description="Formula in training.")
    eval_steps: Count = Field(
        description="RK4 steps of the evaluation, or twice as many and so on until the formulas agree."
    )


class ModelSettings(FlowSettings):
    """The flow, and what it is compared with."""

    baseline_samples: Annotated[int, Field(ge=10)] = Field(
        2000, description="Samples that the Gaussian mixture is fitted to at first."
    )
    baseline_iterations: Count = Field(
        600, description="Training steps of the discrete flows at equal parameters."
    )
    baseline_learning_rate: Positive = Field(0.005, description="Their learning rate.")
    planar_layers: Count = Field(32, description="Layers of the planar flow at equal time.")
