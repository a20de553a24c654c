# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that validate and metrics_info write, as a real browser shows it.

Without Chromium and its driver (scripts/chromium.sh) the tests that look are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from ansible_collections.mirrorops.event_streams.tests.integration.test_modules import ELSEWHERE, play
from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import (
    ENABLED,
    MONITORING,
    SOURCE,
    TARGET,
    asked,
    drawn,
    lags,
    validate,
)
from simulator import load_scenario

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
THEMES, WIDTHS = ("light", "dark"), (360, 1280)
LEAST_CONTRAST, LEAST_CONTRAST_OF_LINES = 4.5, 3.0
HOSTILE = "<img src=x onerror=alert(1)>"

COLOURS = """
const back = node => {
  for (; node; node = node.parentElement) {
    const colour = getComputedStyle(node).backgroundColor;
    if (colour !== 'rgba(0, 0, 0, 0)') return colour;
  }
};
const own = node => [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim());
const seen = [...document.body.querySelectorAll('*')].filter(one => one.getClientRects().length);
return {
  paper: back(document.body),
  texts: seen.filter(own).map(one => [one.textContent.slice(0, 40), getComputedStyle(one).color, back(one)]),
  lines: seen.filter(one => one.matches('path, .limit')).map(one => [one.getAttribute('class'), getComputedStyle(one).stroke, back(one)]),
};
"""
PLACES = """
const [at, what] = arguments, plot = document.querySelectorAll('.plot')[at];
const names = [...plot.parentElement.querySelectorAll('.legend .name')].map(one => one.textContent);
const box = one => { const {top, bottom, left, right} = one.getBoundingClientRect(); return {top, bottom, left, right}; };
const lines = [...plot.querySelectorAll('path')].map((one, number) => [names[number], box(one)]);
return {plot: box(plot), limit: box(plot.querySelector('.limit')), words: box(plot.querySelector('.most')), lines: Object.fromEntries(lines)};
"""


class Looking:
    """A browser that looks at one page after the other."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def open(self, path: Path) -> str:
        """What can be read on a page."""
        self.address = path.as_uri()
        self.show("light", 1280)
        self._driver.get_log("performance")
        self._driver.get_log("browser")
        self._driver.get(self.address)
        return str(self._driver.execute_script("return document.body.innerText"))

    def show(self, theme: str, width: int) -> None:
        """As somebody with this theme and a window of this width sees it."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script of the test finds on the page."""
        return self._driver.execute_script(script, *arguments)

    def places(self, chart: int) -> dict[str, Any]:
        """Where the lines, by name, and the limit of a chart are."""
        return dict(self.run(PLACES, chart))

    def looks_right(self) -> None:
        """What holds for every page: legible in both themes, as wide as the window, without scripts, and alone."""
        papers = set()
        for theme in THEMES:
            for width in WIDTHS:
                self.show(theme, width)
                found = self.run(COLOURS)
                papers.add(found["paper"])
                assert len(found["texts"]) > 10
                poor = [(one, contrast(*one[1:])) for one in found["texts"] if contrast(*one[1:]) < LEAST_CONTRAST]
                assert poor == [], theme
                poor = [one for one in found["lines"] if contrast(*one[1:]) < LEAST_CONTRAST_OF_LINES]
                assert poor == [], theme
                page, window = self.run("const e = document.documentElement; return [e.scrollWidth, innerWidth]")
                assert page <= window == width
        assert len(papers) == len(THEMES)
        assert self.run("return document.querySelectorAll('script, img, iframe, link, a, form, object').length") == 0
        assert self.run(
            "return [...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => !/^on/.test(a.name)))"
        )
        assert self.requests() == [self.address]
        assert self._driver.get_log("browser") == []

    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        events = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        return [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]


def contrast(text: str, back: str) -> float:
    """How well one colour can be told from another one, as WCAG 2 has it: from 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(text), luminance(back)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium without a window, with a profile of its own; it ends with the tests of this file."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.skip("Chromium or its driver is missing (as root on Debian scripts/chromium.sh installs both)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(chromedriver)
    try:
        started = webdriver.Chrome(options, service)
        yield started
        started.quit()
    finally:
        service.stop()


@pytest.fixture
def browser(driver: Any) -> Looking:
    """Looks at pages."""
    return Looking(driver)


def verdict(run: Any) -> tuple[Any, ...]:
    """What the page must not change."""
    result = run.facts["validate_result"]
    return (run.rc, run.changed, *(result[name] for name in ("verdict", "accepted", "findings", "passed", "problems")))


@pytest.mark.parametrize("topics", ["source", "remote"])
def test_a_pair_that_lags(topics: str, simulate: Any, playbook: Any, browser: Looking, tmp_path: Path) -> None:
    simulator = simulate(
        monitoring=MONITORING,
        switches={"latency_topic_names": topics},
        series=lags(orders=[[90000, 250]], payments=[[90000, 1]]),
        **ENABLED,
    )
    without = validate(playbook, mirroring_max_lag=60)
    run = validate(playbook, mirroring_max_lag=60, mirroring_page=str(tmp_path / "pair.html"))
    assert verdict(run) == verdict(without)
    assert run.changed == 0
    result = run.facts["validate_result"]
    assert (result["verdict"], result["page"]) == ("behind", str(tmp_path / "pair.html"))
    assert simulator.writes() == []

    text = browser.open(tmp_path / "pair.html")
    assert f"{SOURCE} (us-south) → {TARGET} (us-east)" in text
    assert f"Data flows from {SOURCE} (us-south) to {TARGET} (us-east)." in text
    for told in ("behind", MONITORING[1]["guid"], "1 hour", "accepted: 60 s", "guidance: 35 MB/s in total"):
        assert told in text
    for finding in result["findings"]:
        assert finding["message"] in text
        assert finding["remedy"] in text
    assert all(rule in text for rule in result["passed"])

    suffix = ".us-south" if topics == "remote" else ""
    browser.looks_right()
    for width in WIDTHS:
        browser.show("light", width)
        at = browser.places(0)
        late, good = at["lines"][f"orders{suffix}"], at["lines"][f"payments{suffix}"]
        assert at["plot"]["top"] <= late["bottom"] < at["limit"]["top"] <= at["limit"]["bottom"] < good["top"]
        assert good["bottom"] <= at["plot"]["bottom"]
        assert late["right"] - late["left"] > 0.9 * (at["plot"]["right"] - at["plot"]["left"])
        assert abs(at["words"]["bottom"] - at["limit"]["top"]) < 40
        moved = browser.places(1)
        assert moved["limit"]["bottom"] < moved["lines"]["all topics together"]["top"]


def test_a_pair_that_is_well(simulate: Any, playbook: Any, browser: Looking, tmp_path: Path) -> None:
    """With more topics than lines can be told apart, one that had no values for a while, and nobody who said what is accepted."""
    topics = {f"orders-{number}": [[90000, number]] for number in range(20)}
    gap = drawn("mirroring_throughput_bytes_per_second", [90000, 2e6], [2400, None], [1200, 4e6])
    simulate(monitoring=MONITORING, series=[*lags(**topics), gap], **ENABLED)
    page = tmp_path / "pair.html"
    assert validate(playbook, validate_page=str(page)).worked().changed == 0
    text = browser.open(page)
    assert "No limit for it was given." in text
    assert "orders-19" in text
    assert "and 14 more, which are not drawn" in text
    browser.looks_right()
    assert len(browser.run("return document.querySelectorAll('.plot')[0].querySelectorAll('path')")) == 8
    (line,) = browser.run(
        "return [...document.querySelectorAll('.plot')[1].querySelectorAll('path')].map(p => p.getAttribute('d'))"
    )
    assert line.count("M") == 2


def test_names_from_the_cloud_are_text(simulate: Any, playbook: Any, browser: Looking, tmp_path: Path) -> None:
    """The name of the source, and that of a topic."""
    guid = "11111111-aaaa-4bbb-8ccc-000000000001"
    simulate(
        monitoring=MONITORING,
        source={"name": f"source {HOSTILE}"},
        series=lags(**{f"topic {HOSTILE}": [[90000, 90]], "\u202eredro</td></table><h1>": [[90000, 30]]}),
    )
    page = tmp_path / "page.html"
    options = {"instance": TARGET, "source": guid, "page": str(page), "max_lag": 60, "window": 86400}
    (result,) = (
        playbook(play([{"name": "Ask", "mirrorops.event_streams.metrics_info": options}]))
        .worked()
        .results("metrics_info")
    )
    assert (result["page"], result["changed"]) == (str(page), False)
    assert [one["status"] for one in result["findings"]] == ["fail"]
    text = browser.open(page)
    assert f"source {HOSTILE} (us-south) → {TARGET} (us-east)" in text
    assert f"topic {HOSTILE}" in text
    assert "</td></table><h1>" in text
    assert len(browser.run("return document.querySelectorAll('h1')")) == 1
    browser.looks_right()


def test_without_monitoring_the_page_says_why(simulate: Any, playbook: Any, browser: Looking, tmp_path: Path) -> None:
    """Of a pair that does not mirror either."""
    simulator = simulate()
    without = validate(playbook, mirroring_topics_timeout=0)
    run = validate(playbook, mirroring_topics_timeout=0, mirroring_page=str(tmp_path / "pair.html"))
    assert verdict(run) == verdict(without)
    assert run.facts["validate_result"]["verdict"] == "not_mirroring"
    assert asked(simulator) == []
    text = browser.open(tmp_path / "pair.html")
    assert "not mirroring" in text
    assert text.count("this identity can see no instance of IBM Cloud Monitoring in us-east") == 3
    assert "35 MB/s in total" in text
    browser.looks_right()


@pytest.mark.every_core
@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_modules_write_it(where: str, simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """Also those that run as ordinary modules; not in check mode."""
    simulate(monitoring=MONITORING, **ENABLED)
    inventory = tmp_path / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    hosts, variables = ("bastion", ELSEWHERE) if where == "elsewhere" else ("localhost", {})
    pages = [tmp_path / "metrics.html", tmp_path / "pair.html"]
    tasks = [
        {"metrics_info": {"instance": TARGET, "source": SOURCE, "page": str(pages[0]), "max_lag": 60}},
        {"mirroring_info": {"source": SOURCE, "target": TARGET, "page": str(pages[1])}},
    ]
    listed = [
        {"name": "Look", f"mirrorops.event_streams.{name}": options} for task in tasks for name, options in task.items()
    ]
    arguments = ("-i", str(inventory))
    checked = playbook(play(listed, hosts), variables, arguments=(*arguments, "--check")).worked()
    names = ("metrics_info", "mirroring_info")
    assert [result["page"] for name in names for result in checked.results(name)] == [None, None]
    assert not any(page.exists() for page in pages)
    run = playbook(play(listed, hosts), variables, arguments=arguments).worked()
    assert [result["page"] for name in names for result in run.results(name)] == [str(page) for page in pages]
    assert run.changed == 0
    assert sorted(tmp_path.glob("*.html")) == pages
    assert list(tmp_path.glob(".new-*")) == []
    assert all(f"<title>{SOURCE} (us-south) → {TARGET} (us-east)</title>" in page.read_text() for page in pages)


def test_pages_of_a_fleet(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    simulate(monitoring=MONITORING, **ENABLED)
    hosts = {name: {"mirroring_source": SOURCE, "mirroring_target": TARGET} for name in ("orders", "payments")}
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    folder = tmp_path / "pages"
    folder.mkdir()
    plays = [
        {
            "name": "Look at every pair",
            "hosts": "all",
            "connection": "local",
            "gather_facts": False,
            "vars": {
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "mirroring_page": f"{folder}/{{{{ inventory_hostname }}}}.html",
            },
            "roles": [{"role": "mirrorops.event_streams.validate"}],
        }
    ]
    playbook(plays, arguments=("-i", str(inventory))).worked()
    assert sorted(path.name for path in folder.iterdir()) == ["orders.html", "payments.html"]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"mirroring_page": "pair.html"}, "page is 'pair.html', which is no absolute path"),
        ({"mirroring_page": "{folder}"}, "which is a directory"),
        ({"mirroring_page": "{folder}/missing/pair.html"}, "there is no directory"),
    ],
)
def test_a_path_that_cannot_be_written_sends_nothing(
    variables: dict[str, str], told: str, simulate: Any, playbook: Any, tmp_path: Path
) -> None:
    simulator = simulate(monitoring=MONITORING, **ENABLED)
    given = {name: value.replace("{folder}", str(tmp_path)) for name, value in variables.items()}
    assert told in validate(playbook, **given).failure
    assert simulator.journal == []


@pytest.mark.skipif(not os.access("/sys", os.W_OK), reason="needs to be root")
def test_a_page_that_cannot_be_written_decides_nothing(simulate: Any, playbook: Any) -> None:
    """It looks as if it could be, until it is tried."""
    simulate(monitoring=MONITORING, **ENABLED)
    run = validate(playbook, mirroring_max_lag=60, mirroring_page="/sys/pair.html").worked()
    result = run.facts["validate_result"]
    assert (result["verdict"], result["lag"]["state"], result["page"]) == ("mirroring", "within", None)
    assert "write the page /sys/pair.html" in run.output


def test_a_source_in_another_account(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """It is found with its own key, and Monitoring is asked with the target's."""
    (account,) = (one["account"] for one in load_scenario("two_accounts")["instances"] if one["name"] == TARGET)
    monitoring = [{"name": "monitoring-us-east", "account": account, "region": "us-east"}]
    simulator = simulate("two_accounts", monitoring=monitoring)
    environment = {**playbook.environment(simulator), "IC_API_KEY": "simulated-key-target"}
    options = {"instance": TARGET, "source": SOURCE, "page": str(tmp_path / "page.html")}
    task = {"name": "Ask", "mirrorops.event_streams.metrics_info": options}
    failure = playbook(play([task]), environment=environment).failure
    assert f"no Event Streams instance named '{SOURCE}'" in failure
    options["source_api_key"] = "simulated-key-source"
    playbook(play([task]), environment=environment).worked()
    assert f"<title>{SOURCE} (us-south) → {TARGET} (us-east)</title>" in (tmp_path / "page.html").read_text()
