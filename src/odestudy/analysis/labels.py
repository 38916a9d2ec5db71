"""What the columns of a question's tables, and the values in them, are called in front of people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from odestudy.analysis.values import MISSING
from odestudy.study.load import Study


@dataclass(frozen=True)
class Labels:
    """The labels of one question.

    Attributes:
        columns: column -> name of a value -> its label.
        entries: name -> label of its systems and entries, of whatever column.
    """

    columns: Mapping[str, Mapping[str, str]]
    entries: Mapping[str, str]

    def of(self, column: str, value: Any) -> str:
        """What a value of a column is called; a name of which nothing is said, with blanks for underscores; n/a for none."""
        if isinstance(value, float) and math.isnan(value):
            return MISSING
        text = f"{value:g}" if isinstance(value, float) else str(value)
        return self.columns[column].get(text, text.replace("_", " ")) if column in self.columns else text


def labels_of(study: Study, question: str) -> Labels:
    """The labels of the systems, of the question's entries, and of the levels of its columns."""
    spec = study.questions[question]
    named = {"system": study.systems, **spec.get("entries", {})}
    columns = {axis: {name: entry["label"] for name, entry in found.items()} for axis, found in named.items()}
    entries = {name: label for labels in columns.values() for name, label in labels.items()}
    for column, about in spec["columns"].items():
        if "levels" in about:
            levels = about["levels"]
            columns[column] = columns.get(column, {}) | (
                columns[levels] if isinstance(levels, str) else levels
            )
    return Labels(columns, entries)
