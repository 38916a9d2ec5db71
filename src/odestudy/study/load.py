"""The study at one tier: which questions, experiments and jobs there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from odestudy.errors import ConfigError
from odestudy.runtime.keys import key_of
from odestudy.runtime.registry import parameters_of, task_module
from odestudy.study.batches import Batch, batches_of, jobs_at_a_time
from odestudy.study.claims import Headline, Region, load_claims
from odestudy.study.code import code_hash
from odestudy.study.config import load_checked
from odestudy.study.consistency import check_claims, check_question
from odestudy.study.grid import expand
from odestudy.study.jobs import Job
from odestudy.study.order import check_first, priorities_of
from odestudy.study.overrides import chosen_arms, chosen_device, chosen_questions, seed_limit
from odestudy.study.parameters import typed_jobs
from odestudy.study.questions import load_question
from odestudy.study.tiers import check_tier_names, merged_experiment, where_of
from odestudy.text import meant

TIERS = ("smoke", "quick", "cpu", "full")


@dataclass(frozen=True)
class Study:
    """What is run and shown for one tier, or shown of one published folder.

    Attributes:
        run: the folder under results/: a tier's name, or shown/<tier>-<device>.
        settings: config/study.yaml; tier: config/tiers/<tier>.yaml; questions: name -> its YAML, in order.
        jobs_by: (question, experiment) -> jobs.
        dropped: (question, experiment) -> why this tier leaves it out.
        per_process: (question, experiment) -> how many of its jobs one process computes.
        sources: question -> what others report, config/sources/<q>.yaml.
        headlines: claim without the letter of a row -> what it says and which rows judge it.
        margins: question -> the regions that its claims, and its derived tables, name.
    """

    root: Path
    run: str
    settings: dict[str, Any]
    tier: dict[str, Any]
    questions: dict[str, dict[str, Any]]
    claims: list[dict[str, Any]]
    systems: dict[str, dict[str, Any]]
    jobs_by: dict[tuple[str, str], list[Job]]
    dropped: dict[tuple[str, str], str]
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    headlines: dict[str, Headline] = field(default_factory=dict)
    per_process: dict[tuple[str, str], int] = field(default_factory=dict)
    margins: dict[str, dict[str, Region]] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        return self.root / "results" / self.run

    @property
    def tier_name(self) -> str:
        return tier_of(self.run)

    @property
    def published(self) -> bool:
        """True where only existing metrics are shown and nothing is run."""
        return self.run.startswith("shown/")

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """All jobs by folder; a specification that two experiments need is there once."""
        return {job.folder: job for jobs in self.jobs_by.values() for job in jobs}

    @cached_property
    def batches(self) -> list[Batch]:
        """All jobs in the batches that are run, each job in one."""
        priorities = priorities_of(self.jobs_by, self.tier.get("first", []))
        together = self.tier.get("modules_together", False)
        return batches_of(self.jobs_by, self.per_process, priorities, together=together)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that tables, ledger, figures and report read of the configuration."""
        return key_of(
            {
                "run": self.run,
                "settings": self.settings,
                "tier": self.tier,
                "questions": self.questions,
                "claims": self.claims,
                "headlines": {c: h.model_dump() for c, h in self.headlines.items()},
                "margins": {
                    q: {n: m.model_dump() for n, m in named.items()} for q, named in self.margins.items()
                },
                "systems": self.systems,
                "sources": self.sources,
            }
        )

    @cached_property
    def tables(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Table name -> (question, definition)."""
        return {t: (q, d) for q, spec in self.questions.items() for t, d in spec["tables"].items()}

    @cached_property
    def figures(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Figure name -> (question, definition)."""
        return {f: (q, d) for q, spec in self.questions.items() for f, d in spec["figures"].items()}

    def jobs_of(self, question: str, experiments: list[str]) -> list[Job]:
        """The jobs of some experiments of a question; of a published folder, those that are there."""
        jobs = [job for e in experiments for job in self.jobs_by.get((question, e), [])]
        if self.published:
            jobs = [job for job in jobs if job.metrics(self.results).is_file()]
        return list({job.folder: job for job in jobs}.values())

    def code_of(self, job: Job) -> str:
        """The hash of the code that computes a job."""
        return code_hash(task_module(job.task))


def tier_of(run: str) -> str:
    """The tier of a results folder: quick -> quick, shown/quick-cpu -> quick."""
    return run.split("/")[-1].split("-")[0]


def load_study(root: Path, run: str, overrides: Mapping[str, Any] | None = None) -> Study:
    """Read and check all configuration and expand it to jobs.

    Args:
        root: the clone's folder.
        run: a tier, or shown/<tier>-<device>.
        overrides: `questions` and `arms` (names), `seeds` (a number of seeds, at most that many), `device`.

    Raises:
        ConfigError: one line with file, key and what is allowed.
    """
    overrides = dict(overrides or {})
    tier_name = tier_of(run)
    if tier_name not in TIERS:
        raise ConfigError(
            f"tier: unknown tier {tier_name!r}; allowed: {', '.join(TIERS)}{meant(tier_name, TIERS)}"
        )
    settings = load_checked(root, "config/study.yaml", "study")
    tier = load_checked(root, f"config/tiers/{tier_name}.yaml", "tier")
    systems = load_checked(root, "config/systems.yaml", "systems")
    claims, headlines, margins = load_claims(root, settings["questions"])
    questions = {q: load_question(root, q) for q in settings["questions"]}
    check_tier_names(tier, tier_name, questions)
    check_first(tier.get("first", []), questions, f"config/tiers/{tier_name}.yaml")
    chosen = chosen_questions(overrides.get("questions"), settings["questions"])
    common = settings["job"] | tier.get("job", {}) | chosen_device(overrides)
    limit = seed_limit(overrides.get("seeds"))
    arms = chosen_arms(overrides.get("arms"), [questions[q] for q in chosen])
    jobs_by: dict[tuple[str, str], list[Job]] = {}
    dropped: dict[tuple[str, str], str] = {}
    per_process: dict[tuple[str, str], int] = {}
    by_key: dict[str, Job] = {}
    systems = {name: _with_own_code(name, system) for name, system in systems.items()}
    _check_systems(systems)
    check_claims(claims, headlines, questions)
    for question in questions:
        check_question(question, questions[question])
    for question in chosen:
        spec = questions[question]
        entries = dict(spec.get("entries", {})) | {"system": systems}
        for name, experiment in spec["experiments"].items():
            changes = tier["questions"].get(question, {}).get(name, {})
            where = f"config/tiers/{tier_name}.yaml: questions.{question}.{name}"
            if "drop" in changes:
                dropped[question, name] = changes["drop"]
                continue
            merged = merged_experiment(experiment, changes, where)
            timed = bool((common | merged).get("timed"))
            per_process[question, name] = jobs_at_a_time(experiment, changes, tier, timed=timed)
            merged["seeds"] = list(merged.get("seeds", tier["seeds"]))[:limit]
            own = where_of(question, name)
            origin = {axis: where if axis in changes.get("grid", {}) else own for axis in merged["grid"]}
            jobs = expand(common | merged, entries, own, origin)
            jobs = typed_jobs(jobs, parameters_of(question), partial(_origin, changes, own, where))
            # The same specification is one job, whatever a second experiment calls it.
            kept = [job for job in jobs if arms is None or _arm_of(job) in (None, *arms)]
            jobs_by[question, name] = [by_key.setdefault(job.key, job) for job in kept]
    _check_tables(questions)
    return Study(
        root,
        run,
        settings,
        tier,
        {q: questions[q] for q in chosen},
        claims,
        systems,
        jobs_by,
        dropped,
        _sources(root, chosen),
        headlines,
        per_process,
        margins,
    )


def _origin(changes: dict[str, Any], own: str, where: str, parameter: str) -> str:
    """File and key of what sets a parameter: the tier where it does, else the question."""
    set_by_tier = parameter in changes.get("base", {}) or parameter in changes.get("grid", {})
    return where if set_by_tier else own


def _sources(root: Path, chosen: list[str]) -> dict[str, dict[str, Any]]:
    """What others report, of the questions that have such a file."""
    files = {q: f"config/sources/{q}.yaml" for q in chosen}
    return {q: load_checked(root, file, "sources") for q, file in files.items() if (root / file).is_file()}


def _arm_of(job: Job) -> str | None:
    arm = job.spec.get("arm")
    return arm["name"] if isinstance(arm, dict) else None


def _with_own_code(name: str, system: dict[str, Any]) -> dict[str, Any]:
    """A system whose right-hand side is a user's own carries that file's hash, so that a change runs it again."""
    if ".py:" not in system["field"]:
        return system
    from odestudy.systems.own import digest

    try:
        return system | {"code": digest(system["field"])}
    except ValueError as error:
        raise ConfigError(f"config/systems.yaml: {name}: {error}") from None


def _check_systems(systems: dict[str, dict[str, Any]]) -> None:
    """Each right-hand side is evaluated once at its initial state."""
    import numpy as np

    from odestudy.systems.fields import field_of

    for name, system in systems.items():
        try:
            slope = field_of({"name": name, **system})(0.0, np.asarray(system["z0"], dtype=float))
        except Exception as error:  # a function of the user's own may raise anything
            raise ConfigError(f"config/systems.yaml: {name}: {' '.join(str(error).split())}") from None
        if slope.shape != (len(system["z0"]),) or not np.isfinite(slope).all():
            raise ConfigError(
                f"config/systems.yaml: {name}: field {system['field']!r} gives a slope of shape {slope.shape} at z0 of "
                f"{len(system['z0'])} numbers; allowed: as many finite numbers"
            )


def _check_tables(questions: dict[str, dict[str, Any]]) -> None:
    names: set[str] = set()
    for question, spec in questions.items():
        for table, definition in spec["tables"].items():
            if table in names:
                raise ConfigError(
                    f"config/questions/{question}.yaml: tables.{table}: a table of that name exists"
                )
            names.add(table)
            for experiment in definition["experiments"]:
                if experiment not in spec["experiments"]:
                    raise ConfigError(
                        f"config/questions/{question}.yaml: tables.{table}.experiments: unknown experiment "
                        f"{experiment!r}; allowed: {', '.join(spec['experiments'])}"
                    )
