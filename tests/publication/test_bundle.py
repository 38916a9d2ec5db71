"""Finished jobs in one file: carried to another clone they are as if they had run there, or none of them is taken."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from odestudy.cli.main import main
from odestudy.errors import DataError
from odestudy.publication.bundle import read_bundle, take_in, write_bundle
from odestudy.publication.manifest import write_manifest
from odestudy.runtime.packed import Packed, read_packed, write_packed
from odestudy.runtime.store import is_current, read_arrays, read_metrics, write_metrics
from odestudy.study import load_study
from tests.workflow.clone import copy_of_clone

FOUND = np.arange(5, dtype=np.uint8)


@pytest.fixture
def ran(study_copy, monkeypatch):
    """A clone in which three jobs have run, one of them with older code."""
    study = load_study(study_copy, "smoke", {"questions": "images"})
    for job, code in zip(study.jobs_by["images", "sizes"], [None, None, "older"], strict=False):
        content = {"spec": job.spec, "rows": {"runs": [{"seed": 0}]}, "provenance": {"device_name": "a GPU"}}
        write_metrics(
            job.metrics(study.results), content | {"code": code or study.code_of(job)}, {"found": FOUND}
        )
    monkeypatch.chdir(study_copy)
    return study


@pytest.fixture
def elsewhere(tmp_path_factory):
    return load_study(copy_of_clone(tmp_path_factory.mktemp("elsewhere")), "smoke")


def test_finished_jobs_arrive_whole_and_those_of_older_code_stay_behind(ran, elsewhere, capsys, monkeypatch):
    assert main(["pack", "some.zip", "--tier", "smoke", "--questions", "images"]) == 0
    assert "2 of " in capsys.readouterr().out
    file = ran.root / "some.zip"
    monkeypatch.chdir(elsewhere.root)
    assert main(["unpack", str(file)]) == 0
    assert "2 jobs of tier smoke unpacked, 0 were" in capsys.readouterr().out
    current = [
        job
        for job in elsewhere.jobs.values()
        if is_current(job.metrics(elsewhere.results), elsewhere.code_of(job))
    ]
    assert [job.folder for job in current] == [job.folder for job in ran.jobs_by["images", "sizes"][:2]]
    for job in current:
        assert read_metrics(job.metrics(elsewhere.results)) == read_metrics(job.metrics(ran.results))
        np.testing.assert_array_equal(
            read_arrays(job.metrics(elsewhere.results))["found"], FOUND, strict=True
        )
    assert main(["unpack", str(file)]) == 0
    assert "0 jobs of tier smoke unpacked, 2 were" in capsys.readouterr().out


def test_a_run_goes_on_from_what_was_published(ran, elsewhere, capsys, monkeypatch):
    done = ran.jobs_by["images", "sizes"][:2]
    folder = elsewhere.root / "results/published/smoke-cpu"
    metrics = {job.folder: read_metrics(job.metrics(ran.results)) for job in done}
    write_packed(folder, "images", Packed(metrics, {job.folder: {"found": FOUND} for job in done}))
    write_manifest(folder)
    monkeypatch.chdir(elsewhere.root)
    assert main(["unpack", str(folder)]) == 0
    assert "2 jobs of tier smoke unpacked, 0 were" in capsys.readouterr().out
    for job in done:
        assert is_current(job.metrics(elsewhere.results), elsewhere.code_of(job))
    packed = next((folder / "metrics").iterdir())
    packed.write_bytes(packed.read_bytes()[:-1])
    with pytest.raises(DataError):
        read_bundle(folder)


def refused(study, file):
    """What is said of a file that is not taken in; nothing of it is."""
    with pytest.raises(DataError) as error:
        take_in(study, read_bundle(file)[1], file)
    assert not (study.results / "runs").exists()
    return str(error.value)


def test_a_damaged_file_is_refused(ran, elsewhere, tmp_path):
    file = tmp_path / "some.zip"
    write_bundle(ran, file, 16)
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as parts:
        middles = [p.header_offset + 30 + len(p.filename) + p.file_size // 2 for p in parts.infolist()]
    assert len(middles) == 4  # metrics, arrays, tier, sums
    for at in middles:
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert "damaged" in refused(elsewhere, file)
    file.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused(elsewhere, file)


def test_a_file_whose_parts_do_not_have_their_sums_is_refused(ran, elsewhere, tmp_path):
    file, other = tmp_path / "some.zip", tmp_path / "other.zip"
    write_bundle(ran, file, 16)
    with zipfile.ZipFile(file) as parts, zipfile.ZipFile(other, "w") as changed:
        for name in parts.namelist():
            changed.writestr(name, b"quick\n" if name == "tier" else parts.read(name))
    assert "do not have the sums" in refused(elsewhere, other)


def test_jobs_of_other_code_or_of_no_tier_are_refused_and_none_is_taken(ran, elsewhere, tmp_path):
    file = tmp_path / "some.zip"
    write_bundle(ran, file, 16)
    tier, results = read_bundle(file)
    assert tier == "smoke"
    *_, last = results["images"].metrics.values()
    last["code"] = "000000000000"
    with pytest.raises(DataError, match=r"computed by other code \(000000000000, here"):
        take_in(elsewhere, results, file)
    quick = load_study(elsewhere.root, "quick", {"questions": "dynamics"})
    assert "no such job at tier quick here" in refused(quick, file)
    assert not (elsewhere.results / "runs").exists()


def test_a_file_over_its_size_is_not_written(ran, tmp_path):
    with pytest.raises(DataError, match=r"MiB, more than 0\.0001"):
        write_bundle(ran, tmp_path / "some.zip", 1e-4)
    assert not (tmp_path / "some.zip").exists()


def test_what_was_begun_and_is_left_out_is_counted_and_named(ran, capsys):
    emptied, altered, older = ran.jobs_by["images", "sizes"][:3]
    unfinished = ran.jobs_by["images", "train"][0]
    whole = ran.jobs_by["images", "cost"][0]
    content = read_metrics(altered.metrics(ran.results)) | {"spec": whole.spec}
    write_metrics(whole.metrics(ran.results), content, {})
    emptied.metrics(ran.results).write_text("")
    path = altered.metrics(ran.results)
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    unfinished.metrics(ran.results).parent.mkdir(parents=True)
    assert main(["pack", "some.zip", "--tier", "smoke", "--questions", "images"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "1 of " in first
    assert second.startswith("left out, 4 jobs begun: ")
    for job, why in (
        (emptied, "metrics.json damaged or altered"),
        (altered, "metrics.json damaged or altered"),
        (older, "computed by other code"),
        (unfinished, "no metrics.json"),
    ):
        assert f"{job.folder} ({why})" in second


def test_a_folder_in_place_of_the_file_is_told_so(ran, capsys):
    (ran.root / "some").mkdir()
    assert main(["pack", "some", "--tier", "smoke", "--questions", "images"]) == 2
    assert "some: is a folder; name the file to write, such as some/jobs.zip" in capsys.readouterr().err
    assert main(["unpack", "some"]) == 2
    assert (
        "some: is a folder; needed: a file that `odestudy pack` wrote, or a published folder"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("wrong", ["no manifest", "no line of one", "altered metrics"])
def test_what_is_wrong_with_a_file_is_told_by_its_own_name(ran, tmp_path, wrong):
    file, folder = tmp_path / "some.zip", tmp_path / "parts"
    write_bundle(ran, file, 16)
    with zipfile.ZipFile(file) as parts:
        parts.extractall(folder)
    if wrong == "altered metrics":
        packed = read_packed(folder)["images"]
        next(iter(packed.metrics.values()))["code"] = "other"
        write_packed(folder, "images", packed)
        write_manifest(folder)
    elif wrong == "no line of one":
        (folder / "manifest.sha256").write_text("nonsense\n")
    else:
        (folder / "manifest.sha256").unlink()
    with zipfile.ZipFile(file, "w") as parts:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            parts.write(path, path.relative_to(folder))
    with pytest.raises(DataError) as error:
        read_bundle(file)
    said = {
        "no manifest": ": no manifest.sha256 in it; not written by `odestudy pack`",
        "no line of one": "/manifest.sha256:1: not a line of sha256sum",
        "altered metrics": "/metrics/images.json.xz: ",
    }
    assert str(error.value).startswith(f"{file}{said[wrong]}")
