"""Gather the wheels that the study needs on a machine without network: python tools/wheels.py --has has.txt wheels

Run by `make wheels`, in the study's own environment, whose packages tell what needs what. Versions are those of
constraints.txt. Torch, torchvision and what they alone need are not gathered: a machine with a GPU has its own build.
What has no wheel is built here, which works for pure Python.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
OF_THE_MACHINE = ("torch", "torchvision")
BUILDS = "setuptools"  # installs the study itself; constraints.txt has no pin of it
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (5, 12, 17, 24, 27, 28)] + [
    "manylinux1_x86_64",
    "manylinux2014_x86_64",
]


def needed(of: str, python: str, apart_from: Iterable[str] = ()) -> set[str]:
    """The packages that a package needs, and what those need; not `apart_from` and what only they need."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    seen: set[str] = set()
    todo = [(of, frozenset[str]())]
    done = set(todo)
    while todo:
        name, extras = todo.pop()
        for text in requires(name) or []:
            wanted = Requirement(text)
            marks = [environment | {"extra": extra} for extra in ("", *extras)]
            found = canonicalize_name(wanted.name)
            if found in apart_from or (wanted.marker and not any(map(wanted.marker.evaluate, marks))):
                continue
            seen.add(found)
            if (one := (found, frozenset(wanted.extras))) not in done:
                done.add(one)
                todo.append(one)
    return seen


def pins(constraints: str) -> dict[str, str]:
    """Package -> name==version, of constraints.txt."""
    lines = [line.strip() for line in constraints.splitlines() if line.strip() and not line.startswith("#")]
    return {canonicalize_name(line.partition("==")[0]): line for line in lines}


def names_in(text: str) -> set[str]:
    """The packages that a text names: separated by commas or blanks, or as `pip freeze` and `pip list` print them."""
    words = (re.split(r"==| ", line.strip())[0] if "," not in line else line for line in text.splitlines())
    return {canonicalize_name(name) for word in words for name in re.findall(r"[A-Za-z0-9][\w.-]*", word)}


def gather(wanted: Iterable[str], pinned: Mapping[str, str], python: str, folder: Path) -> list[str]:
    """Download or build each wheel; the packages that had to be built."""
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    target += [f"--platform={name}" for name in PLATFORMS]
    built = []
    for name in sorted(wanted):
        there = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
        common = ["--no-deps", pinned.get(name, name)]
        if subprocess.run(
            [*there, "download", *target, "-d", str(folder), *common], capture_output=True
        ).returncode:
            subprocess.run([*there, "wheel", "-w", str(folder), *common], check=True)
            built.append(name)
    return built


def main() -> None:
    """Gather, and say what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the wheels go")
    parser.add_argument("--python", default="3.12", help="that machine's Python")
    parser.add_argument(
        "--has", type=Path, help="a file with the names of the packages that it has, as pip list prints"
    )
    parser.add_argument("--without", default="", help="packages to leave out, separated by commas")
    options = parser.parse_args()
    constraints = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    has = names_in(options.has.read_text(encoding="utf-8")) if options.has else set()
    left_out = has | names_in(options.without)
    wanted = (needed("odestudy", options.python, OF_THE_MACHINE) - left_out) | {BUILDS}
    options.folder.mkdir(parents=True, exist_ok=True)
    built = gather(wanted, constraints, options.python, options.folder)
    files = list(options.folder.glob("*.whl"))
    size = sum(file.stat().st_size for file in files) / 2**20
    print(f"{options.folder}: {len(files)} wheels, {size:.1f} MiB; built here: {', '.join(built) or 'none'}")


if __name__ == "__main__":
    main()
