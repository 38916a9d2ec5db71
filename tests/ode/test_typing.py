"""The package as a type checker sees it."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from odestudy.ode import solve, solve_batch
from odestudy.ode._settings import Settings
from odestudy.ode.per_sample._solve import BatchSettings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("call", "typed"), [(solve, Settings), (solve_batch, BatchSettings)])
def test_the_typed_settings_are_the_arguments_with_their_types(call: Any, typed: Any) -> None:
    known = inspect.signature(call).parameters
    beside = {name: p.annotation for name, p in known.items() if name not in ("f", "y0", "t", "save")}
    assert typed.__annotations__ == beside


@pytest.mark.slow
def test_a_type_checker_sees_what_is_returned() -> None:
    command = [sys.executable, "-m", "mypy", "tests/ode/typed_use.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
