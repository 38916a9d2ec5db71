"""Augmentation on the device, from a generator of its own."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

PADDING = 4


def random_crop(x: Tensor, generator: Generator, padding: int = PADDING) -> Tensor:
    """Each image (n, c, h, w) shifted by up to `padding` pixels, what comes in from outside is the corner's value.

    ASSUME: the corner of the first image is background, as in every set of the study, so that standardised images
    are padded with what black has become.
    """
    n, _, h, w = x.shape
    shifts = torch.randint(0, 2 * padding + 1, (2, n), generator=generator, device=x.device)
    wide = torch.nn.functional.pad(x - x[0, 0, 0, 0], 4 * [padding])
    rows = shifts[0, :, None] + torch.arange(h, device=x.device)
    columns = shifts[1, :, None] + torch.arange(w, device=x.device)
    images = torch.arange(n, device=x.device)[:, None, None]
    return wide[images, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2) + x[0, 0, 0, 0]
