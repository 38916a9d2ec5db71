"""From one experiment's grid to specifications."""

from __future__ import annotations

from itertools import product
from string import Formatter
from typing import Any

from odestudy.errors import ConfigError
from odestudy.study.jobs import Job
from odestudy.text import meant

COMMON = ("task", "seeds", "device", "threads", "dtype", "timed")


def axis_values(name: str, wanted: Any, entries: dict[str, Any], where: str) -> list[Any]:
    """The values of one axis: a list as it stands, or `all` / `{group: g}` over named entries.

    Raises:
        ConfigError: the axis is empty, or names an entry that is not there.
    """
    if wanted == "all" or isinstance(wanted, dict):
        group = wanted["group"] if isinstance(wanted, dict) else None
        values = [k for k, e in entries.items() if group is None or group in e.get("groups", ())]
    else:
        values = list(wanted)
    if not values:
        raise ConfigError(f"{where}.{name}: an empty axis leaves nothing to run; give at least one value")
    if entries:
        for value in values:
            if value not in entries:
                raise ConfigError(
                    f"{where}.{name}: unknown {name} {value!r}; allowed: {', '.join(map(str, entries))}{meant(value, entries)}"
                )
    return values


def expand(
    experiment: dict[str, Any], entries: dict[str, dict[str, Any]], where: str, origin: dict[str, str]
) -> list[Job]:
    """All jobs of one experiment.

    Args:
        experiment: task, base, grid, seeds (list), seeds_apart, exclude, label, device, threads, timed.
        entries: for an axis that names entries (arm, system): name -> definition, put into the spec.
        where: file and key of the experiment, for messages; origin: the same for each axis, which a tier may set.
    """
    grid = {
        name: axis_values(name, wanted, entries.get(name, {}), f"{origin[name]}.grid")
        for name, wanted in experiment.get("grid", {}).items()
    }
    jobs = []
    for values in product(*grid.values()):
        point = dict(zip(grid, values, strict=True))
        if not any(_matches(point, rule["when"]) for rule in experiment.get("exclude", ())):
            jobs += _jobs_of_point(experiment, point, entries)
    if not jobs:
        raise ConfigError(f"{where}.grid: every combination is excluded; nothing is left to run")
    return jobs


def _matches(point: dict[str, Any], when: dict[str, Any]) -> bool:
    return all(point.get(k) in (v if isinstance(v, list) else [v]) for k, v in when.items())


def _jobs_of_point(experiment: dict[str, Any], point: dict[str, Any], entries: dict[str, Any]) -> list[Job]:
    spec = {key: experiment[key] for key in COMMON if key in experiment} | experiment.get("base", {})
    for axis, value in point.items():
        if axis in entries:
            definition = {k: v for k, v in entries[axis][value].items() if k not in ("label", "groups")}
            spec[axis] = {"name": value, **definition}
        else:
            spec[axis] = value
    seeds = experiment["seeds"]
    groups = [[seed] for seed in seeds] if experiment.get("seeds_apart") else [list(seeds)]
    label = experiment.get("label") or "-".join("{" + axis + "}" for axis in point)
    jobs = []
    for group in groups:
        text = label.format(**point) if point else label
        span = f"seed{group[0]}" if len(group) == 1 else f"seeds{group[0]}to{group[-1]}"
        jobs.append(Job({**spec, "seeds": group}, f"{text}-{span}".lstrip("-")))
    return jobs


def label_fields(label: str) -> set[str]:
    """The axes that a label pattern mentions.

    Raises:
        ValueError: it is no pattern.
    """
    return {field for _, field, _, _ in Formatter().parse(label) if field is not None}
