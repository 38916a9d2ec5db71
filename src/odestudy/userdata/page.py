"""The report of a user's fit, as Markdown and as one HTML file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pypandoc

from odestudy.report.markdown import escape
from odestudy.runtime.files import write_atomically

STYLE = (
    "<style>body {max-width: 50rem; font-family: sans-serif; line-height: 1.5} "
    "td, th {padding: 0.15rem 1rem 0.15rem 0; text-align: left; vertical-align: top}</style>"
)


def write_report(folder: Path, title: str, parts: Sequence[str]) -> Path:
    """Write report.md and report.html from pieces of Markdown; the path of the page. Pictures lie in the folder."""
    head = f"---\ntitle: {json.dumps(escape(title))}\n---"
    text = "\n\n".join([head, *(part.strip("\n") for part in parts if part)]) + "\n"
    write_atomically(folder / "report.md", text.encode())
    page = pypandoc.convert_text(
        text, "html5", format="markdown",
        extra_args=[
            "--standalone", "--embed-resources", f"--resource-path={folder}", "--metadata=lang:en",
            f"--variable=header-includes:{STYLE}",
        ],
    )  # fmt: skip
    write_atomically(folder / "report.html", page.encode())
    return folder / "report.html"


def bullets(notes: Sequence[str]) -> str:
    """What was found on reading, as a list; nothing where nothing was."""
    return (
        "\n".join(["**On reading the file:**", "", *(f"- {escape(note)}" for note in notes)]) if notes else ""
    )


def loading(module: str, file: str, lines: Sequence[str]) -> str:
    """The Python that loads a saved model."""
    code = [f"from {module} import load", f'model = load("{file}")', *lines]
    return "\n".join(["To use the model (in this folder):", "", "```python", *code, "```"])
