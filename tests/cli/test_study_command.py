"""What `make study` shows, from Snakemake's lines as they come."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from odestudy.cli import follower
from odestudy.cli import study as command
from odestudy.cli.main import main
from odestudy.errors import ConfigError
from odestudy.runtime.progress import OTHER_S, Outlook, Progress
from odestudy.study import load_study

STEPS = """
Job stats:
job      count
-----  -------
one          2
all          1
total        3

[Thu Nov 26 23:50:11 2026]
localrule one:
    output: r/a/metrics.json, r/b/metrics.json
    log: one.log
    jobid: 1
    wildcards: n=0
"""
FINISHED = "Finished jobid: 1 (Rule: one)\n1 of 3 steps (33%) done\n"
FAILED = """RuleException:
[Thu Nov 26 23:50:11 2026]
Error in rule one:
    message: None
    jobid: 1
    output: r/a/metrics.json, r/b/metrics.json
    log: one.log (check log file(s) for error details)
    shell:
        sleep 1
Exiting because a job execution failed. Look above for error messages
"""


@pytest.fixture
def snakemake(study_copy, monkeypatch):
    """Let the command start a program that prints these texts, each after a moment, and ends with this status."""
    monkeypatch.chdir(study_copy)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(follower, "LOOK_S", 0.02)

    def pretend(*texts, code=0):
        body = "".join(f"print({text!r}, end='', flush=True); time.sleep(0.1);" for text in texts)
        script = f"import sys, time; {body} sys.exit({code})"
        monkeypatch.setattr(command, "SNAKEMAKE", (sys.executable, "-c", script))
        return study_copy

    return pretend


def test_a_run_shows_its_log_how_far_it_is_and_where_the_report_lies(snakemake, capfd):
    folder = snakemake(STEPS, FINISHED, "3 of 3 steps (100%) done\n")
    assert main(["study", "--tier", "smoke"]) == 0
    shown = capfd.readouterr().out
    lines = shown.splitlines()
    assert lines[0].startswith("Log: results/smoke/logs/snakemake-")
    assert (
        folder / lines[0].removeprefix("Log: ")
    ).read_text() == STEPS + FINISHED + "3 of 3 steps (100%) done\n"
    assert lines[-2] == "100 %, smoke: 3 of 3 steps"
    assert lines[-1].startswith(f"The report: {folder}/results/smoke/report/index.html")
    assert {c for c in shown if not c.isprintable()} == {"\n"}


def test_a_failing_step_shows_the_end_of_its_log_and_the_command_that_goes_on(snakemake, capfd):
    folder = snakemake(STEPS, FAILED, code=1)
    (folder / "one.log").write_text("".join(f"line {i}\n" for i in range(99)) + "\x1b[31mred\n")
    assert main(["study", "--tier", "smoke", "--questions", "images", "--seeds", "1"]) == 1
    shown = capfd.readouterr().out
    assert "    line 98\n    \\x1b[31mred\n    log: one.log\n" in shown
    assert "line 50" not in shown
    assert "1 failed: one" in shown
    assert "`make study TIER=smoke QUESTIONS=images SEEDS=1` goes on from here." in shown
    assert "The report" not in shown


def test_a_failing_step_without_a_log_shows_what_snakemake_said_last(snakemake, capfd):
    snakemake(STEPS, FAILED.replace("    log: one.log (check log file(s) for error details)\n", ""), code=1)
    assert main(["study", "--tier", "smoke"]) == 1
    assert "RuleException:" in capfd.readouterr().out


def test_nothing_to_do_is_said_in_words(snakemake, capfd):
    snakemake(
        "Building DAG of jobs...\nNothing to be done (all requested files are present and up to date).\n"
    )
    assert main(["study", "--tier", "smoke"]) == 0
    first, last = capfd.readouterr().out.splitlines()
    assert first == "smoke: nothing to do, everything is up to date."
    assert last.startswith("The report: ")


@pytest.mark.parametrize(
    "words", [["--tier", "huge"], ["--questions", "image"], ["--seeds", "0"], ["--arms", "x"]]
)
def test_a_mistake_in_the_options_is_one_line(snakemake, capfd, words):
    snakemake("never started")
    assert main(["study", *words]) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1


def test_a_mistake_that_the_snakefile_finds_is_that_one_line(snakemake, capfd):
    said = "odestudy: job_limit_min: 0 is not allowed; allowed: a number above 0\n"
    snakemake("Using workflow specific profile profiles/default\n", said, code=1)
    assert main(["study", "--tier", "smoke"]) == 1
    assert capfd.readouterr().out == said


def test_an_early_end_without_a_word_of_ours_shows_the_last_lines_and_the_log(snakemake, capfd):
    snakemake("Traceback\nSyntaxError: here\n", code=1)
    assert main(["study", "--tier", "smoke"]) == 1
    shown = capfd.readouterr().out
    assert "    SyntaxError: here\n    log: results/smoke/logs/snakemake-" in shown


def test_verbose_shows_snakemakes_own_output_and_keeps_no_log(snakemake, capfd):
    folder = snakemake(STEPS, code=3)
    assert main(["study", "--tier", "smoke", "--verbose"]) == 3
    assert capfd.readouterr().out == STEPS
    assert not (folder / "results").exists()


@pytest.mark.parametrize(("ci", "drawn"), [("", True), ("true", False)])
def test_a_terminal_gets_one_line_drawn_anew_and_ci_plain_lines(snakemake, capfd, monkeypatch, ci, drawn):
    snakemake(STEPS, FINISHED)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["study", "--tier", "smoke"]) == 0
    assert ("\r" in capfd.readouterr().out) == drawn


# The command, the step that it runs, and a grandchild; each writes its process's id.
SLEEPER = "import os, subprocess, time; open('pids', 'w').write(f'{os.getpid()} {subprocess.Popen([\"sleep\", \"60\"]).pid}\\n'); time.sleep(60)"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_command_ends_all_that_it_started(study_copy, number):
    code = (
        "import sys; from odestudy.cli import study; from odestudy.cli.main import main;"
        f"study.SNAKEMAKE = (sys.executable, '-c', {SLEEPER!r}); sys.exit(main(['study', '--tier', 'smoke']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=study_copy, env=os.environ, stdout=subprocess.PIPE, text=True
    )
    file, deadline = study_copy / "pids", time.monotonic() + 60
    while not (file.is_file() and file.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(pid) for pid in file.read_text().split()]
    assert all(map(alive, pids))
    process.send_signal(number)
    shown, _ = process.communicate(timeout=60)
    while any(map(alive, pids)) and time.monotonic() < deadline + 60:
        time.sleep(0.05)
    assert not any(map(alive, pids))
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert shown == "Stopped; `make study TIER=smoke` goes on from here.\n"


def read(*texts: str) -> Progress:
    progress = Progress()
    for line in "".join(texts).splitlines():
        progress.take(line)
    return progress


def test_the_time_left_is_the_recorded_work_at_the_pace_so_far(tmp_path):
    jobs = {tmp_path / name: seconds for name, seconds in (("a", 300.0), ("b", 100.0))}
    outlook = Outlook(jobs)
    outlook.update(read(STEPS), now=0.0)  # one step with both jobs, and two others
    whole = 400.0 + 2 * OTHER_S
    assert (outlook.share, outlook.left_s) == pytest.approx((0.0, whole))
    (tmp_path / "a").touch()
    outlook.update(read(STEPS), now=600.0)  # half as fast as recorded
    assert outlook.share == pytest.approx(1 - (whole - 300) / whole, abs=0.02)
    assert outlook.left_s == pytest.approx(2 * (whole - 300), rel=0.1)


def test_metrics_that_were_there_before_do_not_count_as_done(tmp_path):
    old = tmp_path / "a"
    old.touch()
    os.utime(old, (1.0, 1.0))
    outlook = Outlook({old: 300.0})
    outlook.update(read(STEPS), now=0.0)
    outlook.update(read(STEPS), now=1.0)
    assert outlook.left_s > 300


def asked(study, *words):
    """The words of Snakemake's command line that `odestudy study` would start."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    return command._command(study, parser.parse_args(["study", "--tier", study.run, *words]))


def test_several_jobs_share_a_gpu_only_where_that_is_asked_for(root):
    study = load_study(root, "full", {"questions": "images", "seeds": 1})
    alone, shared = asked(study), asked(study, "--gpus", "2", "--gpu-share", "3")
    assert "gpu=1" in alone
    assert not any(word.startswith("gpu_share") for word in alone)
    assert {"gpu=6", "gpu_share=3"} <= set(shared)


def test_fewer_than_one_gpu_or_job_on_it_is_refused(root, capsys):
    study = load_study(root, "smoke")
    for option in ("--gpus", "--gpu-share"):
        for text in ("0", "-1", "two"):
            with pytest.raises(SystemExit):
                asked(study, option, text)
            assert "wanted: a whole number of at least 1" in capsys.readouterr().err


def test_what_comes_first_can_be_run_alone(root):
    study = load_study(root, "full", {"questions": "images", "arms": "resnet1", "seeds": 1})
    words = asked(study, "--first")
    files = [word for word in words if word.startswith("results/full/")]
    assert {file.split("/")[3] for file in files if "/runs/" in file} == {"images_cost", "images_train"}
    assert not any("fashion" in file for file in files)
    assert words[words.index("--scheduler") + 1] == "greedy"  # by others, two jobs outweigh the first
    with pytest.raises(ConfigError, match="first"):
        asked(load_study(root, "smoke", {"questions": "images"}), "--first")
