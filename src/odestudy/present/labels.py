"""What arms and systems are called in front of people."""

from __future__ import annotations

from odestudy.plan.study import Study


def labels_of(study: Study) -> dict[str, str]:
    """Name of an entry (arm, system) -> its label."""
    found = {name: entry["label"] for name, entry in study.systems.items()}
    for spec in study.questions.values():
        for entries in spec.get("entries", {}).values():
            found |= {name: entry["label"] for name, entry in entries.items()}
    return found
