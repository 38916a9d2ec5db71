"""Parameters and operations of each arm's net (claim C10)."""

from __future__ import annotations

import torch

from odestudy.learning.evaluate import mflop_an_image
from odestudy.nets.images import SIZES
from odestudy.questions.images.arms import SIZE_OF, new_net
from odestudy.questions.images.params import Sizes
from odestudy.runtime.outcome import Outcome, Row


def sizes(params: Sizes, device: str) -> Outcome:
    """Count the parameters of one arm's net, and the operations of its forward pass before any training.

    Row `runs`: one. The operations of an ODE-Net move with its solver's evaluations, hence with training.
    """
    net = new_net(params, params.seeds[0])
    side = SIZES[SIZE_OF[params.dataset]].side
    x = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(0))
    row: Row = {"seed": params.seeds[0], "status": "ok", "message": "", "parameters": net.parameter_count()}
    return Outcome({"runs": [row | {"mflop": mflop_an_image(net, x)}]})
