"""The study at one tier: which questions, experiments and jobs there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from odestudy.errors import ConfigError
from odestudy.runtime.keys import key_of
from odestudy.runtime.registry import task_module
from odestudy.study.batches import Batch, batches_of, jobs_at_a_time
from odestudy.study.claims import Headline, Region, load_claims
from odestudy.study.code import code_hash
from odestudy.study.config import load_checked
from odestudy.study.consistency import check_claims, check_question
from odestudy.study.expansion import Expansion
from odestudy.study.jobs import Job
from odestudy.study.lent import lender
from odestudy.study.order import check_first, priorities_of
from odestudy.study.overrides import chosen_arms, chosen_device, chosen_questions, seed_limit
from odestudy.study.questions import load_question
from odestudy.study.tiers import TIERS, check_tier_names, tier_of
from odestudy.text import meant, one_line


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
        lent: (question, experiment) that this tier drops -> the other published folder that it is shown from.
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
    lent: dict[tuple[str, str], str] = field(default_factory=dict)

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
    def alone(self) -> Study:
        """The study without what other published folders lend it, of which its own ledger is."""
        own = {key: jobs for key, jobs in self.jobs_by.items() if key not in self.lent}
        left = {(q, e): self.tier["questions"][q][e]["drop"] for q, e in self.lent}
        return replace(self, jobs_by=own, dropped=self.dropped | left, lent={})

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
                "lent": [[*key, folder] for key, folder in self.lent.items()],
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


def load_study(root: Path, run: str, overrides: Mapping[str, Any] | None = None) -> Study:
    """Read and check all configuration and expand it to jobs.

    Of a published folder, an experiment that its tier drops is that of another one that has it whole.

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
    jobs_by: dict[tuple[str, str], list[Job]] = {}
    dropped: dict[tuple[str, str], str] = {}
    lent: dict[tuple[str, str], str] = {}
    per_process: dict[tuple[str, str], int] = {}
    by_key: dict[str, Job] = {}
    systems = {name: _with_own_code(name, system) for name, system in systems.items()}
    _check_systems(systems)
    check_claims(claims, headlines, questions)
    for question in questions:
        check_question(question, questions[question])
    expansion = Expansion(
        questions,
        systems,
        settings["job"],
        chosen_device(overrides),
        chosen_arms(overrides.get("arms"), [questions[q] for q in chosen]),
        seed_limit(overrides.get("seeds")),
    )
    for question in chosen:
        for name, experiment in questions[question]["experiments"].items():
            changes = tier["questions"].get(question, {}).get(name, {})
            jobs = expansion.jobs(tier_name, tier, question, name)
            if "drop" in changes:
                jobs_at = partial(expansion.jobs, question=question, name=name)
                found = lender(root, run.removeprefix("shown/"), jobs_at) if run != tier_name else None
                if found is None:
                    dropped[question, name] = changes["drop"]
                    continue
                lent[question, name], jobs = found
            timed = any(job.spec.get("timed") for job in jobs)
            per_process[question, name] = jobs_at_a_time(experiment, changes, tier, timed=timed)
            # The same specification is one job, whatever a second experiment calls it.
            jobs_by[question, name] = [by_key.setdefault(job.key, job) for job in jobs]
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
        lent,
    )


def _sources(root: Path, chosen: list[str]) -> dict[str, dict[str, Any]]:
    """What others report, of the questions that have such a file."""
    files = {q: f"config/sources/{q}.yaml" for q in chosen}
    return {q: load_checked(root, file, "sources") for q, file in files.items() if (root / file).is_file()}


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
            raise ConfigError(f"config/systems.yaml: {name}: {one_line(error)}") from None
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
