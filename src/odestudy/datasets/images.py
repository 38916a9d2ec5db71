"""Image data sets as tensors: digits (embedded in scikit-learn), MNIST, Fashion-MNIST."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from odestudy.datasets.embedded import embedded_table
from odestudy.datasets.torchvision_shim import import_torchvision
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
    """The four files of a data set in MNIST's format: where they are, and their MD5 sums, images before their classes."""

    title: str
    address: str
    sums: dict[str, str]


MNIST = OfficialFiles(
    "MNIST",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
)
FASHION = OfficialFiles(
    "FashionMNIST",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
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


def _official(files: OfficialFiles) -> tuple[Part, Part, int]:
    x, y, x_test, y_test = map(_read, _fetch(files, data_folder() / files.title / "raw"))
    train, test = (
        (images.float().div(255)[:, None], classes.long()) for images, classes in ((x, y), (x_test, y_test))
    )
    return train, test, 5000


def _read(path: Path) -> Tensor:
    """Images (n, 28, 28) or classes (n,), uint8, of a packed file in MNIST's format."""
    mnist = import_torchvision().datasets.mnist
    with tempfile.NamedTemporaryFile() as unpacked:  # the data's folder may be one that cannot be written
        unpacked.write(gzip.decompress(path.read_bytes()))
        unpacked.flush()
        return mnist.read_sn3_pascalvincent_tensor(unpacked.name)


def _fetch(files: OfficialFiles, raw: Path) -> list[Path]:
    """The files in their folder, downloaded where they are missing or damaged, in the order of their sums."""
    import pooch
    from requests.exceptions import RequestException

    pooch.get_logger().setLevel("WARNING")
    sums = {name: f"md5:{value}" for name, value in files.sums.items()}
    store = pooch.create(raw, files.address, registry=sums)
    straight = pooch.HTTPDownloader(allow_redirects=False)  # to no address that is not over https
    try:
        return [Path(store.fetch(name, downloader=straight)) for name in sums]
    except (RequestException, ValueError, OSError) as error:
        raise DataError(_how_to_get(files, raw, error)) from None


def _how_to_get(files: OfficialFiles, raw: Path, error: Exception) -> str:
    from pooch import file_hash

    there = [name for name in files.sums if (raw / name).is_file()]
    missing = [name for name in files.sums if name not in there]
    damaged = [
        f"{name}, of which the MD5 sum is not {files.sums[name]}"
        for name in there
        if file_hash(str(raw / name), alg="md5") != files.sums[name]
    ]
    return (
        f"{files.title}: could not be downloaded ({' '.join(str(error).split())[:120]}); without network put the "
        f"four official files {', '.join(files.sums)} into {raw} (missing there: {', '.join(missing) or 'none'}; "
        f"damaged there: {'; '.join(damaged) or 'none'}), or name the folder above {files.title}/raw in {FOLDER_VARIABLE}"
    )


LOADERS: dict[str, Callable[[], tuple[Part, Part, int]]] = {
    "digits": _digits,
    "mnist": lambda: _official(MNIST),
    "fashion": lambda: _official(FASHION),
}
