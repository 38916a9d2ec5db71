"""Checks that no schema can make: names that must exist elsewhere in the configuration or in the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from odestudy.errors import ConfigError
from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Parameters
from odestudy.runtime.registry import derived_names, parameters_of
from odestudy.study.claims import Headline, claim_of
from odestudy.study.estimands import beside
from odestudy.study.grid import label_fields
from odestudy.study.parameters import check_entry

IDENTITY = ("seed", "status", "message", "job", "stale")


def check_question(name: str, spec: dict[str, Any]) -> None:
    """Hold one question's YAML against itself and the code.

    Raises:
        ConfigError: one line with file, key and what is allowed.
    """
    file = f"config/questions/{name}.yaml"
    kinds = parameters_of(name)
    for experiment, about in spec["experiments"].items():
        _check_experiment(file, f"experiments.{experiment}", about, spec, kinds)
    for axis, entries in spec.get("entries", {}).items():
        for entry, settings in entries.items():
            check_entry(axis, entry, settings, kinds.values(), f"{file}: entries")
    for column, about in spec["columns"].items():
        if isinstance(about.get("levels"), str):
            check_known(about["levels"], spec.get("entries", {}), f"{file}: columns.{column}.levels", "axis")
        if "until" in about:
            check_known(about["until"], spec["columns"], f"{file}: columns.{column}.until", "column")
    for table, definition in spec["tables"].items():
        known = {*spec["columns"], *IDENTITY, *_axes(spec, definition["experiments"])}
        if "derive" in definition:
            check_known(
                definition["derive"], _derivations(name), f"{file}: tables.{table}.derive", "derivation"
            )
        for column in (*definition["summary"]["by"], *definition["summary"]["columns"]):
            check_known(column, known, f"{file}: tables.{table}.summary", "column")
    for figure, definition in spec["figures"].items():
        for table in definition["tables"]:
            check_known(table, spec["tables"], f"{file}: figures.{figure}.tables", "table")
        for experiment in definition.get("arrays", ()):
            check_known(experiment, spec["experiments"], f"{file}: figures.{figure}.arrays", "experiment")


def _check_experiment(
    file: str, at: str, about: dict[str, Any], spec: dict[str, Any], kinds: Mapping[str, type[Parameters]]
) -> None:
    check_known(about["task"], kinds, f"{file}: {at}.task", "task")
    parameters = set(kinds[about["task"]].model_fields) - set(Parameters.model_fields)
    grid = about.get("grid", {})
    for axis in grid:
        check_known(axis, parameters, f"{file}: {at}.grid", "axis")
        entries = spec.get("entries", {}).get(axis)
        for value in grid[axis] if entries and isinstance(grid[axis], list) else ():
            check_known(value, entries, f"{file}: {at}.grid.{axis}", axis)
    try:
        fields = label_fields(about.get("label", ""))
    except ValueError as error:
        raise ConfigError(f"{file}: {at}.label: {error}; allowed: text with {{axis}} in braces") from None
    for field in fields:
        check_known(field, grid, f"{file}: {at}.label", "axis")


def _derivations(question: str) -> list[str]:
    return [*names_in("odestudy.analysis.derive", "DERIVED"), *derived_names(question)]


def _axes(spec: dict[str, Any], experiments: list[str]) -> set[str]:
    return {axis for e in experiments for axis in spec["experiments"].get(e, {}).get("grid", {})}


def check_known(name: Any, known: Any, where: str, what: str) -> None:
    """Refuse a name that is not among those known.

    Raises:
        ConfigError: where it stands, and what is allowed.
    """
    if name not in known:
        raise ConfigError(f"{where}: unknown {what} {name!r}; allowed: {', '.join(sorted(map(str, known)))}")


def check_claims(
    claims: list[dict[str, Any]],
    headlines: Mapping[str, Headline],
    questions: dict[str, dict[str, Any]],
) -> None:
    """Hold the ledger against the questions that are there.

    Raises:
        ConfigError: an id twice or without a title, an empty region, or an unknown table, column or axis.
    """
    seen: set[str] = set()
    tables = {t: (q, d) for q, spec in questions.items() for t, d in spec["tables"].items()}
    for claim in claims:
        file = f"config/claims/{claim['question']}.yaml"
        where = f"{file}: {claim['id']}"
        if claim["id"] in seen:
            raise ConfigError(f"{where}: given twice")
        seen.add(claim["id"])
        check_known(claim["question"], questions, f"{where}.question", "question")
        if claim_of(claim["id"]) not in headlines:
            raise ConfigError(f"{file}: claims.{claim_of(claim['id'])}: needs 'title'")
        _check_rule(where, claim)
        if "estimand" in claim:
            _check_estimand(where, claim["estimand"], tables, questions)
            if gate := claim.get("trained"):
                full = {k: gate[k] for k in ("table", "column", "where") if gate.get(k)}
                _check_estimand(f"{where}.trained", claim["estimand"] | full, tables, questions)
                if other := gate.get("half_table"):
                    half = {"table": other, "where": full.get("where", claim["estimand"].get("where", {}))}
                    _check_estimand(f"{where}.trained", claim["estimand"] | full | half, tables, questions)
            for entry in claim.get("beside", ()):
                if "value" not in entry:
                    _check_estimand(f"{where}.beside", beside(claim["estimand"], entry), tables, questions)
    for name, about in headlines.items():
        for row in about.rows:
            check_known(row, seen, f"claims.{name}.headline", "row")


def _check_rule(where: str, claim: dict[str, Any]) -> None:
    """A claim has a rule, with an effect to be seen inside it where seeds scatter; a question has a resolution instead."""
    rule, seeds = claim.get("rule", {}), "estimand" in claim and not claim.get("deterministic")
    low, high = rule.get("low", float("-inf")), rule.get("high", float("inf"))
    if low > high:
        raise ConfigError(f"{where}.accept: at_least {low} is above at_most {high}")
    if claim["kind"] == "claim" and "estimand" in claim and not rule.keys() - {"because"}:
        raise ConfigError(
            f"{where}: needs 'accept' with at_least or at_most, or a question mark at the end of 'says'"
        )
    if claim["kind"] == "question" and rule:
        raise ConfigError(f"{where}.accept: a question has a resolution in place of an accepted region")
    needed = {"claim": "expect", "question": "resolution"}[claim["kind"]]
    if seeds and needed not in claim:
        raise ConfigError(f"{where}: needs {needed!r}")
    if "expect" in claim and not low < claim["expect"] < high:
        raise ConfigError(f"{where}.expect: {claim['expect']} is not inside 'accept'")


def _check_estimand(
    where: str, estimand: dict[str, Any], tables: dict[str, Any], questions: dict[str, Any]
) -> None:
    check_known(estimand["table"], tables, where, "table")
    question, definition = tables[estimand["table"]]
    spec = questions[question]
    known = {*spec["columns"], "seed", *_axes(spec, definition["experiments"])}
    used = [estimand["column"], *estimand.get("where", {}), *estimand.get("against", {})]
    for name in [*used, *(estimand[k] for k in ("over", "denominator") if k in estimand)]:
        check_known(name, known, where, "column")
