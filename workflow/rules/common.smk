import os
import sys
from functools import lru_cache

import snakemake.persistence

from odestudy.analysis.reachable import check_rules
from odestudy.errors import StudyError
from odestudy.measure.device import SHARE, visible_gpus
from odestudy.publication.manifest import NAME
from odestudy.runtime.lock import hold_folder, refuse_read_only
from odestudy.runtime.orphan import RUN
from odestudy.runtime.registry import derived_module, figure_module
from odestudy.study.code import code_hash
from odestudy.study.fingerprints import ledger_numbers, numbers_of, words_of
from odestudy.study.forecast import expectations, request_of
from odestudy.study.overrides import OVERRIDES
from odestudy.study.load import load_study
from odestudy.study.planned import rules_of_jobs
from odestudy.study.tiers import TIERS

# Of the Snakefile that was called: the one at the top, or workflow/Snakefile.
BASE = Path(workflow.basedir)
ROOT = BASE.parent if BASE.name == "workflow" else BASE
os.environ[RUN] = str(os.getpid())  # scripts end when this process does


wildcard_constraints:
    run="|".join([*TIERS, r"shown/[A-Za-z0-9_.-]+"]),
    tier="|".join(TIERS),
    question=r"[a-z_]+",


def refuse(error):
    """A user's mistake is one line, not a traceback."""
    sys.exit(f"odestudy: {error}")


def overrides():
    known = {*OVERRIDES, "title", "job", "job_limit_min", "assumed", "shown", "documents"}
    unknown = set(config) - known
    if unknown:
        refuse(f"--config {sorted(unknown)[0]}: unknown key; allowed: {', '.join(OVERRIDES)}")
    return {key: config[key] for key in ("arms", "seeds", "device") if key in config} | {
        "questions": chosen_questions()
    }


def chosen_questions():
    """Names given with --config; the configured list itself means all."""
    questions = config.get("questions")
    return None if isinstance(questions, list) and len(questions) > 1 else questions


@lru_cache(maxsize=None)
def study(run):
    try:
        found = load_study(ROOT, run, overrides())
        if found.published and not (found.results / NAME).is_file():
            folder = run.replace("shown/", "results/published/")
            refuse(f"results/{run} is not laid out yet: `odestudy report {folder}` does that")
        if run in TIERS and not any(overrides().values()):
            check_rules(found)
        return found
    except StudyError as error:
        refuse(error)


def chosen_tier():
    """The tier to run; all of its configuration is read and checked here, before any job starts."""
    return study(str(config["tier"])).run


def tiers_with_jobs():
    """The tier to run, and those of files that were asked for by name."""
    named = [tier for tier in TIERS if any(word.startswith(f"results/{tier}/") for word in sys.argv)]
    return dict.fromkeys([chosen_tier(), *named])


def gpu_share():
    """How many jobs may use one GPU at a time (config gpu_share)."""
    share = config.get("gpu_share", 1)
    if not isinstance(share, int) or isinstance(share, bool) or share < 1:
        refuse(f"gpu_share: {share!r} is not allowed; allowed: a whole number of at least 1")
    return share


@lru_cache(maxsize=None)
def asks_for_gpus():
    """Whether jobs ask the scheduler for a GPU (config gpus: auto, always, never)."""
    wanted = config.get("gpus", "auto")
    if wanted not in ("auto", "always", "never"):
        refuse(f"gpus: {wanted!r} is not allowed; allowed: auto, always, never")
    return {"always": True, "never": False, "auto": visible_gpus() > 0}[wanted]


def gpu_places(batch):
    """How many of the gpu_share places of a GPU a batch asks for: one, and where it measures time, all of them."""
    if batch.device == "cpu" or not asks_for_gpus():
        return 0
    return gpu_share() if batch.timed else 1


def check_limit():
    """Refuse a time limit that is none; scripts read it from the configuration, since it changes no result."""
    limit = config.get("job_limit_min")
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not limit > 0:
        refuse(f"job_limit_min: {limit!r} is not allowed; allowed: a number above 0")


def of_study(wildcards):
    """What a script needs to read the study."""
    return {"run": wildcards.run, "overrides": overrides()}


def numbers_fingerprint(question):
    """A params function: a hash of the configuration that the numbers of a question's tables depend on."""
    return lambda wildcards: numbers_of(study(wildcards.run), question)


def ledger_fingerprint(wildcards):
    """A hash of the configuration that the verdicts depend on."""
    return ledger_numbers(study(wildcards.run))


def words_fingerprint(question):
    """A params function: a hash of the configuration that the figures of a question show beside their tables."""
    return lambda wildcards: words_of(study(wildcards.run), question)


def report_fingerprint(wildcards):
    """A hash of the configuration that the report depends on."""
    return study(wildcards.run).fingerprint


def files_behind(question, part, key, name):
    """An input function: a file of each job that the tables or the figures of a question say they need.

    Of a published folder, of those that have it.
    """

    def found(wildcards):
        shown = study(wildcards.run)
        needs = [e for about in shown.questions[question][part].values() for e in about.get(key, [])]
        results = Path("results") / shown.run
        files = [
            job.metrics(results).with_name(name)
            for job in shown.jobs_of(question, list(dict.fromkeys(needs)))
        ]
        return [str(file) for file in files if not shown.published or (ROOT / file).is_file()]

    return found


def batches_behind(question):
    """An input function: that each batch of a question went well; of what is only shown nothing.

    Snakemake's own memory tells of metrics that are old or were edited, but only in the folder where they were computed.
    """

    def found(wildcards):
        shown = study(wildcards.run)
        batches = [] if shown.published else shown.batches
        return [f"results/{shown.run}/done/{batch.name}" for batch in batches if batch.question == question]

    return found


def every_metrics(wildcards):
    """The metrics of all jobs; of a published folder, of those that are there."""
    shown = study(wildcards.run)
    files = [job.metrics(Path("results") / shown.run) for job in shown.jobs.values()]
    return [str(file) for file in files if not shown.published or (ROOT / file).is_file()]


def figures_code(question):
    """A params function: the hash of the code that draws the figures of a question."""
    modules = [figure_module(name) for name in study(chosen_tier()).questions[question]["figures"]]
    return lambda wildcards: code_hash(*modules, "odestudy.figures.base")


def tables_code(question):
    """A params function: the hash of the code that gathers the tables of a question."""
    own = derived_module(question)
    return lambda wildcards: code_hash(
        "odestudy.analysis.tables", "odestudy.analysis.csvs", *([own] if own else [])
    )


# Which tables and figures there are is the same in all tiers.
def tables_of(question):
    """The tables of a question and their summaries, as {run} has them."""
    tables = study(chosen_tier()).questions[question]["tables"]
    return [f"results/{{run}}/tables/{name}{end}.csv" for name in tables for end in ("", "_summary")]


def figures_of(question, *kinds):
    """Files of the figures of a question, and the GIF of each that moves, as {run} has them."""
    figures = study(chosen_tier()).questions[question]["figures"]
    moving = [
        f"results/{{run}}/figures/{name}.gif" for name, about in figures.items() if about.get("animated")
    ]
    return [f"results/{{run}}/figures/{name}.{kind}" for name in figures for kind in kinds] + moving


def other_ledgers(wildcards):
    """What a published study is judged beside: the ledgers of all that are published; nothing for an own run."""
    published = sorted((ROOT / "results/published").glob("*/ledger.csv"))
    return [str(path.relative_to(ROOT)) for path in published] if study(wildcards.run).published else []


def all_of(files, *what):
    """The files of all questions, as {run} has them."""
    return [file for question in study(chosen_tier()).questions for file in files(question, *what)]


check_limit()
os.environ[SHARE] = str(gpu_share())


localrules:
    all,
    question,


# Two runs in one folder would write the same files: the second one is refused, as long as the first one lives.
onstart:
    hold_folder(Path())
    refuse_read_only(Path("results"))
    # Snakemake's limit on submissions (100 a second) wakes its scheduler a second after each of its passes, in a chain
    # for each job that ended: ten passes a second in the middle of a run. On one machine the cores are limit enough.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    warning = study(str(config["tier"])).tier.get("without_gpu")
    if warning and not visible_gpus():
        print(f"odestudy: tier {config['tier']} without a GPU: {warning}", file=sys.stderr)
