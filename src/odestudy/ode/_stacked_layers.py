"""Chains of linear and elementwise layers, evaluated for many models at once as batched matrix products."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

Values = Mapping[str, Tensor]
Layer = Callable[[Tensor], Tensor]
Maker = Callable[[Values], Layer]  # of a layer, from the stacked parameters

ELEMENTWISE = (
    nn.Identity, nn.Tanh, nn.Sigmoid, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU,
    nn.Softplus, nn.Softsign, nn.Mish,
)  # fmt: skip
FUNCTIONS = (torch.tanh, torch.sin, torch.cos, torch.sigmoid, torch.relu)


def stacked_layers(model: nn.Module) -> Maker | None:
    """From stacked parameters to the function from y, [M, d] or [M, n, d], to slopes of M models like this one.

    None for a model whose forward(t, y) is anything but such a chain on y (t unused).
    """
    if any(m._forward_hooks or m._forward_pre_hooks for m in model.modules()):
        return None
    try:
        graph = fx.symbolic_trace(model).graph
    except Exception:  # whatever a model does to the tracer's stand-ins: it is no such chain
        return None
    makers = _chain(model, graph)
    if makers is None:
        return None

    def make(values: Values) -> Layer:
        layers = [maker(values) for maker in makers]

        def evaluate(y: Tensor) -> Tensor:
            h = y[:, None] if y.ndim == 2 else y
            for layer in layers:
                h = layer(h)
            return h[:, 0] if y.ndim == 2 else h

        return evaluate

    return make


def _chain(model: nn.Module, graph: fx.Graph) -> list[Maker] | None:
    """The layers in their order; None where a node is none of them, or reads what is not the layer before."""
    places = [node for node in graph.nodes if node.op == "placeholder"]
    if len(places) != 2:
        return None
    layers: list[Maker] = []
    current = places[1]
    for node in graph.nodes:
        if node.op == "output":
            return layers if node.args[0] is current else None
        if node.op == "placeholder" or _transposed(node) is not None or node.op == "get_attr":
            continue
        layer = _layer(model, node) if node.args and node.args[0] is current else None
        if layer is None or len(current.users) != 1:
            return None
        layers.append(layer)
        current = node
    return None


def _layer(model: nn.Module, node: fx.Node) -> Maker | None:
    if node.op == "call_module" and len(node.args) == 1 and not node.kwargs:
        module = model.get_submodule(str(node.target))
        if type(module) is nn.Linear:
            return _linear(
                f"{node.target}.weight", f"{node.target}.bias" if module.bias is not None else None
            )
        return (lambda values: module.forward) if type(module) in ELEMENTWISE else None
    if node.op == "call_function" and node.target in FUNCTIONS and len(node.args) == 1:
        function: Any = node.target
        return lambda values: function
    if node.op == "call_function" and node.target in (operator.matmul, torch.matmul) and len(node.args) == 2:
        weight = _transposed(node.args[1])
        return None if weight is None else _linear(weight, None)
    return None


def _transposed(node: Any) -> str | None:
    """The parameter W's name where the node is W.T or W.t()."""
    if not isinstance(node, fx.Node) or not node.args:
        return None
    attribute = node.op == "call_function" and node.target is getattr and node.args[1] == "T"
    method = node.op == "call_method" and node.target == "t"
    inner = node.args[0]
    if (attribute or method) and isinstance(inner, fx.Node) and inner.op == "get_attr":
        return str(inner.target)
    return None


def _linear(weight: str, bias: str | None) -> Maker:
    """h W^T + b for each model."""

    def make(values: Values) -> Layer:
        transposed = values[weight].transpose(1, 2)
        if bias is None:
            return lambda h: torch.bmm(h, transposed)
        shift = values[bias][:, None]
        return lambda h: torch.baddbmm(shift, h, transposed)

    return make
