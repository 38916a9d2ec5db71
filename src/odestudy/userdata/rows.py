"""The rows of a user's file with the line that each stands on; what does not fit its header is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odestudy.errors import DataError
from odestudy.text import one_line

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
LOOKED_AT = 20  # rows from which the separator is told
SHOWN = 5  # lines or names in one message


@dataclass(frozen=True)
class Rows:
    """Cells as text.

    Attributes:
        header: names of the columns, without blanks around them.
        header_line, lines: the line of the file, from 1, on which the header and each row begin.
        cells: one list a row, as long as the header.
        separator: a key of SEPARATORS.
    """

    path: Path
    header: list[str]
    header_line: int
    lines: list[int]
    cells: list[list[str]]
    separator: str

    def notes(self, commas: bool) -> list[str]:
        """How the file is written, where it is not as most are: a sentence, or none."""
        if self.separator == "," and not commas:
            return []
        return [
            f"read as separated by {SEPARATORS[self.separator]}s, with decimal {'commas' if commas else 'points'}"
        ]


def read_rows(path: Path) -> Rows:
    """Read a file of values separated by commas, semicolons or tabs, in UTF-8, its first line the header.

    Raises:
        DataError: one line that says what came, on which line of the file, and how to mend it.
    """
    text = _text(path)
    separator = _separator(text)
    records = _records(path, text, separator)
    if not records:
        raise DataError(f"{path}: the file is empty; needed: a header, then one row a line")
    header_line, header = records[0]
    header = [name.strip("\ufeff ") for name in header]
    _check_header(path, header, header_line, separator)
    for line, fields in records[1:]:
        if len(fields) != len(header):
            raise DataError(f"{path}: line {line}: {_mismatch(fields, header, separator)}")
    lines, cells = [line for line, _ in records[1:]], [fields for _, fields in records[1:]]
    return Rows(path, header, header_line, lines, cells, separator)


def listed(things: Sequence[object]) -> str:
    """The first few of them, and how many more there are."""
    shown = ", ".join(map(str, things[:SHOWN]))
    return shown + (f" and {len(things) - SHOWN} more" if len(things) > SHOWN else "")


def at_lines(lines: Sequence[int]) -> str:
    """`line 3`, or `lines 3, 5 and 4 more`."""
    return f"line{'s' if len(lines) > 1 else ''} {listed(lines)}"


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: line {line} is not UTF-8; save the file as CSV in UTF-8, or convert it: "
            f"iconv -f {'UTF-16' if wide else 'WINDOWS-1252'} -t UTF-8 FILE > NEW"
        ) from None


def _separator(text: str) -> str:
    """The separator that cuts the header, and most of the first rows alike; a comma where none does."""
    best, score = ",", (0, 1)
    for separator in SEPARATORS:
        fields = []
        try:
            for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
                if any(record):
                    fields.append(len(record))
                if len(fields) > LOOKED_AT:
                    break
        except csv.Error:  # is told, with its line, when the file is read
            pass
        if fields and fields[0] > 1:
            found = (fields.count(fields[0]), fields[0])
            best, score = (separator, found) if found > score else (best, score)
    return best


def _records(path: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Line and fields of each record but the blank ones."""
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=separator, skipinitialspace=True, strict=True)
    records, before = [], 0
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if fields not in ([], [""]):
                records.append((before + 1, fields))
            before = reader.line_num
    except csv.Error as error:
        unclosed = "unexpected end" in str(error)
        why = "a quote opens and is never closed" if unclosed else one_line(error)
        raise DataError(f"{path}: line {before + 1}: {why}") from None
    return records


def _check_header(path: Path, header: list[str], line: int, separator: str) -> None:
    where, name = f"{path}: line {line}", SEPARATORS[separator]
    if header[0].startswith("#") or header[0].casefold().startswith("sep="):
        raise DataError(
            f"{where}: {one_line(header[0], 40)!r} is no header; remove the lines above the names of the columns"
        )
    if all(_is_number(cell) for cell in header):
        raise DataError(
            f"{where}: numbers where the names of the columns belong; add a header as the first line"
        )
    if not header[-1] and len(header) > 1:
        raise DataError(
            f"{where}: the header ends with a {name}; remove the {name}s at the ends of the lines"
        )
    if not all(header):
        raise DataError(f"{where}: column {header.index('') + 1} has no name")
    twice = [cell for cell in header if header.count(cell) > 1]
    if twice:
        raise DataError(f"{where}: two columns are called {one_line(twice[0], 60)!r}; rename one")


def _mismatch(fields: list[str], header: list[str], separator: str) -> str:
    """What is wrong with a row that is longer or shorter than the header, and how to mend it."""
    name = SEPARATORS[separator]
    said = f"{len(fields)} field{'s' if len(fields) > 1 else ''} where the header has {len(header)} (separated by {name}s)"
    more = fields[len(header) :]
    if more and not any(more):
        return f"{said}: it ends with {len(more)} {name}{'s' if len(more) > 1 else ''} too many; remove them in all lines"
    if more and separator == ",":
        return f"{said}; if commas are decimal, write points, or separate by semicolons"
    if len(fields) == 1 and len(fields[0].split()) >= len(header):
        return f"{said}; values that are separated by blanks need commas in their place"
    return f"{said}; each row needs one field for each column"


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
