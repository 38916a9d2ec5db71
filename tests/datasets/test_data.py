"""Data sets: checksums, https, clear words without network."""

from __future__ import annotations

import gzip
import hashlib
import shutil

import numpy as np
import pytest
import requests
import torch

from odestudy.datasets.embedded import embedded_table
from odestudy.datasets.images import FASHION, MNIST, _fetch, load_images
from odestudy.errors import DataError


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(requests, "get", refuse)


@pytest.fixture
def folder(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("ODESTUDY_DATA", str(tmp_path))
    return tmp_path


def test_digits_are_three_disjoint_parts_in_a_fixed_order():
    data = load_images("digits", train_size=None)
    sizes = [len(part[1]) for part in (data.train, data.validation, data.test)]
    assert sizes == [1077, 360, 360]
    flat = torch.cat([part[0].flatten(1) for part in (data.train, data.validation, data.test)])
    assert len(torch.unique(flat, dim=0)) == len(flat) == 1797
    assert data.train[0].mean().abs() < 1e-5
    assert torch.equal(load_images("digits", train_size=100).train[1], data.train[1][:100])


def test_the_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    data = load_images("digits", train_size=None)
    parts = (data.train, data.validation, data.test)
    assert sorted(torch.cat([p[1] for p in parts]).tolist()) == sorted(bunch.target.tolist())
    flat = torch.cat([p[0].flatten(1) for p in parts])
    blank = flat.min()
    sums = ((flat - blank) / (flat.max() - blank) * 16).sum(1).round()
    assert sorted(sums.tolist()) == sorted(bunch.images.reshape(len(bunch.images), -1).sum(1).tolist())


def test_mnist_is_read_from_the_official_files(folder, mnist_files):
    shutil.copytree(mnist_files, folder / "MNIST/raw")
    data = load_images("mnist", train_size=12000)
    assert data.train[0].shape == (12000, 1, 28, 28)
    assert len(data.validation[1]) == 5000
    assert len(data.test[1]) == 10000
    assert data.test[1][:5].tolist() == [7, 2, 1, 0, 4]


def test_a_missing_data_set_without_network_names_the_four_files_and_the_variable(folder):
    with pytest.raises(DataError) as caught:
        load_images("mnist", train_size=None)
    message = str(caught.value)
    for word in [*MNIST.sums, "ODESTUDY_DATA", str(folder / "MNIST/raw")]:
        assert word in message
    assert "\n" not in message


def test_a_damaged_file_is_named_with_its_expected_checksum(folder):
    raw = folder / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    name = "train-images-idx3-ubyte.gz"
    (raw / name).write_bytes(b"not it")
    with pytest.raises(DataError, match=f"damaged there: {name}.*{FASHION.sums[name]}"):
        load_images("fashion", train_size=None)


class Answer:
    """What a server says: a status and bytes."""

    def __init__(self, status, content):
        self.status_code, self.content, self.headers = status, content, {}

    def raise_for_status(self):
        if self.status_code >= 400:
            raise requests.HTTPError(str(self.status_code))

    def iter_content(self, chunk_size):
        yield self.content

    def close(self):
        pass


@pytest.mark.parametrize("files", [MNIST, FASHION])
@pytest.mark.parametrize("status", [200, 301, 404])
def test_a_download_is_over_https_to_one_place_and_what_is_not_the_file_is_not_kept(
    tmp_path, monkeypatch, files, status
):
    asked = []

    def answer(url, **words):
        asked.append((url, words["allow_redirects"]))
        return Answer(status, b"something else")

    monkeypatch.setattr(requests, "get", answer)
    with pytest.raises(DataError, match="could not be downloaded"):
        _fetch(files, tmp_path)
    assert asked == [(files.address + next(iter(files.sums)), False)]
    assert asked[0][0].startswith("https://")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with one table of two rows, and how to read it."""
    folder = tmp_path / "of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "table.csv.gz").write_bytes(gzip.compress(b"1,2.5\n3,4\n"))
    monkeypatch.syspath_prepend(tmp_path)
    digest = hashlib.sha256(np.array([1, 2.5, 3, 4], dtype="<f8").tobytes()).hexdigest()
    return folder / "table.csv.gz", lambda: embedded_table("of_a_test", "of-a-test", "table.csv.gz", digest)


def test_an_embedded_table_is_read_where_its_checksum_is_right(package):
    assert package[1]().tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize(
    "content",
    [None, b"", b"junk", gzip.compress(b"1,2.5\n3,4\n")[:-9], gzip.compress(b"1,2.5\n"), gzip.compress(b"1,2\n3\n")],
    ids=["missing", "empty", "junk", "truncated", "of one row", "of rows of several lengths"],
)  # fmt: skip
def test_a_damaged_or_truncated_embedded_table_is_refused_in_one_line(package, content):
    path, read = package
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match="pip install --force-reinstall") as caught:
        read()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(ValueError, match="digits, mnist, fashion"):
        load_images("cifar", train_size=None)
