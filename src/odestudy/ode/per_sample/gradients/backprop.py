"""Back-propagation through the operations of the steps that were accepted."""

from torch import Tensor

from odestudy.ode.per_sample._run import SampleRun


def backprop(run: SampleRun) -> Tensor:
    """Exact for the discrete solution, each sample's steps held fixed; memory grows with the steps."""
    return run.forward()
