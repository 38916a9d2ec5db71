"""The claims: rows of config/claims.yaml, and of a file a question that says once what its rows share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from odestudy.errors import ConfigError
from odestudy.runtime.parameters import Values
from odestudy.study.config import check, load_checked, load_yaml, schema_of
from odestudy.study.parameters import told, worst

Text = Annotated[str, Field(min_length=3)]


class Region(Values):
    """What a claim accepts of its estimate, fixed before the run."""

    at_least: float | None = Field(None, description="Lower end.")
    at_most: float | None = Field(None, description="Upper end.")
    because: Text = Field(description="Why there.")


class Shared(Values):
    """What the rows of a claim may share, or say each for itself."""

    sources: list[Text] | None = Field(None, description='Where it is said, as "P 1.4".')
    whose: str | None = Field(None, description="ours: a sharper form or a control that no source states.")
    deterministic: bool | None = Field(None, description="One run decides; no seeds, no interval over seeds.")
    needs_seeds: int | None = Field(None, ge=2, description="Fewest seeds for a verdict.")
    measure: str | None = Field(None, description="One of the file's measures.")
    where: dict[str, Any] = Field({}, description="Which rows of the table.")
    against: dict[str, Any] | None = Field(
        None, description="Changes to `where` for the other side of a ratio."
    )
    accept: str | Region | None = Field(None, description="The region, or one of the file's margins.")
    flip: Text | None = Field(None, description="What else would change the verdict beside other data.")
    note: Text | None = Field(None, description="What a reader should know beside the verdict.")


class Row(Shared):
    """One line of the ledger: what it says, and how it differs from the claim's other rows."""

    says: Text | None = Field(
        None, description="The claim or, with a question mark, the question in our own words."
    )
    be: Text | None = Field(
        None, alias="is", description="The estimand in words, where the measure's do not say it all."
    )
    short: Text | None = Field(None, description="The name of the quantity, in a few words.")


class Claim(Row):
    """A claim: a single row, or what its rows share and, by letter, how each differs."""

    title: Text | None = Field(None, description="In one sentence, where config/claims.yaml has none.")
    rows: dict[Annotated[str, Field(pattern="^[a-z]$")], Row] = Field({}, description="Letter -> row.")


class ClaimsFile(Values):
    """config/claims/<question>.yaml."""

    measures: dict[str, dict[str, Any]] = Field(
        description="Name -> table, column, statistic, unit and words."
    )
    margins: dict[str, Region] = Field({}, description="Name -> region that several rows, or the code, use.")
    claims: dict[Annotated[str, Field(pattern="^C[0-9]{2}$")], Claim] = Field(description="Id -> claim.")


def load_claims(
    root: Path, questions: list[str]
) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, Any]]:
    """(rows, titles, margins by question) of all files, rows and titles by claim.

    Raises:
        ConfigError: one line with file, key and what is allowed.
    """
    common = load_checked(root, "config/claims.yaml", "claims")
    rows, titles, margins = list(common["claims"]), dict(common["titles"]), {}
    for question in questions:
        file = f"config/claims/{question}.yaml"
        if (root / file).is_file():
            found = _read(root, file)
            own = [
                row
                for claim, about in found.claims.items()
                for row in _rows(claim, about, found, question, file)
            ]
            check({**common, "claims": own}, schema_of(root, "claims"), file)
            rows += own
            titles |= {claim: about.title for claim, about in found.claims.items() if about.title}
            margins[question] = found.margins
    rows.sort(key=lambda row: claim_of(row["id"]))
    return rows, dict(sorted(titles.items())), margins


def claim_of(row: str) -> str:
    """The claim that a row of the ledger is part of: C14 of C14a."""
    return row.rstrip("abcdefghijklmnopqrstuvwxyz")


def _read(root: Path, file: str) -> ClaimsFile:
    data = load_yaml(root / file, shown=file)
    try:
        return ClaimsFile.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{file}: {told(worst(error.errors()), data, ClaimsFile)}") from None


def _rows(claim: str, about: Claim, file: ClaimsFile, question: str, name: str) -> list[dict[str, Any]]:
    """The rows as config/claims.yaml would write them out."""
    rows = about.rows or {"": about}
    return [_row(f"{claim}{letter}", about, row, file, question, name) for letter, row in rows.items()]


def _row(key: str, claim: Claim, row: Row, file: ClaimsFile, question: str, name: str) -> dict[str, Any]:
    said = claim.model_dump(exclude_unset=True) | row.model_dump(exclude_unset=True)
    if row.says is None:
        raise ConfigError(f"{name}: claims.{key}: needs 'says'")
    kind = "question" if row.says.endswith("?") else "claim"
    found: dict[str, Any] = {"id": key, "says": row.says, "kind": kind, "question": question}
    found |= {
        k: said[k] for k in ("sources", "whose", "deterministic", "needs_seeds", "flip", "note") if k in said
    }
    if "measure" in said:
        measure = _named(file.measures, said["measure"], f"{name}: claims.{key}.measure")
        where = measure.get("where", {}) | claim.where | row.where
        words = ", ".join(filter(None, (measure.get("is"), row.be)))
        own = {
            "is": words,
            "short": row.short,
            "where": where,
            "against": said.get("against"),
        }
        found["estimand"] = measure | {k: v for k, v in own.items() if v}
    if (accept := row.accept or claim.accept) is not None:
        region = (
            _named(file.margins, accept, f"{name}: claims.{key}.accept")
            if isinstance(accept, str)
            else accept
        )
        ends = {"low": region.at_least, "high": region.at_most}
        found["rule"] = {k: v for k, v in ends.items() if v is not None} | {"because": region.because}
    return found


def _named(known: dict[str, Any], name: str, where: str) -> Any:
    if name not in known:
        raise ConfigError(f"{where}: {name!r} is not there; allowed: {', '.join(known)}")
    return known[name]
