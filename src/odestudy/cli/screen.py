"""Show a run's progress: one line that is drawn anew in a terminal, now and then a line elsewhere."""

from __future__ import annotations

import os
import sys

EVERY_PCT = 10


def duration(seconds: float) -> str:
    """About so long, in words."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Lines:
    """Plain lines, one every EVERY_PCT per cent."""

    def __init__(self) -> None:
        self._next = 0

    def show(self, share: float, text: str) -> None:
        """Say how far the run is, where that is news."""
        if 100 * share >= self._next:
            self._next = int(100 * share) // EVERY_PCT * EVERY_PCT + EVERY_PCT
            self.say(f"{int(100 * share)} %, {text}")

    def say(self, line: str) -> None:
        """A line that stays."""
        print(line, flush=True)

    def close(self) -> None:
        """Nothing is left to be cleared away."""


class Bar(Lines):
    """One line at the bottom of a terminal."""

    def __init__(self) -> None:
        from tqdm import tqdm

        form = "{percentage:3.0f} % |{bar:24}| {desc}"
        self._bar = tqdm(total=100, bar_format=form, file=sys.stdout, dynamic_ncols=True, leave=False)

    def show(self, share: float, text: str) -> None:
        """Draw the line anew."""
        self._bar.n = int(100 * share)
        self._bar.set_description_str(text)

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._bar.write(line, file=sys.stdout)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


def screen() -> Lines:
    """What suits where the output goes; a CI system shows no bar, terminal or not."""
    plain = os.environ.get("CI", "false") not in ("", "0", "false") or not sys.stdout.isatty()
    return Lines() if plain else Bar()
