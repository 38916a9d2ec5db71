"""The tasks of this question: name -> function from typed parameters and a device to rows and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odestudy.questions.gradients.batching import batch
from odestudy.questions.gradients.compare import compare
from odestudy.questions.gradients.cost import cost
from odestudy.questions.gradients.identities import identities
from odestudy.questions.gradients.modes import modes
from odestudy.questions.gradients.order import order
from odestudy.questions.gradients.reverse import reverse
from odestudy.questions.gradients.thresholds import thresholds
from odestudy.questions.gradients.tolerance import tolerance
from odestudy.questions.gradients.work import work
from odestudy.runtime.outcome import Outcome

TASKS: dict[str, Callable[[Any, str], Outcome]] = {
    "gradients_identities.identities": identities,
    "gradients_order.order": order,
    "gradients_order.work": work,
    "gradients_error.tolerance": tolerance,
    "gradients_error.reverse": reverse,
    "gradients_error.thresholds": thresholds,
    "gradients_cost.cost": cost,
    "gradients_cost.modes": modes,
    "gradients_cost.compare": compare,
    "gradients_batch.batch": batch,
}
