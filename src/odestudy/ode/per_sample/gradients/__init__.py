"""The ways to the gradient of solve_batch, by name."""

from collections.abc import Callable

from torch import Tensor

from odestudy.ode.per_sample._run import SampleRun
from odestudy.ode.per_sample.gradients.backprop import backprop
from odestudy.ode.per_sample.gradients.checkpointed import checkpointed

SAMPLE_GRADIENTS: dict[str, Callable[[SampleRun], Tensor]] = {
    "backprop": backprop,
    "checkpointed": checkpointed,
}
