"""Import torchvision beside a CPU build of torch.

The torchvision wheel on PyPI links against CUDA builds of torch. Beside a CPU build its library of operators cannot
be loaded, and then the import stops with "operator torchvision::nms does not exist", because torchvision registers
fake kernels for operators that nobody declared. The study needs none of these operators: declaring their
signatures is enough for the import to succeed.
"""

from __future__ import annotations

from types import ModuleType

_kept: list[object] = []  # the declarations live as long as the library object does


def import_torchvision() -> ModuleType:
    """The torchvision package, its missing operators declared first where its own library cannot be loaded."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        import sys

        import torch

        for name in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)
        import torchvision
    return torchvision
