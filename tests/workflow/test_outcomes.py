"""Jobs that end badly, beside one that ends well: each leaves its outcome or one clear line, and the rest goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from odestudy.datasets.images import FASHION
from tests.workflow.clone import copy_of_clone, run
from tests.workflow.disturbed import FIGURE, TABLE, Watcher, unmeasured, without_others

pytestmark = pytest.mark.dag

# Experiment -> what it changes of the healthy one.
TROUBLE: dict[str, dict[str, Any]] = {
    "endless": {"base": {"epochs": 100_000}, "grid": {"arm": ["resnet6"]}},
    "diverging": {"base": {"learning_rate": 1.0e30}, "grid": {"arm": ["odenet_backprop"]}},
    "junk": {"grid": {"dataset": ["fashion"], "arm": ["resnet1"]}},
}


def small(target: Path, *trouble: str) -> Path:
    """A clone whose smoke tier trains one net for two seeds and, in experiments of their own, what makes trouble."""
    folder = copy_of_clone(target)
    healthy = {"base": {"epochs": 2, "train_size": 128}, "grid": {"arm": ["resnet1"]}, "seeds": [0, 1]}

    def question(content: dict[str, Any]) -> None:
        train, table = content["experiments"]["train"], content["tables"]["images_accuracy"]
        table["experiments"] = ["train"]
        for name in trouble:
            content["experiments"][name] = train | {"label": name + "-{arm}"}
            table["experiments"].append(name)

    def tier(content: dict[str, Any]) -> None:
        changes = content["questions"]["images"] = without_others(folder) | {"train": healthy}
        for name in trouble:
            parts = {part: healthy[part] | TROUBLE[name].get(part, {}) for part in ("base", "grid")}
            changes[name] = healthy | parts

    for file, change in (("tiers/smoke", tier), ("questions/images", question)):
        path = folder / f"config/{file}.yaml"
        content = yaml.safe_load(path.read_text())
        change(content)
        path.write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def test_what_goes_wrong_is_an_outcome_or_one_line_and_the_rest_is_as_if_nothing_had(tmp_path):
    """All jobs of a folder share one process: what one of them comes to is not seen in the others."""
    whole, troubled = small(tmp_path / "whole"), small(tmp_path / "troubled", *TROUBLE)
    raw = tmp_path / "data" / FASHION.title / "raw"
    raw.mkdir(parents=True)
    for name in FASHION.sums:
        (raw / name).write_bytes(b"junk")
    run(whole, TABLE)
    limit = ("--config", "job_limit_min=0.25", "--", TABLE, FIGURE)
    with Watcher(troubled / "results") as seen:
        without_network = {"ODESTUDY_DATA": str(tmp_path / "data"), "HTTPS_PROXY": "http://127.0.0.1:9"}
        done = run(troubled, *limit, check=False, **without_network)
        assert done.returncode != 0
        said = [line for line in done.stderr.splitlines() if line.startswith("odestudy:")]
        # The junk is told and has no outcome, so that there is no table.
        assert [line for line in said if "damaged there" in line] == [
            line for line in said if str(raw) in line
        ]
        assert {line for line in said if "damaged there" in line}
        assert len([line for line in said if "took longer than 0.25 min" in line]) == 1
        assert "Traceback" not in done.stderr
        assert not (troubled / TABLE).exists()
        # When it is mended, a further run goes on; it gives tables and figures the time of a busy machine.
        mended = yaml.safe_load((troubled / "config/tiers/smoke.yaml").read_text())
        mended["questions"]["images"]["junk"]["grid"] = {"arm": ["resnet1"], "dataset": ["digits"]}
        (troubled / "config/tiers/smoke.yaml").write_text(yaml.safe_dump(mended, sort_keys=False))
        done = run(troubled, TABLE, FIGURE)
        assert "took longer" not in done.stderr
    assert not seen.broken
    assert not seen.repeated, "a job that was finished was repeated"
    table = unmeasured(troubled, TABLE, "images")
    ends = {name: set(rows["status"]) for name, rows in table.groupby("arm")}
    assert ends == {"resnet1": {"ok"}, "resnet6": {"timeout"}, "odenet_backprop": {"non_finite"}}
    assert (table["seed"].value_counts() == 3).all(), "each seed of each arm counts"
    healthy = table[table["arm"] == "resnet1"].dropna(axis=1, how="all").reset_index(drop=True)
    wanted = unmeasured(whole, TABLE, "images").dropna(axis=1, how="all")
    pd.testing.assert_frame_equal(healthy[list(wanted)], wanted, check_exact=True, check_dtype=False)
    about = (troubled / FIGURE).with_suffix(".json").read_text()
    assert "timeout" in about
    assert "non finite" in about
