"""Memory: bytes saved for backward on any device, cross-checked with the peak that the system sees."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from memory_profiler import memory_usage

MIB = 1024**2
M_MMAP_THRESHOLD = -3  # of glibc's malloc.h


def saved_for_backward_mib(work: Callable[[], Any]) -> float:
    """MiB that autograd keeps for the backward pass while `work` runs forward; each storage counts once.

    What a custom autograd.Function keeps as an attribute is not seen here (hence `peak_mib` beside it).
    """
    sizes: dict[int, int] = {}
    kept: list[torch.Tensor] = []  # keeps storages alive, so that no address is used twice

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if not isinstance(tensor, torch.nn.Parameter) and storage.data_ptr() not in sizes:
            sizes[storage.data_ptr()] = storage.nbytes()
            kept.append(tensor.detach())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = work()
    del result
    return sum(sizes.values()) / MIB


def kept_for_backward_mib(result: torch.Tensor) -> float:
    """MiB that the graph behind `result` keeps for its backward pass; each storage counts once, parameters not.

    What `saved_for_backward_mib` measures, where torch.func cannot bear its hooks: the graph is walked instead.
    """
    sizes: dict[int, int] = {}
    seen, todo = set(), [result.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for name in dir(node):
            value = getattr(node, name) if name.startswith("_saved_") else None
            for tensor in value if isinstance(value, tuple | list) else (value,):
                if isinstance(tensor, torch.Tensor) and not isinstance(tensor, torch.nn.Parameter):
                    storage = tensor.untyped_storage()
                    sizes[storage.data_ptr()] = storage.nbytes()
        todo += [parent for parent, _ in node.next_functions]
    return sum(sizes.values()) / MIB


def peak_mib(work: Callable[[], Any], device: str) -> float:
    """Growth of the peak memory over the level before, in MiB: CUDA's own count, or resident memory on a CPU."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / MIB
    with _pages_of_their_own():
        work()  # what is allocated once and kept (oneDNN's buffers) is not part of the growth
        _give_back_free_heap()
        before = memory_usage(-1, max_usage=True)
        peak = memory_usage((work, (), {}), interval=0.005, max_usage=True)
    return max(0.0, peak - before)


@contextmanager
def _pages_of_their_own() -> Iterator[None]:
    """Every larger block gets pages of its own, which it gives back when it is freed.

    In a heap in pieces, as earlier work leaves it, blocks wander from hole to hole and touch pages that nothing needs.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 16 * 1024)
    try:
        yield
    finally:
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, 32 * MIB)  # as high as glibc itself would let it rise


def _give_back_free_heap() -> None:
    """Freed memory that the C library keeps would hide the next allocation from the resident size."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
    if trim is not None:
        trim(0)
