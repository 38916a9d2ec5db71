"""How a net is trained: everything that is set before the first step."""

from __future__ import annotations

from dataclasses import dataclass

import torch

SCHEDULES = ("one_cycle", "constant")


@dataclass(frozen=True)
class Recipe:
    """Adam with a schedule.

    Attributes:
        batch, epochs: images a step, passes over the data.
        learning_rate: of Adam, the peak of the one-cycle schedule (Smith and Topin 2018) or constant.
        augment: random crops after padding by four pixels.
        amp: mixed precision (bfloat16) in the forward pass.
    """

    batch: int
    epochs: int
    learning_rate: float
    schedule: str = "one_cycle"
    augment: bool = False
    amp: bool = False

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule {self.schedule!r}; allowed: {', '.join(SCHEDULES)}")

    def steps(self, images: int) -> int:
        """Training steps in an epoch, the last one with the images that are left."""
        return -(-images // self.batch)

    def make_schedule(
        self, optimizer: torch.optim.Optimizer, images: int
    ) -> torch.optim.lr_scheduler.LRScheduler:
        """The schedule over the whole training, stepped once a training step."""
        if self.schedule == "constant":
            return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self.learning_rate,
            total_steps=self.steps(images) * self.epochs,
            cycle_momentum=False,
        )

    def check_amp(self, device: str, dtype: torch.dtype, adaptive: bool) -> None:
        """Refuse mixed precision where it makes no sense.

        Raises:
            ValueError: on a CPU, in float64, or with an adaptive solver.
        """
        reasons = {
            "on a CPU it saves no time": not device.startswith("cuda"),
            "float64 was asked for to have more digits, not fewer": dtype == torch.float64,
            "an adaptive solver would take the rounding of bfloat16 (0.4 %) for its own error": adaptive,
        }
        for reason, holds in reasons.items():
            if self.amp and holds:
                raise ValueError(f"amp: {reason}; leave it off")
