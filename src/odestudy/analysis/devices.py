"""What the devices of published runs are called."""

from __future__ import annotations

CPU = "cpu"  # the device that is not named
# Published folders whose jobs ran on several devices.
SEVERAL = {
    "cpu-hopper": "Hopper GPUs",
    "full-hopper": "Hopper GPUs, trainings in part on processors",
}


def device_said(tier: str, device: str) -> str:
    """What the device of a published run is called; "" for a processor.

    Args:
        tier, device: as the name of the folder has them, "<tier>-<device>".
    """
    if device == CPU:
        return ""
    return SEVERAL.get(f"{tier}-{device}", device.upper().replace("_", " "))
