"""An experiment that extends another says only what differs."""

from __future__ import annotations

from typing import Any

from odestudy.errors import ConfigError


def with_extensions(experiments: dict[str, Any], file: str) -> dict[str, Any]:
    """The experiments with what they take over from those that they extend.

    `base` is merged, mappings in it too; in `grid` an axis replaces the same axis; null takes a parameter or an axis
    away. Every other key replaces the one of the same name.

    Raises:
        ConfigError: the other experiment is not there, or extends this one.
    """
    done: dict[str, Any] = {}

    def whole(name: str, by: tuple[str, ...]) -> Any:
        if name in by:
            raise ConfigError(f"{file}: experiments.{by[-1]}.extends: {' -> '.join([*by, name])} is a circle")
        own = experiments[name]
        if name not in done and isinstance(own, dict) and "extends" in own:
            other = own["extends"]
            if other not in experiments:
                allowed = ", ".join(one for one in experiments if one != name)
                raise ConfigError(
                    f"{file}: experiments.{name}.extends: {other!r} is not there; allowed: {allowed}"
                )
            rest = {key: value for key, value in own.items() if key != "extends"}
            done[name] = _merged(whole(other, (*by, name)), rest)
        return done.setdefault(name, own)

    return {name: whole(name, ()) for name in experiments}


def _merged(one: Any, changes: dict[str, Any]) -> Any:
    found = one | changes
    for key, merge in (("base", _deep), ("grid", _flat)):
        if isinstance(one.get(key), dict) and isinstance(changes.get(key), dict):
            found[key] = merge(one[key], changes[key])
    return found


def _flat(one: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (one | changes).items() if changes.get(key, value) is not None}


def _deep(one: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = {
        key: _deep(one[key], value) if isinstance(value, dict) and isinstance(one.get(key), dict) else value
        for key, value in changes.items()
    }
    return _flat(one, merged)
