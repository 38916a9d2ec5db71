"""torchdiffeq's own tests on the drop-in, where a copy of them is at hand: ODESTUDY_TORCHDIFFEQ_TESTS=FOLDER."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "ode.md"

# Each stands, with its reason, in docs/ode.md.
DEPARTURES = {
    "event_tests.TestEventHandling.test_adjoint",
    "norm_tests.TestNorms.test_adjoint_norm",
    "odeint_tests.TestDiscontinuities.test_odeint_perturb: implicit_midpoint",
    "odeint_tests.TestMinMaxStep.test_min_max_step",
}


def departure(test: str, parameters: str) -> str:
    """The test, with the method where a test is departed from for one method only."""
    for known in DEPARTURES:
        name, _, method = known.partition(": ")
        if name == test and method and f"method='{method}'" in parameters:
            return known
    return test


def test_every_departure_from_torchdiffeqs_tests_is_documented() -> None:
    text = DOCS.read_text()
    for known in DEPARTURES:
        assert f"`{known}`" in text


@pytest.mark.slow
def test_torchdiffeqs_tests_pass_on_the_drop_in_but_for_the_departures() -> None:
    folder = os.environ.get("ODESTUDY_TORCHDIFFEQ_TESTS")
    if not folder:
        pytest.skip("ODESTUDY_TORCHDIFFEQ_TESTS names no copy of torchdiffeq's tests folder")
    command = [sys.executable, str(HERE / "run_torchdiffeqs_tests.py"), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["run"] > 20
    assert {departure(test, parameters) for test, parameters, _ in found["failed"]} == DEPARTURES
