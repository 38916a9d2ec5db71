"""Image data sets as tensors: digits (embedded in scikit-learn), MNIST, Fashion-MNIST."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor

from odestudy.datasets.embedded import embedded_table
from odestudy.errors import DataError

FOLDER_VARIABLE = "ODESTUDY_DATA"
DIGITS_SHA256 = "30aa855cd90427ff3c4996b3f40109597c57049f8a038cc52db1efeac8ad2e26"


@dataclass(frozen=True)
class Images:
    """Standardised images (n, 1, h, w) and classes (n,), int64, in three disjoint parts."""

    train: tuple[Tensor, Tensor]
    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


@dataclass(frozen=True)
class OfficialFiles:
    """Names and MD5 sums of the four files of a data set in MNIST's format."""

    title: str
    sums: dict[str, str]


MNIST = OfficialFiles(
    "MNIST",
    {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
)
FASHION = OfficialFiles(
    "FashionMNIST",
    {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
)


def data_folder() -> Path:
    """Where downloads go: ODESTUDY_DATA, or data/ of the current folder."""
    return Path(os.environ.get(FOLDER_VARIABLE) or "data").expanduser()


def load_images(
    name: str, *, train_size: int | None, split_seed: int = 0, dtype: torch.dtype = torch.float32
) -> Images:
    """One data set, its official training part split into training and validation.

    Args:
        name: digits, mnist or fashion.
        train_size: at most so many training images, chosen by `split_seed`; None for all.
        split_seed: the same for all seeds and arms, so that runs are paired.

    Raises:
        DataError: a file is missing or damaged, and how to mend it.
        ValueError: unknown name.
    """
    if name not in LOADERS:
        raise ValueError(f"data set {name!r}; allowed: {', '.join(LOADERS)}")
    (x, y), (x_test, y_test), validation_size = LOADERS[name]()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(split_seed))
    held, used = order[:validation_size], order[validation_size:][:train_size]
    mean, std = x[used].mean(), x[used].std()

    def part(images: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        return ((images - mean) / std).to(dtype), classes

    return Images(part(x[used], y[used]), part(x[held], y[held]), part(x_test, y_test))


Part = tuple[Tensor, Tensor]


def _digits() -> tuple[Part, Part, int]:
    # scikit-learn's own file, read without importing scikit-learn, which takes a second of every job.
    rows = embedded_table("sklearn", "scikit-learn", "datasets/data/digits.csv.gz", DIGITS_SHA256)
    x = torch.from_numpy(rows[:, :-1].reshape(-1, 1, 8, 8).astype(np.float32) / 16)
    y = torch.from_numpy(rows[:, -1].astype(np.int64))
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(12345))
    test, rest = order[:360], order[360:]
    return (x[rest], y[rest]), (x[test], y[test]), 360


def _torchvision(files: OfficialFiles) -> tuple[Part, Part, int]:
    from odestudy.datasets.torchvision_shim import import_torchvision

    folder = data_folder()
    raw = folder / files.title / "raw"
    kind = getattr(import_torchvision().datasets, files.title)
    parts = []
    with _alone(folder):
        _refuse_damaged(raw, files)
        _forget_unpacked(raw, files)
        for train in (True, False):
            try:
                data = kind(str(folder), train=train, download=True)
            except (RuntimeError, URLError, OSError) as error:
                raise DataError(_how_to_get(files, raw, error)) from None
            parts.append((data.data.float().div(255)[:, None], data.targets.long()))
    return parts[0], parts[1], 5000


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Jobs that start together must not download or unpack the same file at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written ({error.strerror}); name another in {FOLDER_VARIABLE}"
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _how_to_get(files: OfficialFiles, raw: Path, error: Exception) -> str:
    missing = [name for name in files.sums if not (raw / name).is_file()]
    return (
        f"{files.title}: could not be downloaded ({' '.join(str(error).split())[:120]}); without network put the "
        f"four official files {', '.join(files.sums)} into {raw} (missing there: {', '.join(missing) or 'none'}), "
        f"or name the folder above {files.title}/raw in {FOLDER_VARIABLE}"
    )


def _refuse_damaged(raw: Path, files: OfficialFiles) -> None:
    for name, wanted in files.sums.items():
        path = raw / name
        if path.is_file():
            found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            if found != wanted:
                raise DataError(
                    f"{path}: damaged: MD5 {found}, expected {wanted}; delete the file and run again with network, "
                    f"or put the official one there"
                )


def _forget_unpacked(raw: Path, files: OfficialFiles) -> None:
    """Unpacked copies are not checked by torchvision; where the packed file is there, it is unpacked anew."""
    for name in files.sums:
        unpacked = raw / name.removesuffix(".gz")
        if (raw / name).is_file():
            unpacked.unlink(missing_ok=True)


LOADERS: dict[str, Callable[[], tuple[Part, Part, int]]] = {
    "digits": _digits,
    "mnist": lambda: _torchvision(MNIST),
    "fashion": lambda: _torchvision(FASHION),
}
