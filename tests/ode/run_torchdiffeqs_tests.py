"""Runs torchdiffeq's own tests on the drop-in: python run_torchdiffeqs_tests.py FOLDER, where FOLDER holds api_tests.py.

Prints a JSON list of what failed: [test, its subtest's parameters, the error's last line].
"""

import json
import sys
import unittest
from pathlib import Path
from typing import Any

import torch

from odestudy import ode

FILES = ("api_tests", "event_tests", "gradient_tests", "norm_tests", "odeint_tests")


class Collected(unittest.TestResult):
    """Notes failures and errors, a subtest each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.found.append((test.id(), subtest._subDescription(), f"{err[0].__name__}: {err[1]}"))

    def addError(self, test: Any, err: Any) -> None:
        self.found.append((test.id(), "", f"{err[0].__name__}: {err[1]}"))

    addFailure = addError  # noqa: N815  (unittest's name)


def main(folder: Path, names: list[str]) -> None:
    torch.set_num_threads(1)
    sys.modules["torchdiffeq"] = ode
    sys.path.insert(0, str(folder))
    import problems

    for name in ("METHODS", "FIXED_METHODS", "IMPLICIT_METHODS", "ADAPTIVE_METHODS"):
        known = tuple(
            m for m in getattr(problems, name, ()) if m in ode.METHODS
        )  # of newer versions some are not
        setattr(problems, name, known)
    result = Collected()
    unittest.defaultTestLoader.loadTestsFromNames(names or list(FILES)).run(result)
    print(json.dumps({"run": result.testsRun, "failed": result.found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
