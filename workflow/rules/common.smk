import json
import shlex
import sys
from functools import lru_cache

from odestudy.errors import StudyError
from odestudy.runtime.lock import hold_folder, refuse_read_only
from odestudy.measure.device import visible_gpus
from odestudy.runtime.store import is_current
from odestudy.study.code import code_hash
from odestudy.study.forecast import requests
from odestudy.study.overrides import OVERRIDES
from odestudy.study.load import TIERS, load_study
from odestudy.steps import client
from odestudy.steps.server import start_server

ROOT = Path(workflow.basedir)


wildcard_constraints:
    run="|".join([*TIERS, r"published/[A-Za-z0-9_.-]+"]),
    tier="|".join(TIERS),
    question=r"[a-z_]+",


def refuse(error):
    """A user's mistake is one line, not a traceback."""
    sys.exit(f"odestudy: {error}")


def overrides():
    known = {*OVERRIDES, "title", "job", "job_limit_min", "assumed", "shown"}
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
        return load_study(ROOT, run, overrides())
    except StudyError as error:
        refuse(error)


def chosen_tier():
    """The tier to run; all of its configuration is read and checked here, before any job starts."""
    return study(str(config["tier"])).run


@lru_cache(maxsize=None)
def gpus_of_a_job():
    """How many GPUs a job asks the scheduler for (config gpus: auto, always, never)."""
    wanted = config.get("gpus", "auto")
    if wanted not in ("auto", "always", "never"):
        refuse(f"gpus: {wanted!r} is not allowed; allowed: auto, always, never")
    return {"always": 1, "never": 0, "auto": min(1, visible_gpus())}[wanted]


def limit_min():
    """Minutes after which a step is ended, and the rest goes on."""
    limit = config.get("job_limit_min")
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not limit > 0:
        refuse(f"job_limit_min: {limit!r} is not allowed; allowed: a number above 0")
    return limit


@lru_cache(maxsize=None)
def requests_of(run):
    """What each job asks a batch system for."""
    return requests(study(run))


def metrics_of(run, question, experiments):
    found = study(run)
    return [str(job.metrics(Path("results") / run)) for job in found.jobs_of(question, experiments)]


def question_targets(wildcards):
    found = study(wildcards.run)
    spec = found.questions[wildcards.question]
    tables = [f"results/{wildcards.run}/tables/{name}.csv" for name in spec["tables"]]
    return tables + figure_files(wildcards.run, spec["figures"], "svg")


def figure_files(run, figures, kind):
    """A file of each figure, and the GIF of each that moves."""
    moving = [name for name, definition in figures.items() if definition.get("animated")]
    return [f"results/{run}/figures/{name}.{kind}" for name in figures] + [
        f"results/{run}/figures/{name}.gif" for name in moving
    ]


wildcard_constraints:
    table="|".join(study(str(config["tier"])).tables),
    figure="|".join(study(str(config["tier"])).figures),


# One step of the work: of this run's server, where this is the process that the user started; a job that a batch system
# started elsewhere is a process of its own.
STEP = " ".join(
    [
        *(shlex.quote(word) for word in (sys.executable, "-I", "-S", client.__file__)),
        "here" if workflow.is_main_process else "fresh",
        str(60.0 * limit_min()),
        "{log:q} {params.request:q}",
    ]
)


def request(step, name=None):
    """What odestudy.steps.take is to do, for a rule with the wildcard {run}."""

    def asked(wildcards):
        content = {"step": step, "run": wildcards.run, "overrides": overrides()}
        return json.dumps(content | ({"name": wildcards[name]} if name else {}))

    return asked


# What only gathers and draws takes seconds: it runs beside Snakemake and not as a job of a batch system.
localrules:
    all,
    question,
    table,
    jobs_table,
    ledger,
    figure,
    animation,
    report,
    manifest,


# Two runs in one folder would write the same files: the second one is refused, as long as the first one lives.
onstart:
    hold_folder(Path())
    refuse_read_only(Path("results"))
    start_server()
    warning = study(str(config["tier"])).tier.get("without_gpu")
    if warning and not visible_gpus():
        print(f"odestudy: tier {config['tier']} without a GPU: {warning}", file=sys.stderr)
