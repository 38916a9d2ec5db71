"""Several models of one kind as one: each sample of a batch has its own parameters."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from odestudy.ode._stacked_layers import stacked_layers

Values = Mapping[str, Tensor]


class BatchedModels(nn.Module):
    """M models as one module f(t, y), t of shape [M] and y [M, ...]: model m sees t[m] and y[m].

    Its parameters are the models' own, stacked, of shape [M, ...] each, so that one elementwise optimizer
    (SGD, Adam, AdamW, RMSprop) on them does what M optimizers would. Chains of linear and elementwise layers
    are evaluated as batched matrix products, anything else by torch.func.vmap. Made for
    solve_batch, where the models that are done leave the batch (`for_samples`): each model
    has its own times, steps and errors, and a loss that sums over the models gives each its own gradient.
    Where a model failed, leave it out of the loss and of `step`; solve for the others with
    solve_batch(models.for_samples(alive.nonzero()[:, 0]), y0[alive], t[alive]).

    Raises ValueError for models of different kinds, or none.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        if not models or len({_kind(model) for model in models}) != 1:
            raise ValueError(
                "models must be a non-empty list of one class, with parameters of the same shapes"
            )
        self.count = len(models)
        params, buffers = stack_module_state(list(models))
        self.places: dict[str, str] = {}  # of each model's parameters and buffers: where they are here
        for name, value in params.items():
            trained = dict(models[0].named_parameters())[name].requires_grad
            self.register_parameter(self._place(name), nn.Parameter(value.detach(), requires_grad=trained))
        for name, value in buffers.items():
            self.register_buffer(self._place(name), value)
        self._skeleton = (copy.deepcopy(models[0]).to("meta"),)  # in a tuple: its parameters are not ours
        self._fast = stacked_layers(models[0])

    def _place(self, name: str) -> str:
        return self.places.setdefault(name, f"stacked_{name.replace('.', '_')}_{len(self.places)}")

    def __len__(self) -> int:
        return self.count

    def values(self) -> dict[str, Tensor]:
        """The stacked parameters and buffers by the names that they have in a single model."""
        return {name: getattr(self, place) for name, place in self.places.items()}

    def forward(self, t: Tensor, y: Any) -> Any:
        """Slopes, shaped like y."""
        return self.field(self.values())(t, y)

    def field(self, values: Values) -> Callable[[Tensor, Any], Any]:
        """f(t, y) with these stacked parameters and buffers, of as many models as there are rows."""
        layers = None if self._fast is None else self._fast(values)

        def evaluate(t: Tensor, y: Any) -> Any:
            if layers is not None and isinstance(y, Tensor) and y.ndim in (2, 3):
                return layers(y)
            skeleton = self._skeleton[0]
            return vmap(lambda v, t, y: functional_call(skeleton, v, (t, y)))(dict(values), t, y)

        return evaluate

    def for_samples(self, samples: Tensor) -> "SelectedModels":
        """f(t, y) for these models alone, an index of shape [n]; gradients reach the stacked parameters."""
        return SelectedModels(self, samples)

    def step(self, optimizer: torch.optim.Optimizer, alive: Tensor) -> None:
        """optimizer.step() for the models that are `alive`, bool of shape [M]; the others stay as they are.

        What a failed model left as gradient, nan included, goes nowhere.
        """
        dead = (~alive).nonzero()[:, 0]
        kept = {p: p.detach()[dead] for p in self.parameters()}
        for p in kept:
            if p.grad is not None:
                p.grad.index_fill_(0, dead, 0.0)
        optimizer.step()
        with torch.no_grad():
            for p, rows in kept.items():
                p.index_copy_(0, dead, rows)

    def write_to(self, models: Sequence[nn.Module]) -> None:
        """Copies the parameters and buffers back into M models."""
        with torch.no_grad():
            for m, model in enumerate(models):
                own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
                for name, value in self.values().items():
                    own[name].copy_(value[m])


class SelectedModels:
    """Some of a BatchedModels' models, their parameters gathered once."""

    def __init__(self, models: BatchedModels, samples: Tensor) -> None:
        self.models, self.samples = models, samples
        values = models.values()
        everyone = torch.arange(len(models), device=samples.device)
        if len(samples) < len(models) or not torch.equal(samples, everyone):
            values = {name: value.index_select(0, samples) for name, value in values.items()}
        self.field = models.field(values)

    def __call__(self, t: Tensor, y: Any) -> Any:
        return self.field(t, y)

    def for_samples(self, samples: Tensor) -> "SelectedModels":
        """f(t, y) for those of the models that stand in these rows."""
        return SelectedModels(self.models, self.samples[samples])


def _kind(model: nn.Module) -> tuple[Any, ...]:
    """What models must have in common: class, and names and shapes of parameters and buffers."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return (type(model), *((name, value.shape, value.dtype, value.device) for name, value in tensors))
