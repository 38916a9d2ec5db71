"""The report: Jinja2 to Markdown to HTML and PDF."""

from __future__ import annotations

import math
from pathlib import Path

import jinja2

from odestudy.analysis.values import number
from odestudy.report.context import Context
from odestudy.report.markdown import escape
from odestudy.report.pages import write_html, write_pdf
from odestudy.runtime.files import write_atomically
from odestudy.study.load import Study


def make_report(study: Study, outputs: dict[str, Path]) -> None:
    """Write report.md, index.html and report.pdf beside each other in results/<run>/report."""
    folder = study.root / "report"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        comment_start_string="{##", comment_end_string="##}",  # {# starts an identifier in pandoc's Markdown
    )  # fmt: skip
    # Markdown, so no HTML escaping here: markdown.escape does it for what comes from data.
    sections = Context(study, study.results).questions_run
    page, paper = (
        environment.get_template("report.md.j2").render(
            r=Context(study, study.results, paper),
            study=study,
            sections=sections,
            number=number,
            escape=escape,
            exp=math.exp,
        )
        for paper in (False, True)
    )
    write_atomically(outputs["markdown"], page.encode())
    write_html(page, outputs["html"], folder)
    write_pdf(paper, outputs["pdf"], folder, root=study.results)
