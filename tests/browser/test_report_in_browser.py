"""The report as a browser shows it: no error, nothing from outside, nothing clipped on a phone."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import axe_core_python
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from odestudy.analysis.values import number

pytestmark = [pytest.mark.browser, pytest.mark.dag]


@pytest.fixture(scope="module")
def browser():
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no chromium and chromedriver on this machine (Debian: chromium, chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as opened:
        opened.set_script_timeout(120)  # axe looks at every cell of long tables
        yield opened


@pytest.fixture(scope="module")
def opened(browser, smoke):
    browser.set_window_size(1280, 900)
    browser.get((smoke / "results/smoke/report/index.html").as_uri())
    return browser


def test_the_console_shows_no_error(opened):
    assert [entry for entry in opened.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_nothing_is_requested_from_outside(opened):
    requests = opened.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [r for r in requests if not r.startswith(("data:", "file:", "blob:file:", "blob:null"))] == []


def test_every_figure_is_visible_and_described(opened):
    sizes = opened.execute_script(
        "return [...document.querySelectorAll('.answer:not(.explored) img, figure img:not([loading])')]"
        ".map(i => [i.naturalWidth, i.clientHeight, i.alt.length])"
    )
    assert len(sizes) >= 6
    later = opened.execute_script(
        "return [...document.querySelectorAll('figure img[loading]')].map(i => i.alt.length)"
    )
    assert later
    assert min(later) > 20
    assert all(width > 100 and height > 50 and alt > 20 for width, height, alt in sizes), sizes


def test_a_value_with_its_interval_is_said_at_the_pointer_and_by_the_arrow_keys(opened):
    from selenium.webdriver.common.keys import Keys

    panel = opened.find_element("css selector", ".explore .panel")
    canvas = panel.find_element("css selector", "canvas")
    shown = "const chart = Chart.getChart(arguments[0]); return chart.data.datasets.flatMap(d => d.data.map(x => x.point.said))"
    values = opened.execute_script(shown, canvas)
    canvas.send_keys(Keys.ARROW_RIGHT)
    said = panel.find_element("css selector", "output").get_attribute("textContent")
    assert values[0] in said
    tip = "const chart = Chart.getChart(arguments[0]); return chart.tooltip.body.flatMap(b => b.lines)"
    assert values[0] in opened.execute_script(tip, canvas)[0]
    canvas.send_keys(Keys.TAB)


def test_an_entry_of_a_legend_hides_its_series_and_shows_it_again(opened):
    panel = next(
        p
        for p in opened.find_elements("css selector", ".explore .panel")
        if p.find_elements("css selector", ".legend")
    )
    entry, canvas = (
        panel.find_element("css selector", ".legend button"),
        panel.find_element("css selector", "canvas"),
    )
    visible = "return Chart.getChart(arguments[0]).isDatasetVisible(0)"
    for state in (False, True):
        opened.execute_script("arguments[0].click()", entry)
        assert opened.execute_script(visible, canvas) == state
        assert entry.get_attribute("aria-pressed") == str(state).lower()


def test_bars_stand_by_size_and_one_that_is_hidden_leaves_no_empty_row(opened):
    rows = "return Chart.getChart(arguments[0]).data.labels"
    shown = (
        "const chart = Chart.getChart(arguments[0]); return chart.data.datasets.flatMap((d, i) => chart.isDatasetVisible(i)"
        " ? d.data : []).sort((a, b) => a.x - b.x).map(d => d.y)"
    )
    several = 0
    for panel in opened.find_elements("css selector", ".explore .panel"):
        canvas = panel.find_element("css selector", "canvas")
        if opened.execute_script("return Chart.getChart(arguments[0]).options.panel.kind", canvas) == "lines":
            continue
        whole = opened.execute_script(rows, canvas)
        assert whole == opened.execute_script(shown, canvas) != []
        for entry in panel.find_elements("css selector", ".legend button"):
            several += 1
            opened.execute_script("arguments[0].click()", entry)
            left = opened.execute_script(rows, canvas)
            assert left == opened.execute_script(shown, canvas) != whole
            opened.execute_script("arguments[0].click()", entry)
            assert opened.execute_script(rows, canvas) == whole
    assert several


def test_without_scripts_the_pictures_themselves_stand_there(opened):
    address = opened.current_url
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    opened.get(address)
    whole = opened.execute_cdp_cmd("DOM.getDocument", {})["root"]["nodeId"]
    found = opened.execute_cdp_cmd("DOM.querySelectorAll", {"nodeId": whole, "selector": ".answer img"})
    boxes = [opened.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": n})["model"] for n in found["nodeIds"]]
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    opened.get(address)
    assert len(boxes) == 6
    assert all(box["height"] > 50 and box["width"] > 200 for box in boxes)


def test_the_pictures_of_the_appendix_are_unpacked_and_show(opened):
    opened.execute_script(
        "document.querySelectorAll('details').forEach(d => (d.open = true));"
        "document.querySelectorAll('figure img[loading]').forEach(i => (i.loading = 'eager'))"
    )
    opened.execute_async_script("setTimeout(arguments[0], 3000)")
    found = opened.execute_script(
        "return [...document.querySelectorAll('figure img[loading]')].map("
        "i => [i.src.slice(0, 5), i.hasAttribute('data-packed'), i.naturalWidth, i.clientHeight])"
    )
    opened.execute_script(
        "document.querySelectorAll('details').forEach(d => (d.open = false)); scrollTo(0, 0)"
    )
    assert found
    assert all(
        (kind, packed) == ("blob:", False) and width > 100 and height > 50
        for kind, packed, width, height in found
    ), found


def test_a_print_has_no_half_empty_page_and_leaves_out_what_is_folded(opened, tmp_path):
    if shutil.which("pdftoppm") is None:
        pytest.skip("no pdftoppm on this machine (Debian: poppler-utils)")
    folded = opened.execute_script("return document.querySelectorAll('details:not([open])').length")
    assert folded > 5
    made = opened.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    (tmp_path / "print.pdf").write_bytes(base64.b64decode(made["data"]))
    subprocess.run(["pdftoppm", "-r", "20", "-gray", "-png", "print.pdf", "page"], cwd=tmp_path, check=True)
    pages = sorted(tmp_path.glob("page-*.png"))
    filled = [
        1 - np.flatnonzero((plt.imread(p) < 0.8).any(axis=1))[::-1][0] / len(plt.imread(p)) for p in pages
    ]
    assert 5 < len(pages) < 100
    assert max(filled[:-1]) < 0.5, f"empty at the end of each page: {filled}"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(opened, width):
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    scroll, inner = opened.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert (scroll <= inner, inner) == (True, width), f"{scroll} wide in {inner}"


def test_the_answers_come_first_with_a_picture_each_then_a_line_for_every_claim(opened):
    heads = opened.execute_script("return [...document.querySelectorAll('main h1')].map(h => h.textContent)")
    assert heads[:2] == ["The answers", "The claims, one line each"]
    assert heads[-1] == "Appendix"
    count = "return document.querySelectorAll(arguments[0]).length"
    assert opened.execute_script(count, ".answer img") == 6
    assert opened.execute_script(count, ".overview tbody tr") == 31


def test_the_appendix_is_folded_until_a_link_leads_into_it(opened):
    folded = "return document.querySelectorAll('#appendix details[open]').length"
    assert opened.execute_script(folded) == 0
    opened.execute_script("location.hash = document.querySelector('.overview a').hash")
    opened.execute_async_script("setTimeout(arguments[0], 300)")
    assert opened.execute_script(folded) == 1
    opened.execute_script("document.querySelectorAll('#appendix details').forEach(d => (d.open = true))")


def ledger(opened):
    """The table of decided claims with its toolbar."""
    return opened.find_element("css selector", ".ledger")


def shown_rows(opened) -> list[str]:
    script = "return [...arguments[0].querySelectorAll('tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    return opened.execute_script(script, ledger(opened))


def control(opened, name: str):
    """A control of the claims' toolbar, found by its label as a reader finds it."""
    return ledger(opened).find_element("xpath", f".//div[@class='tools']//label[span='{name}']/*[2]")


def test_claims_are_filtered_by_words_and_by_verdict(opened):
    from selenium.webdriver.support.ui import Select

    everything = shown_rows(opened)
    control(opened, "Filter").send_keys(everything[1].lower())
    assert shown_rows(opened) == [everything[1]]
    control(opened, "Filter").clear()
    control(opened, "Filter").send_keys(" ")
    verdict = Select(control(opened, "Verdict"))
    counts = []
    for option in [o.text for o in verdict.options][1:]:
        verdict.select_by_visible_text(option)
        counts.append(len(shown_rows(opened)))
    verdict.select_by_visible_text("all")
    assert all(counts)
    assert sum(counts) == len(everything) == len(shown_rows(opened))


def test_claims_are_sorted_by_a_click_on_the_heading_and_by_the_keyboard(opened):
    from selenium.webdriver.common.keys import Keys

    given = shown_rows(opened)
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    heading = ledger(opened).find_element("css selector", "th button.sort")
    heading.click()
    heading.send_keys(Keys.ENTER)
    assert shown_rows(opened) == sorted(given, reverse=True)
    cell = ledger(opened).find_element("css selector", "th")
    assert cell.get_attribute("aria-sort") == "descending"


def test_numbers_sort_by_value_whatever_their_notation(opened):
    from selenium.webdriver.support.ui import Select

    opened.execute_script("document.querySelectorAll('#methods details').forEach(d => (d.open = true))")
    toolbar = "//section[@id='methods']//div[@class='tools']//label[span='Sort by']/select"
    Select(opened.find_element("xpath", toolbar)).select_by_visible_text("Wall time (s), down")
    script = "return [...document.querySelectorAll('.jobs tbody tr')].map(r => r.cells[4].textContent)"
    shown = opened.execute_script(script)
    jobs = pd.read_csv(
        opened.current_url.split("#")[0]
        .removeprefix("file://")
        .replace("report/index.html", "tables/jobs.csv")
    )
    assert shown == [number(w) for w in jobs["wall_s"].sort_values(ascending=False)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_barrier(opened, scheme):
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    axe = Path(next(iter(axe_core_python.__path__))) / "axe.min.js"
    opened.execute_script(axe.read_text(encoding="utf-8"))
    found = opened.execute_async_script("axe.run({resultTypes: ['violations']}).then(arguments[0])")
    assert found["passes"]
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert serious == [], [(v["id"], v["nodes"][0]["html"]) for v in serious]
