"""What the devices of published runs are called."""

from __future__ import annotations

CPU = "cpu"  # the device that is not named
SEVERAL = {"hopper": "Hopper GPUs"}  # what published results of several devices are called
ALSO_TRAINED_ELSEWHERE = ("full-hopper",)  # published folders of which some trainings ran on processors


def device_said(tier: str, device: str, timed: bool = False) -> str:
    """What the device of a published run is called; "" for a processor.

    Args:
        tier, device: as the name of the folder has them, "<tier>-<device>".
        timed: whether it is said of times alone, all of which are of the device.
    """
    if device == CPU:
        return ""
    name = SEVERAL.get(device, device.upper().replace("_", " "))
    elsewhere = f"{tier}-{device}" in ALSO_TRAINED_ELSEWHERE and not timed
    return f"{name}, some nets trained on processors" if elsewhere else name
