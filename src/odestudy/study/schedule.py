"""When a graph of tasks is done on so many machines: list scheduling, and the chain that no machine shortens."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A node of the graph.

    Attributes:
        name: one of its kind in the graph.
        kind: the rule that does it; "job" where it computes metrics.
        seconds: that it is expected to take; None where nothing like it was ever recorded.
        after: names of the tasks that must be done before.
        alone: it measures time, and nothing may run beside it on its machine.
        threads: cores that it takes of a machine that it shares.
    """

    name: str
    kind: str
    seconds: float | None
    after: tuple[str, ...] = ()
    alone: bool = False
    threads: int = 1


def makespan(tasks: Sequence[Task], workers: int, beside: int | None = None) -> float:
    """Seconds until all tasks are done, by list scheduling in the given order; unknown ones take no time.

    What must run alone waits until nothing else can be started, as in Snakemake. Source: Graham 1969, Bounds on
    multiprocessing timing anomalies, for list scheduling.

    Args:
        tasks: the graph.
        workers: how many tasks run at a time on one machine; or, with `beside`, how many machines there are, each
            with one job at a time.
        beside: None for one machine, all of which a task takes that must run alone. Otherwise such a job only takes
            the machine that it is on, and what is no job runs on so many cores of the machine that hands them out.
    """
    order = sorted(tasks, key=lambda task: task.alone)
    pools = [0 if beside is None or task.kind == "job" else 1 for task in order]
    widths = [1 if beside else workers if task.alone else min(task.threads, workers) for task in order]
    free = [workers, beside or 0]
    ready: list[list[int]] = [[], []]  # of each pool, places in `order`
    running: list[tuple[float, int]] = []
    missing, followers = _edges(order)

    def put(i: int) -> None:
        heapq.heappush(ready[pools[i]], i)

    for i, lacking in enumerate(missing):
        if not lacking:
            put(i)
    now = 0.0
    while True:
        for pool, queue in enumerate(ready):
            too_wide = []
            while queue and free[pool]:
                i = heapq.heappop(queue)
                if widths[i] > free[pool]:
                    too_wide.append(i)
                    continue
                free[pool] -= widths[i]
                heapq.heappush(running, (now + (order[i].seconds or 0.0), i))
            for i in too_wide:
                heapq.heappush(queue, i)
        if not running:
            return now
        now, i = heapq.heappop(running)
        free[pools[i]] += widths[i]
        for j in followers[order[i].name]:
            missing[j] -= 1
            if not missing[j]:
                put(j)


def _edges(order: Sequence[Task]) -> tuple[list[int], dict[str, list[int]]]:
    """(how many tasks each one waits for, name -> those that wait for it)."""
    followers: dict[str, list[int]] = defaultdict(list)
    for i, task in enumerate(order):
        for name in task.after:
            followers[name].append(i)
    return [len(task.after) for task in order], followers


def critical_path(tasks: Sequence[Task]) -> tuple[float, list[Task]]:
    """Seconds that no number of machines saves, and the tasks that follow each other in them.

    Args:
        tasks: the graph, each task behind those that it waits for.
    """
    ends: dict[str, float] = {}
    before: dict[str, Task | None] = {}
    by_name = {task.name: task for task in tasks}
    for one in tasks:
        last = max(one.after, key=ends.__getitem__, default=None)
        before[one.name] = None if last is None else by_name[last]
        ends[one.name] = (0.0 if last is None else ends[last]) + (one.seconds or 0.0)
    end = max(tasks, key=lambda task: ends[task.name], default=None)
    if end is None:
        return 0.0, []
    path, task = [end], before[end.name]
    while task is not None:
        path.append(task)
        task = before[task.name]
    return ends[end.name], path[::-1]
