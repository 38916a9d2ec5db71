"""Pictures in a page take little room and stay the same pictures."""

from __future__ import annotations

import base64
import gzip
import re
from urllib.parse import unquote

import matplotlib.pyplot as plt
import numpy as np
import pytest

from odestudy.report.embedded import compact_pictures, small_svg


@pytest.fixture(scope="module")
def svg(tmp_path_factory):
    path = tmp_path_factory.mktemp("svg") / "curve.svg"
    fig, ax = plt.subplots()
    ax.plot(np.linspace(0, 1, 300), np.sin(np.linspace(0, 9, 300)), label="it's a sine")
    ax.legend()
    fig.savefig(path)
    plt.close(fig)
    return path.read_text(encoding="utf-8")


def page(svg, more=""):
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<p>before</p><img id="a"{more} src="data:image/svg+xml;base64,{data}" alt="a curve" /><p>after</p>'
    )


def numbers(text):
    return [
        float(x) for d in re.findall(r' d=["\']([^"\']*)', text) for x in re.findall(r"-?\d+(?:\.\d+)?", d)
    ]


def test_an_svg_keeps_every_length_to_a_hundredth_of_a_point(svg):
    small = small_svg(svg)
    assert len(small) < 0.8 * len(svg)
    before, after = numbers(svg), numbers(small)
    assert len(before) == len(after) > 500
    assert np.abs(np.subtract(before, after)).max() <= 0.00501
    assert small.count("<use") == svg.count("<use")
    assert re.findall(r"scale\([^)]*\)", small) == re.findall(r"scale\([^)]*\)", svg)


def test_every_reference_inside_an_svg_still_leads_somewhere(svg):
    small = small_svg(svg)
    ids = set(re.findall(r' id="([^"]*)"', small))
    wanted = set(re.findall(r'href="#([^"]*)"', small)) | set(re.findall(r"url\(#([^)]*)\)", small))
    assert wanted
    assert wanted <= ids


def test_a_picture_in_sight_stays_readable_without_scripts(svg):
    made = compact_pictures(page(svg))
    source = re.search(r'src="data:image/svg\+xml,([^"]*)"', made).group(1)
    assert unquote(source).replace("'", '"') == small_svg(svg).replace("'", '"')
    assert "#" not in source
    assert made.startswith("<p>before</p><img")
    assert made.endswith('alt="a curve" /><p>after</p>')


def test_a_picture_of_the_appendix_is_packed_and_holds_its_place(svg):
    made = compact_pictures(page(svg, ' loading="lazy"'))
    packed = re.search(r'data-packed="([^"]*)"', made).group(1)
    assert gzip.decompress(base64.b64decode(packed)).decode() == small_svg(svg)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    assert f"viewBox='0 0 {box[0]} {box[1]}'" in made
    assert len(made) < 0.5 * len(page(svg))


def test_other_pictures_and_text_stay_as_they_are():
    text = '<img src="data:image/png;base64,AAAA"><a href="x.svg">data:image/svg+xml;base64,AAAA</a>'
    assert compact_pictures(text) == text
