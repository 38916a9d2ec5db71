"""The claims: one file a question, which says once what its rows share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from odestudy.errors import ConfigError
from odestudy.runtime.parameters import Values
from odestudy.study.config import check, load_yaml, schema_of
from odestudy.study.parameters import told, worst

Text = Annotated[str, Field(min_length=3)]
ROW_KEYS = (
    "sources", "class", "deterministic", "expect", "pilot", "resolution", "beside", "changed", "trained", "provided", "flip", "note",
)  # fmt: skip


class Region(Values):
    """What a claim accepts of its estimate, fixed before the run."""

    at_least: float | None = Field(None, description="Lower end.")
    at_most: float | None = Field(None, description="Upper end.")
    because: Text = Field(description="Why there.")


class Headline(Values):
    """What a claim is judged by, as its author meant it, and why that is fair."""

    title: Text = Field(description="The claim, or the question, in one sentence.")
    headline: Text | list[Text] | None = Field(
        None, description="The row that judges it, or rows that must all hold; none while it is planned."
    )
    planned: Text | None = Field(
        None, description="Where no row judges it fairly yet: the experiment that will."
    )
    meant: Text = Field(description="What its author meant, and where.")
    fair: Text = Field(description="Why the headline is a fair judge of that.")
    change: Text = Field(description="What would change the verdict, beside other data.")

    @property
    def rows(self) -> list[str]:
        """The rows of the headline."""
        return [self.headline] if isinstance(self.headline, str) else list(self.headline or [])


class Beside(Values):
    """A baseline or a limit, shown wherever the number of its row is."""

    be: Text = Field(alias="is", description="What it is, in a few words.")
    value: float | None = Field(None, description="A published number.")
    source: str | None = Field(None, min_length=1, description="Who published it.")
    table: Text | None = Field(None, description="Where it is measured; the estimand's unless said.")
    column: Text | None = Field(None, description="Which column; the estimand's unless said.")
    statistic: Literal["mean", "median"] | None = Field(
        None,
        description="A plain mean, as of a share, where the row has a median or a geometric mean; or a median, in which a "
        "run without a number counts as infinite, where it has a share or a mean.",
    )
    where: dict[str, Any] = Field({}, description="Changes to the estimand's `where`.")


class Changed(Values):
    """A rule that was moved after data were seen, which fresh seeds must judge."""

    what: Text = Field(description="What was changed.")
    after_seeing: Text = Field(description="What had been seen.")


class Trained(Values):
    """The gate of a row on what a net learns: half the training is not worse by more than a margin."""

    table: Text | None = Field(
        None, description="Where runs of both lengths are; the estimand's unless said."
    )
    column: Text | None = Field(None, description="The error that must not fall; the estimand's unless said.")
    where: dict[str, Any] = Field({}, description="The runs of full length; the estimand's unless said.")
    half: dict[str, Any] = Field({}, description="Changes to `where` that select runs of half the length.")
    half_table: Text | None = Field(
        None, description="Where runs of half the length are; that of the others unless said."
    )
    share: bool | None = Field(
        None, description="Whether the margin is a share of the error; on a log scale it is, unless said."
    )
    margin: float = Field(
        ge=0, description="The most by which half may be worse: a share, or in the column's unit."
    )
    most: float | None = Field(
        None, description="An error that is as bad as any larger one, which counts as this one."
    )
    both_ways: bool = Field(
        False, description="Whether half may not be smaller by more, either: for a number that is no error."
    )
    unit: Text | None = Field(None, description="The column's, where it is not the row's own.")


class Provided(Values):
    """What must hold of a row's runs, in the mean, for their number to tell anything."""

    column: Text = Field(description="Of the row's own table.")
    at_least: float = Field(description="The least mean of it, over the runs of both sides.")
    because: Text = Field(description="Why less tells nothing.")


class Shared(Values):
    """What the rows of a claim may share, or say each for itself."""

    sources: list[Text] | None = Field(None, description='Where it is said, as "P 1.4".')
    kind: Literal["identity", "reproduction", "finding"] | None = Field(
        None, alias="class", description="A theorem or a count; a source's claim in its setting; ours."
    )
    deterministic: bool | None = Field(None, description="One run decides; no seeds, no interval over seeds.")
    expect: float | None = Field(
        None, description="The smallest effect that matters, as a true value to be seen."
    )
    pilot: float | None = Field(
        None,
        ge=0,
        description="Standard deviation between the seeds of a pilot, of logarithms where these decide. "
        "Where a tier plans fewer seeds than `expect` needs at it, the row stays open there.",
    )
    resolution: float | None = Field(
        None,
        gt=0,
        description="Of a question: half width of its interval, or factor on a log scale, that answers.",
    )
    beside: list[Beside] | None = Field(None, description="Baseline and limit.")
    changed: Changed | None = Field(None, description="Where the rule was moved after data were seen.")
    trained: Trained | None = Field(None, description="The gate of training to the end.")
    provided: Provided | None = Field(None, description="What must hold for the number to tell anything.")
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
    """A claim: a single row, or what its rows share and, by letter, how each differs; and its headline."""

    title: Text | None = Field(None, description="In one sentence; in the file that has the headline.")
    headline: Text | list[Text] | None = Field(None, description="As of Headline.")
    planned: Text | None = Field(None, description="As of Headline.")
    meant: Text | None = Field(None, description="As of Headline.")
    fair: Text | None = Field(None, description="As of Headline.")
    change: Text | None = Field(None, description="As of Headline.")
    rows: dict[Annotated[str, Field(pattern="^[a-z]$")], Row] = Field({}, description="Letter -> row.")


class ClaimsFile(Values):
    """config/claims/<question>.yaml."""

    measures: dict[str, dict[str, Any]] = Field(
        description="Name -> table, column, statistic, unit and words."
    )
    margins: dict[str, Region] = Field(
        {}, description="Name -> region that several rows, measures, or the code, use."
    )
    claims: dict[Annotated[str, Field(pattern="^C[0-9]{2}$")], Claim] = Field(description="Id -> claim.")


def load_claims(
    root: Path, questions: list[str]
) -> tuple[list[dict[str, Any]], dict[str, Headline], dict[str, Any]]:
    """(rows, headlines, margins by question) of all files, rows and headlines by claim.

    Raises:
        ConfigError: one line with file, key and what is allowed.
    """
    rows: list[dict[str, Any]] = []
    headlines, margins = {}, {}
    for question in questions:
        file = f"config/claims/{question}.yaml"
        if not (root / file).is_file():
            continue
        found = _read(root, file)
        own = [
            row for claim, about in found.claims.items() for row in _rows(claim, about, found, question, file)
        ]
        check({"claims": own}, schema_of(root, "claims"), file)
        rows += own
        for claim, about in found.claims.items():
            if about.title:
                said = {k: v for k, v in about.model_dump().items() if k in Headline.model_fields}
                headlines[claim] = _headline(file, claim, {k: v for k, v in said.items() if v is not None})
        margins[question] = found.margins
    rows.sort(key=lambda row: claim_of(row["id"]))
    return rows, dict(sorted(headlines.items())), margins


def _headline(file: str, claim: str, about: dict[str, Any]) -> Headline:
    try:
        found = Headline.model_validate(about)
    except ValidationError as error:
        raise ConfigError(f"{file}: {claim}: {told(worst(error.errors()), about, Headline)}") from None
    if not found.rows and found.planned is None:
        raise ConfigError(f"{file}: {claim}: needs 'headline', the row that judges it, or 'planned'")
    return found


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
    """The rows written out."""
    rows = about.rows or {"": about}
    return [_row(f"{claim}{letter}", about, row, file, question, name) for letter, row in rows.items()]


def _row(key: str, claim: Claim, row: Row, file: ClaimsFile, question: str, name: str) -> dict[str, Any]:
    said = claim.model_dump(exclude_unset=True, by_alias=True) | row.model_dump(
        exclude_unset=True, by_alias=True
    )
    if row.says is None:
        raise ConfigError(f"{name}: claims.{key}: needs 'says'")
    kind = "question" if row.says.endswith("?") else "claim"
    found: dict[str, Any] = {"id": key, "says": row.says, "kind": kind, "question": question}
    found |= {k: said[k] for k in ROW_KEYS if k in said}
    if "measure" in said:
        measure = _measure(file, said["measure"], f"{name}: claims.{key}.measure")
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


def _measure(file: ClaimsFile, name: str, where: str) -> dict[str, Any]:
    """A measure of the file, what counts as success written out where it is one of the file's margins."""
    found: dict[str, Any] = _named(file.measures, name, where)
    if isinstance(success := found.get("success"), str):
        region = _named(file.margins, success, f"{where}: {name}.success")
        found = found | {"success": region.model_dump(exclude={"because"}, exclude_none=True)}
    return found


def _named(known: dict[str, Any], name: str, where: str) -> Any:
    if name not in known:
        raise ConfigError(f"{where}: {name!r} is not there; allowed: {', '.join(known)}")
    return known[name]
