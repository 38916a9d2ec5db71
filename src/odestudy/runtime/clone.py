"""The folder of the study, found from inside it; apart from odestudy.study, so that tasks do not depend on planning."""

from __future__ import annotations

from pathlib import Path

from odestudy.errors import ConfigError


def project_root(start: Path | None = None) -> Path:
    """The folder that holds config/study.yaml, at or above `start`.

    Raises:
        ConfigError: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "config" / "study.yaml").is_file():
            return folder
    raise ConfigError(f"{here}: no config/study.yaml here or above; run odestudy inside a clone of the study")
