"""The ways to the gradient of a solve with per_sample, by name."""

from collections.abc import Callable

from torch import Tensor

from odestudy.ode.per_sample._run import SampleRun
from odestudy.ode.per_sample.gradients.backprop import backprop

SAMPLE_GRADIENTS: dict[str, Callable[[SampleRun], Tensor]] = {
    "backprop": backprop,
}
