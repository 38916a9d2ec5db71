"""The settings of a training, all fixed before its first step."""

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
        amp: mixed precision: layers outside an ODE compute in bfloat16 in training's forward pass. Weights, Adam and
            evaluation stay as they are, and so does an `ODEBlock` with its gradients.
        graphs: on a GPU, launch an adjoint's dynamics as CUDA graphs.
    """

    batch: int
    epochs: int
    learning_rate: float
    schedule: str = "one_cycle"
    augment: bool = False
    amp: bool = False
    graphs: bool = False

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

    def precision(self, device: str) -> torch.autocast:
        """The context of a training step's forward pass; the backward pass belongs behind it."""
        return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=self.amp)
