"""The sums of all files of a published folder, in the format of sha256sum."""

from __future__ import annotations

import hashlib
from pathlib import Path

from odestudy.errors import DataError
from odestudy.runtime.files import write_atomically
from odestudy.study.lent import MANIFEST as NAME


def files_of(folder: Path) -> list[str]:
    """What the manifest covers: all files but itself and hidden ones, relative, in order."""
    found = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return sorted(p.as_posix() for p in found if not _left_out(p))


def _left_out(path: Path) -> bool:
    return path.name == NAME or any(part.startswith(".") for part in path.parts)


def sums_of(folder: Path) -> dict[str, str]:
    """File -> SHA-256 in hexadecimal, as the files are now."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files_of(folder)}


def write_manifest(folder: Path) -> None:
    """Write the sums; `sha256sum -c manifest.sha256` checks them."""
    text = "".join(f"{total}  {name}\n" for name, total in sums_of(folder).items())
    write_atomically(folder / NAME, text.encode())


def check_sums(folder: Path, *parts: str) -> None:
    """Refuse a folder some of whose files in `parts` are not as the manifest says.

    Raises:
        DataError: there is no manifest; or a file is altered, missing or too many, and the text names it.
    """
    published, now = (
        {name: total for name, total in sums.items() if name.split("/")[0] in parts}
        for sums in (read_manifest(folder), sums_of(folder))
    )
    wrong = sorted(name for name in published | now if published.get(name) != now.get(name))
    if wrong:
        raise DataError(
            f"{folder / wrong[0]}: not as it was published ({NAME} has another sum or no such file); "
            f"`odestudy verify {folder}` lists all"
        )


def none_published(folder: Path) -> str:
    """What a folder without a manifest is instead, and what to do."""
    if not folder.is_dir():
        return f"{folder}: no such folder"
    inner = sorted(path.parent.name for path in folder.glob(f"*/{NAME}"))
    if inner:
        return f"{folder}: no {NAME}, but published folders: {', '.join(inner)}; name one of them"
    if (folder / "metrics").is_dir():
        return f"{folder}: no {NAME}, without which nobody can tell that it is as it was published"
    return f"{folder}: no published results; `make publish` writes such a folder"


def read_manifest(folder: Path) -> dict[str, str]:
    """File -> SHA-256 as published.

    Raises:
        DataError: there is no manifest, or a line of it is none.
    """
    if not (folder / NAME).is_file():
        raise DataError(none_published(folder))
    try:
        lines = (folder / NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder}: no {NAME} that can be read ({error}); `make publish` writes it") from None
    found: dict[str, str] = {}
    for i, line in enumerate(lines, start=1):
        total, gap, name = line.partition("  ")
        if len(total) != 64 or not gap or not name:
            raise DataError(f"{folder / NAME}:{i}: not a line of sha256sum")
        found[name] = total
    return found
