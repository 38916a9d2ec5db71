"""docs/ode.md: its snippets run as printed, and give what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

PAGE = Path(__file__).resolve().parents[2] / "docs/ode.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Decay(nn.Module):
    """y' = -k y."""

    def __init__(self, k: float = 1.0) -> None:
        super().__init__()
        self.k = nn.Parameter(torch.tensor(k))

    def forward(self, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -self.k * y


def names_after(block: str, **names: Any) -> dict[str, Any]:
    """What a reader has who has run it, with these names of his own."""
    exec(block, names)
    return names


def test_there_are_no_other_snippets() -> None:
    assert len(BLOCKS) == 3


def test_the_first_one_solves() -> None:
    had = names_after(BLOCKS[0], f=Decay(), y0=torch.ones(2))
    found = had["found"]
    torch.testing.assert_close(found.ys[-1], torch.full((2,), 0.36788), atol=1e-4, rtol=0)
    assert found.stats.nfe > 0


def test_many_models_are_one_batch_whose_samples_end_by_themselves() -> None:
    t = torch.linspace(0, 1, 3).repeat(10, 1)
    t[3, 2] = torch.nan
    had = names_after(BLOCKS[1], make=lambda seed: Decay(0.1 * seed), y0=torch.ones(10, 2), t=t)
    found = had["solution"]
    assert found.ys.shape == (3, 10, 2)
    torch.testing.assert_close(found.ys[1, :, 0], torch.exp(-0.05 * torch.arange(10)), atol=1e-4, rtol=0)
    assert bool(found.ys[2, 3].isnan().all())
    assert len(found.samples.nfe) == len(found.samples.statuses) == 10


def test_the_one_for_a_gpu_is_the_same_solve(monkeypatch: Any) -> None:
    """Without its graph, which tests/ode/test_gpu_benchmark.py takes where there is a GPU."""
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", lambda module, _: module)
    names = names_after(
        "from odestudy.ode import solve", f=Decay(), y0=torch.ones(2), grid=[i / 8 for i in range(9)]
    )
    solved = names_after(BLOCKS[2], torch=torch, **{k: names[k] for k in ("solve", "f", "y0", "grid")})[
        "solved"
    ]
    torch.testing.assert_close(solved(torch.ones(2)), torch.full((2,), 0.36788), atol=1e-4, rtol=0)
