"""The reference in docs is what the docstrings say, and they say something of every argument."""

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from odestudy import ode

SCRIPT = Path(__file__).parents[2] / "docs" / "make_reference.py"
CALLS = (ode.solve, ode.solve_batch, ode.odeint, ode.odeint_adjoint, ode.odeint_dense, ode.odeint_event)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date(script: ModuleType) -> None:
    assert script.TARGET.read_text(encoding="utf-8") == script.reference(), (
        "run python docs/make_reference.py"
    )


def test_it_has_every_public_name(script: ModuleType) -> None:
    shown = {name for names in script.GROUPS.values() for name in names} | set(script.LISTS) | {"NUMBERS"}
    assert shown == set(ode.__all__)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_every_argument_is_documented_by_itself(call: Any) -> None:
    arguments = inspect.getdoc(call).split("Args:")[1].split("Returns:")[0]  # type: ignore[union-attr]  # each has a docstring
    assert re.findall(r"^    (\w+): ", arguments, re.MULTILINE) == list(inspect.signature(call).parameters)
