"""From configuration to jobs: what the study consists of, without running anything or importing torch."""

from odestudy.plan.config import load_yaml
from odestudy.plan.jobs import Job
from odestudy.plan.study import Study, load_study

__all__ = ["Job", "Study", "load_study", "load_yaml"]
