"""Tables and pictures that follow from other tables: work at one error, growth in words, bounds by theory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from odestudy.densities.shapes import pair
from odestudy.questions.density.figures import severity
from odestudy.questions.gradients import derived
from odestudy.study.claims import Region


def _study(monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any], rows: dict[str, Any]) -> Any:
    job = SimpleNamespace(spec=spec, folder="a/job", metrics=lambda results: None)
    monkeypatch.setattr(derived, "read_metrics", lambda path: {"rows": rows})
    margins = {"q": {"constant_memory": Region(at_most=0.05, because="a twentieth")}}
    return SimpleNamespace(jobs_of=lambda question, experiments: [job], results=None, margins=margins)


def _run(method: str, error: float | None, nfe: float, jacobians: float = 0.0) -> dict[str, Any]:
    row = {"method": method, "kind": "fixed", "seed": 0, "error": error, "nfe": nfe, "jacobians": jacobians}
    return row | {"status": "ok" if error else "non_finite"}


def test_work_at_level_tells_better_at_once_from_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        _run("never", 1e-1, 10), _run("never", 1e-2, 20),
        _run("at once", None, 5), _run("at once", 1e-6, 50, 6), _run("at once", 1e-8, 70, 9),
        _run("between", 1e-4, 100, 2), _run("between", 1e-6, 400, 4),
    ]  # fmt: skip
    study = _study(monkeypatch, {"problem": {"name": "p"}, "level": 1e-5}, {"runs": runs})
    found = {r["method"]: r for r in derived.work_at_level(study, "q", {"experiments": []})}
    assert found["never"]["reached"] == "no"
    assert "level_nfe" not in found["never"]
    assert found["at once"]["reached"].startswith("by the coarsest")
    assert (found["at once"]["level_nfe"], found["at once"]["level_jacobians"]) == (50, 6)
    assert found["between"]["level_nfe"] == pytest.approx(200)
    assert found["between"]["level_jacobians"] == pytest.approx(8**0.5)


def test_growth_is_named_only_where_the_fit_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(measure: str, exponent: float, low: float, high: float, share: float) -> dict[str, Any]:
        ends = {"exponent": exponent, "exponent_low": low, "exponent_high": high}
        return {"varied": "steps", "measure": measure, "growth_share": share} | ends

    fits = [
        fit("saved_mib", 1.0, 1.0, 1.0, 0.01),
        fit("peak_mib", 4.1, -886, 894, 0.4),
        fit("wall_s", 0.95, 0.83, 1.07, float("nan")),
    ]
    study = _study(monkeypatch, {"arm": "adjoint", "seeds": [0]}, {"fits": fits})
    (row,) = derived.growth_in_words(study, "q", {"experiments": []})
    assert (row["saved_growth"], row["peak_growth"]) == ("constant", "the fit cannot tell")
    assert row["wall_growth"] == "N to the 0.95 [0.83, 1.07]"


def test_the_bound_for_two_gaussians_is_that_of_the_targets_own_width() -> None:
    assert pair().sigma == severity.SIGMA
