"""From configuration to jobs: what the study consists of, without running anything or importing torch."""

from odestudy.study.config import load_yaml
from odestudy.study.jobs import Job
from odestudy.study.load import Study, load_study

__all__ = ["Job", "Study", "load_study", "load_yaml"]
