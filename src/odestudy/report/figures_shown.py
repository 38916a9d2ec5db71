"""What templates may say of figures, and what a question's section leaves to the appendix."""

from __future__ import annotations

import json

from odestudy.report.figure_markdown import figure_markdown
from odestudy.report.markdown import escape
from odestudy.report.tables_shown import TablesShown


class FiguresShown(TablesShown):
    """The figures of a run, as Markdown."""

    def figure(self, name: str) -> str:
        """A figure with caption, data and command; of one that the appendix shows, where it is; on paper then nothing."""
        if name in self.study.settings["shown"]:
            return figure_markdown(self.study, self.results, name, paper=self.paper)
        if self._empty(name):  # nothing of it was run at this tier
            return ""
        title = escape(self.study.figures[name][1]["title"])
        return "" if self.paper else f"::: {{.source}}\nIn the appendix: [{title}](#fig:{name}).\n:::\n"

    def rest(self, question: str) -> str:
        """The figures that a question's section does not show; of a question without a section its tables, too.

        Paper leaves them out.
        """
        if self.paper:
            return ""
        spec = self.study.questions[question]
        shown = self.study.settings["shown"]
        left = [name for name in spec["figures"] if name not in shown and not self._empty(name)]
        parts = [figure_markdown(self.study, self.results, name, lazy=True) for name in left]
        section = self.study.root / "report" / "sections" / f"{question}.md.j2"
        parts += [] if section.is_file() else [self.summary(table) for table in spec["tables"]]
        return "\n\n".join(parts)

    def _empty(self, name: str) -> bool:
        """Whether a figure has nothing to show, so that the appendix leaves it out."""
        file = self.results / "figures" / f"{name}.json"
        return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8"))["empty"])

    def figures_left(self) -> int:
        """How many figures paper leaves out."""
        shown = self.study.settings["shown"]
        return sum(
            name not in shown for q in self.questions_run for name in self.study.questions[q]["figures"]
        )
