"""Settings that a user may give for one run: questions, arms, seeds, device."""

from __future__ import annotations

from typing import Any

from odestudy.errors import ConfigError
from odestudy.text import meant

OVERRIDES = ("tier", "questions", "arms", "seeds", "device", "gpus", "gpu_share")


def chosen_questions(wanted: Any, known: list[str]) -> list[str]:
    """The questions to which a run is cut, in the order of the study; all where none are named.

    Raises:
        ConfigError: a question that is not there, and what is allowed.
    """
    names = _names(wanted, known, "questions", "question")
    return list(known) if names is None else [q for q in known if q in names]


def chosen_arms(wanted: Any, questions: list[dict[str, Any]]) -> list[str] | None:
    """The arms to which a run is cut; experiments without arms stay whole. None for all.

    Raises:
        ConfigError: an arm that is not there, and what is allowed.
    """
    return _names(
        wanted, [arm for q in questions for arm in q.get("entries", {}).get("arm", {})], "arms", "arm"
    )


def _names(wanted: Any, known: list[str], key: str, what: str) -> list[str] | None:
    if wanted in (None, "", "all"):
        return None
    names = wanted.replace(",", " ").split() if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{key}: unknown {what} {name!r}; allowed: {', '.join(known)}{meant(name, known)}"
            )
    return names


def seed_limit(wanted: Any) -> int | None:
    """The most seeds of an experiment; None for all.

    Raises:
        ConfigError: not a whole number of at least one.
    """
    if wanted in (None, ""):
        return None
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
        raise ConfigError(f"seeds: {wanted!r} is not allowed; allowed: a whole number of at least 1")
    return wanted


def chosen_device(overrides: dict[str, Any]) -> dict[str, Any]:
    """The setting of the device, where one is chosen.

    Raises:
        ConfigError: a device that is not there, and what is allowed.
    """
    device = overrides.get("device")
    if device in (None, ""):
        return {}
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device: {device!r} is not allowed; allowed: auto, cpu, cuda")
    return {"device": device}
