# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus answers what the collection asks Monitoring, and answers it as the simulator does."""

from __future__ import annotations

import contextlib
import json
import math
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Monitoring, Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import metrics
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import measure
from simulator import Simulator, load_scenario

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".cache/prometheus/usr/bin"
SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
GUID = "33333333-aaaa-4bbb-8ccc-000000000001"
PREFIX = "ibm_eventstreams_instance_"
SEED = 20261128
TOPICS = 40
DAY = 86400.0


def binary(name: str) -> str | None:
    """One of Prometheus' two programs: installed, or unpacked by scripts/prometheus.sh."""
    return shutil.which(name) or shutil.which(name, path=str(UNPACKED))


# Prometheus is no Python package: it cannot be had on every system, and everything else can be tested without it.
pytestmark = pytest.mark.skipif(
    not (binary("prometheus") and binary("promtool")),
    reason="needs prometheus and promtool (Debian, Ubuntu: apt-get install prometheus, or scripts/prometheus.sh)",
)


def drawn(draw: random.Random) -> list[list[Any]]:
    """The points of a series: steps of any height, with holes and values that are no numbers."""
    times = sorted((draw.uniform(0, 1.2 * DAY) for _dummy in range(draw.randint(1, 30))), reverse=True)
    heights: list[Any] = [None, "NaN", 0, 1.5, 1e9]
    return [[round(when), draw.choice([*heights, draw.uniform(0, 100)])] for when in dict.fromkeys(map(round, times))]


def scenario() -> dict[str, Any]:
    """A mirrored pair, and many topics with traffic and latency of any shape."""
    draw = random.Random(SEED)
    chosen = load_scenario("friendly")
    source, target = chosen["instances"]
    names = [f"topic-{number}" for number in range(TOPICS)]
    source["topics"] = [{"name": name, "partitions": 1} for name in names]
    target |= {"mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}}
    target["selection"] = ["^topic-.*$"]
    series = [
        {"instance": instance, "metric": f"{PREFIX}{metric}", "topic": name, "points": drawn(draw)}
        for name in names
        for instance, metric in ((TARGET, "mirroring_latency_seconds"), (SOURCE, "topic_bytes_in_per_second"))
    ]
    series += [
        {"instance": instance, "metric": f"{PREFIX}{metric}", "points": drawn(draw)}
        for instance, metric in ((SOURCE, "bytes_out_per_second"), (TARGET, "bytes_in_per_second"))
    ]
    monitors = [
        {"name": f"monitoring-{region}", "account": ACCOUNT, "region": region, "guid": f"{GUID[:-1]}{number}"}
        for number, region in enumerate(("us-south", "us-east"))
    ]
    clock = {"start": "now", "speed": 0}
    return {**chosen, "clock": clock, "series": series, "monitoring": monitors}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(scenario()) as running:
        yield running


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def prometheus(folder: Path, config: dict[str, Any]) -> Iterator[str]:
    """A Prometheus over what is in the folder; its base URL, under which the paths are those of Monitoring."""
    (folder / "config.json").write_text(json.dumps(config))
    port = free_port()
    command = [
        str(binary("prometheus")),
        f"--config.file={folder / 'config.json'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.route-prefix=/api/prometheus",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/api/prometheus/-/ready"))
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def answers(url: str) -> bool:
    """Whether a URL is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Waits for a condition, with a limit."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)  # between two looks at the condition, which is what ends the wait


@pytest.fixture(scope="module")
def filled(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has all of the simulator's samples of more than a day."""
    folder = tmp_path_factory.mktemp("prometheus")
    history = folder / "history.txt"
    with urllib.request.urlopen(f"{simulator.url}/_control/openmetrics?hours=30&step=60") as answer:
        history.write_bytes(answer.read())
    blocks = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", str(history), str(folder / "data")]
    done = subprocess.run([str(binary("promtool")), *blocks], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with prometheus(folder, {}) as url:
        yield url


def client(simulator: Simulator, url: str, name: str) -> Monitoring:
    """The collection's own client, of which Prometheus does not mind the token."""
    call = Call(
        params={
            "ibmcloud_api_key": "simulated-key-main",
            "iam_endpoint": simulator.url,
            "resource_controller_endpoint": simulator.url,
            "monitoring_endpoint": url,
            "request_timeout": 60,
            "retry_timeout": 10,
            "validate_certs": True,
        }
    )
    account = connect(call).target
    instance = account.instances.find(name, "instance")
    return account.monitoring(instance, None)


def both(simulator: Simulator, url: str, name: str) -> tuple[Monitoring, Monitoring]:
    return client(simulator, simulator.url, name), client(simulator, url, name)


def sorted_series(found: list[Series]) -> list[Any]:
    return sorted((sorted(one.labels.items()), one.points) for one in found)


def equal(point: Any, other: Any) -> bool:
    """Whether two values are the same, up to the order in which Prometheus happens to add those of groups."""
    if point[1] is None or other[1] is None:
        return bool(point[1] is other[1])
    return math.isclose(point[1], other[1], rel_tol=1e-12)


QUERIES = {
    "latency": lambda guid: [metrics.of_topics(metrics.NAMES["mirroring_latency"], guid)],
    "peak of a day": lambda guid: [metrics.of_topics(metrics.NAMES["topic_bytes_in"], guid, DAY)],
    "peak of minutes": lambda guid: [metrics.of_instance(metrics.NAMES["bytes_out"], guid, 120)],
    "least": lambda guid: [metrics.of_least(metrics.NAMES["bytes_out"], guid, 120)],
    "together": lambda guid: metrics.of_selected(
        metrics.NAMES["topic_bytes_in"], guid, [f"topic-{number}" for number in range(TOPICS)], 120
    ),
    "some": lambda guid: metrics.of_selected(
        metrics.NAMES["topic_bytes_in"], guid, ["topic-1", "topic-2", "no.such"], 60
    ),
    "together, numbers only": lambda guid: metrics.of_selected(
        metrics.NAMES["topic_bytes_in"], guid, [f"topic-{number}" for number in range(TOPICS)], 120, numbers=True
    ),
    "worst": lambda guid: [metrics.of_largest(metrics.NAMES["mirroring_latency"], guid, 120, 2 * TOPICS)],
    "each": lambda guid: metrics.of_each(metrics.NAMES["mirroring_latency"], guid, ["topic-1", "topic-2"], 120),
    "last": lambda guid: [metrics.of_last(metrics.NAMES["mirroring_latency"], guid, 21600)],
    "last number": lambda guid: [metrics.of_last_number(metrics.NAMES["mirroring_latency"], guid, 21600)],
    "nothing": lambda guid: [metrics.of_instance("no_such_metric", guid)],
}


@pytest.mark.parametrize("name", [SOURCE, TARGET])
@pytest.mark.parametrize("query", QUERIES)
def test_the_same_answers_over_a_day(query: str, name: str, simulator: Simulator, filled: str) -> None:
    ours, real = both(simulator, filled, name)
    now = simulator.clock.now()
    end = now - now % 60 - 300
    found = 0
    for text in QUERIES[query](simulator.instance(name).guid):
        answer = sorted_series(ours.over(text, end - DAY, end, 300, query))
        there = sorted_series(real.over(text, end - DAY, end, 300, query))
        assert [(labels, [when for when, _value in points]) for labels, points in answer] == [
            (labels, [when for when, _value in points]) for labels, points in there
        ], text
        for (_labels, points), (_same, others) in zip(answer, there, strict=True):
            assert all(map(equal, points, others)), text
        found += len(answer)
    expected = {"latency": TARGET, "peak of a day": None, "peak of minutes": None, "together": SOURCE, "some": SOURCE}
    expected |= {"together, numbers only": SOURCE, "last number": TARGET}
    if expected.get(query, "nobody") in (name, None):
        assert found


def test_what_the_module_tells_is_the_same(simulator: Simulator, filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the same moment: the simulator's time stands still, and Prometheus has nothing newer."""
    monkeypatch.setattr(Monitoring, "now", property(lambda _self: simulator.clock.now()))
    for name in (SOURCE, TARGET):
        ours, real = both(simulator, filled, name)
        told = [measure(one, metrics.NAMES, simulator.instance(name).guid, DAY).to_result(100) for one in (ours, real)]
        assert told[0] == told[1]
        assert told[0]["topic_count"] == TOPICS or name == TARGET
        assert told[0]["lag"]["topics"] or name == SOURCE


def test_it_scrapes_the_simulator(simulator: Simulator, tmp_path: Path) -> None:
    host = simulator.url.removeprefix("http://")
    job = {
        "job_name": "simulator",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "metrics_path": "/_control/metrics",
        "honor_timestamps": False,
        "static_configs": [{"targets": [host]}],
    }
    with prometheus(tmp_path, {"scrape_configs": [job]}) as url:
        ours, real = both(simulator, url, SOURCE)
        query = metrics.of_instance(metrics.NAMES["partitions"], simulator.instance(SOURCE).guid)
        until(lambda: real.instant(query, "partitions"))
        (here,), (there,) = ours.instant(query, "partitions"), real.instant(query, "partitions")
        assert here.points[0][1] == there.points[0][1] == TOPICS
