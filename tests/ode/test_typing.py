"""The package as a type checker sees it."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from odestudy.ode import solve
from odestudy.ode._settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_typed_settings_are_solves_arguments_with_their_types() -> None:
    known = inspect.signature(solve).parameters
    beside = {name: p.annotation for name, p in known.items() if name not in ("f", "y0", "t", "save")}
    assert Settings.__annotations__ == beside


@pytest.mark.slow
def test_a_type_checker_sees_what_is_returned() -> None:
    command = [sys.executable, "-m", "mypy", "tests/ode/typed_use.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
