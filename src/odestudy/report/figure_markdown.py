"""A figure of the report, as Markdown."""

from __future__ import annotations

import json
import re
from pathlib import Path

from odestudy.analysis.facts import Facts
from odestudy.report.markdown import escape
from odestudy.report.of_tier import experiments_of_figure, tier_said
from odestudy.runtime.files import write_atomically
from odestudy.study.load import Study


def figure_markdown(
    study: Study, results: Path, name: str, *, lazy: bool = False, paper: bool = False
) -> str:
    """A figure with its caption, links to its data and its files, and the command that makes it again.

    Args:
        lazy: whether a browser may wait with it until it comes into view.
        paper: whether it stands where no link leads anywhere.
    """
    about = json.loads((results / "figures" / f"{name}.json").read_text(encoding="utf-8"))
    links = ", ".join(f"[{escape(f'tables/{t}.csv')}](../tables/{t}.csv)" for t in about["tables"])
    kinds = ("svg", "pdf", "png", *(["gif"] if about["animated"] else []))
    formats = ", ".join(f"[{kind.upper()}](../figures/{name}.{kind})" for kind in kinds)
    alt = re.sub(r"[\"\\{}\n]", " ", about["alt"])
    later = ' loading="lazy"' if lazy else ""
    of_tier = tier_said(study, study.figures[name][0], experiments_of_figure(study, name))
    caption = f"{escape(about['title'])}. {escape(about['caption'])} {escape(of_tier)}".rstrip()
    moving = f" It moves: [GIF](../figures/{name}.gif)." if about["animated"] else ""
    if paper:
        return f'![{caption}](../figures/{name}.svg){{#fig:{name} alt="{alt}" width=88%}}\n\n'
    return (
        f'![{caption}{moving}](../figures/{name}.svg){{#fig:{name} alt="{alt}"{later} width=100%}}\n\n'
        f"::: {{.source}}\nData: {links}{_arrays(study, results, name)}. Files: {formats}. "
        f"Remake: `snakemake results/{study.run}/figures/{name}.svg`\n:::\n"
    )


def answer_picture(facts: Facts, folder: Path, name: str, *, paper: bool = False) -> str:
    """A picture of the first page, written into a folder, as Markdown that the folder's pages can show.

    On a page its data stand behind it, which a script draws again for a reader to explore.
    """
    from odestudy.figures.answers.draw import picture

    drawn = picture(name, facts)
    write_atomically(folder / f"answer_{name}.svg", drawn.svg)
    said = re.sub(r"[\"\\{}\n]", " ", drawn.alt)
    if paper:
        return f'![](answer_{name}.svg){{.answer alt="{said}" width=4.3in}}'
    shown = f'![](answer_{name}.svg){{.answer alt="{said}" width=5.6in}}'
    data = drawn.data.replace("<", "\\u003c")  # no tag may end the script
    return (
        f'{shown}\n\n```{{=html}}\n<script type="application/json" class="chart">{data}</script>\n```'
        if data
        else shown
    )


def _arrays(study: Study, results: Path, figure: str) -> str:
    """Links to the arrays that a picture shows."""
    question, definition = study.figures[figure]
    jobs = study.jobs_of(question, definition.get("arrays", []))
    folders = [f"runs/{job.folder}" for job in jobs if (results / f"runs/{job.folder}/arrays.npz").is_file()]
    if not folders:
        return ""
    return "; arrays: " + ", ".join(f"[{i}](../{folder}/arrays.npz)" for i, folder in enumerate(folders, 1))
