"""Progress of a training with the time left, and Ctrl-C that ends it early but keeps what there is."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType, TracebackType

from tqdm import tqdm

TENTHS = 10  # lines where no terminal looks


class Progress:
    """A context in which the first Ctrl-C only sets `stopped`, and the second interrupts as usual.

    On a terminal it is a bar with the time left, elsewhere a line after each tenth of the steps.
    """

    def __init__(self, total: int, title: str) -> None:
        self.total, self.title = total, title
        self.stopped = False
        self.done = 0

    def __enter__(self) -> Progress:
        self._began, self._told = time.monotonic(), 0
        self._bar = tqdm(total=self.total, desc=self.title, leave=False, disable=None)
        self._catches = threading.current_thread() is threading.main_thread()
        if self._catches:
            self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if self._catches:
            signal.signal(signal.SIGINT, self._before)

    def reach(self, done: int) -> bool:
        """So many steps are done; whether to stop."""
        self._bar.update(done - self.done)
        self.done = done
        tenth = TENTHS * done // self.total
        if self._bar.disable and tenth > self._told:
            self._told = tenth
            left = (time.monotonic() - self._began) * (self.total - done) / done
            print(
                f"{self.title}: {done} of {self.total} steps, {left:.0f} s left", file=sys.stderr, flush=True
            )
        return self.stopped

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._bar.write(
            "stopping; what there is will be judged and written (Ctrl-C again: nothing)", file=sys.stderr
        )
