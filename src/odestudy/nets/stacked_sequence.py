"""A stacked gated recurrent unit along a whole sequence as one operation, with its gradient written out.

Step by step, autograd keeps a dozen small operations a step and adds up the gradient of the weights as often; here a
step is five operations forward and the gradient of the weights is one product. Nothing else differs from
`StackedGRU.step`, which the tests hold it against.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Sequence(torch.autograd.Function):
    """States (S, T, N, H) after each of T inputs, projected to (S, T, N, 3 H), from the state h (S, N, H)."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        hidden = h.shape[-1]
        states, gates, candidates, recurs = [h], [], [], []
        for of_input in projected.unbind(1):
            of_state = torch.baddbmm(bias, states[-1], weight)
            gate = torch.add(of_state[..., : 2 * hidden], of_input[..., : 2 * hidden]).sigmoid_()
            recur = of_state[..., 2 * hidden :]
            candidate = torch.addcmul(of_input[..., 2 * hidden :], gate[..., :hidden], recur).tanh_()
            states.append(torch.lerp(candidate, states[-1], gate[..., hidden:]))
            gates.append(gate)
            candidates.append(candidate)
            recurs.append(recur)
        kept = torch.stack(states)
        ctx.save_for_backward(weight, kept, torch.stack(gates), torch.stack(candidates), torch.stack(recurs))
        return kept[1:].transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        weight, states, gates, candidates, recurs = ctx.saved_tensors
        of_states, before, hidden = gradients[0].transpose(0, 1), states[:-1], states.shape[-1]
        # What does not depend on the gradient that arrives is computed for all steps at once.
        reset, keep = gates.split(hidden, -1)
        to_candidate = (1 - keep) * (1 - candidates.square())
        to_gates = torch.cat(
            [to_candidate * recurs * reset * (1 - reset), (before - candidates) * keep * (1 - keep)], -1
        )
        back, of_h, of_recurs, of_inner = weight.transpose(1, 2), torch.zeros_like(states[0]), [], []
        for k in reversed(range(len(candidates))):
            of_h = of_h + of_states[k]
            of_gates = torch.cat([of_h, of_h], -1).mul_(to_gates[k])
            candidate = of_h * to_candidate[k]
            of_recur = torch.cat([of_gates, candidate * reset[k]], -1)
            of_h = torch.baddbmm(of_h * keep[k], of_recur, back)
            of_recurs.append(of_recur)
            of_inner.append(candidate)
        # (S, T, N, ...), in the order of time
        recur = torch.stack(of_recurs[::-1], 1)
        of_projected = torch.cat([recur[..., : 2 * hidden], torch.stack(of_inner[::-1], 1)], -1)
        flat = recur.flatten(1, 2)
        of_weight = torch.bmm(before.transpose(0, 1).flatten(1, 2).transpose(1, 2), flat)
        return of_projected, of_h, of_weight, flat.sum(1, keepdim=True)


def gru_states(projected: Tensor, h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """States after each input.

    Args:
        projected: inputs times their weights, (S, T, N, 3 H), in the order of torch's GRU: reset, keep, candidate.
        h: the state before the first, (S, N, H).
        weight, bias: of the state, (S, H, 3 H) and (S, 1, 3 H).

    Returns:
        (S, T, N, H).
    """
    states: Tensor = _Sequence.apply(projected, h, weight, bias)
    return states
