"""The report as a browser shows it: no error, nothing from outside, nothing clipped on a phone."""

from __future__ import annotations

import shutil

import pytest

from tests.workflow.test_whole_study import smoke  # noqa: F401  (the finished smoke run)

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
        yield opened


@pytest.fixture(scope="module")
def opened(browser, smoke):  # noqa: F811
    browser.set_window_size(1280, 900)
    browser.get((smoke / "results/smoke/report/index.html").as_uri())
    return browser


def test_the_console_shows_no_error(opened):
    assert [entry for entry in opened.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_nothing_is_requested_from_outside(opened):
    requests = opened.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [r for r in requests if not r.startswith(("data:", "file:"))] == []


def test_every_figure_is_visible_and_described(opened):
    sizes = opened.execute_script(
        "return [...document.querySelectorAll('figure img')].map(i => [i.naturalWidth, i.clientHeight, i.alt.length])"
    )
    assert len(sizes) >= 9
    assert all(width > 100 and height > 50 and alt > 20 for width, height, alt in sizes), sizes


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(opened, width):
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    scroll, inner = opened.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert (scroll <= inner, inner) == (True, width), f"{scroll} wide in {inner}"


def test_the_ledger_comes_first_and_has_every_claim(opened):
    first = opened.execute_script("return document.querySelector('main h1').textContent")
    rows = opened.execute_script("return document.querySelectorAll('.ledger tbody tr').length")
    assert first == "The verdicts"
    assert rows >= 31
