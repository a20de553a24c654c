# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: JSON documents that describe a simulated cloud. An unknown key is an error."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from . import shapes
from .accounts import NAMED_RIGHTS
from .clock import parse_time
from .crn import GUID
from .instances import STATES
from .metrics import INSTANCE_METRICS, TOPIC_METRICS
from .switches import SWITCHES, Switches
from .world import TIMING

FOLDER = Path(__file__).parent / "scenarios"
ACCOUNT_ID = re.compile(r"[0-9a-f]{32}")


class ScenarioError(ValueError):
    """The scenario cannot be used; the text says why."""


def _time(value: Any, where: str) -> Any:
    if value == "now":
        return
    try:
        parse_time(value)
    except (TypeError, ValueError):
        yield f"{where} must be a time like 2026-01-01T10:00:00Z"


def _switch(value: Any, where: str) -> Any:
    if value is not None and not isinstance(value, (str, int)):
        yield f"{where} must be a string"


_NAME = shapes.text(shortest=1)
_RIGHTS = shapes.either(
    shapes.text(choices=list(NAMED_RIGHTS)),
    shapes.mapping(
        optional={
            "policies": shapes.text(choices=("read", "write", "none")),
            "instances": shapes.text(choices=("view", "edit", "none")),
            "cluster": shapes.text(choices=("none", "reader", "manager")),
        }
    ),
)
_PROFILE = shapes.mapping(
    {"id": _NAME, "name": _NAME},
    {
        "rights": _RIGHTS,
        "assumed_by": shapes.array(_NAME),
        "cr_tokens": shapes.array(_NAME),
        "virtual_server": shapes.boolean,
    },
)
_ACCOUNT = shapes.mapping(
    {
        "id": _NAME,
        "api_keys": shapes.array(shapes.mapping({"key": _NAME}, {"name": _NAME, "rights": _RIGHTS})),
    },
    {
        "name": _NAME,
        "trusted_profiles": shapes.array(_PROFILE),
        "resource_groups": shapes.array(shapes.mapping({"name": _NAME}, {"id": _NAME})),
    },
)
_TOPIC = shapes.mapping(
    {"name": _NAME},
    {
        "partitions": shapes.whole(1, 100000),
        "traffic": shapes.number,
        "traffic_out": shapes.number,
        "configs": shapes.mapping(others=shapes.text()),
        "remote_of": _NAME,
    },
)
_OPERATION = shapes.nullable(
    shapes.mapping(
        {"type": _NAME, "state": shapes.text(choices=("in progress", "succeeded", "failed"))},
        {
            "description": shapes.text(),
            "seconds_left": shapes.number,
            "outcome": shapes.text(choices=("succeeded", "failed")),
        },
    )
)
_MIRRORING = shapes.mapping(
    {"source": _NAME, "source_alias": _NAME, "target_alias": _NAME},
    {"options": shapes.mapping(others=shapes.anything), "schemas": shapes.text()},
)
_INSTANCE = shapes.mapping(
    {"name": _NAME, "account": _NAME, "region": _NAME},
    {
        "guid": _NAME,
        "plan": _NAME,
        "throughput": shapes.text(number=True),
        "storage_size": shapes.text(number=True),
        "resource_group": _NAME,
        "locked": shapes.boolean,
        "state": shapes.text(choices=STATES),
        "status": shapes.text(choices=("available", "degraded", "offline", "unknown")),
        "service_endpoints": shapes.text(choices=("public", "private", "public-and-private")),
        "partition_limit": shapes.whole(1),
        "topics": shapes.array(_TOPIC),
        "consumer_groups": shapes.array(shapes.mapping({"id": _NAME, "topics": shapes.array(_NAME)})),
        "last_operation": _OPERATION,
        "mirroring": _MIRRORING,
        "selection": shapes.array(shapes.text()),
        "tags": shapes.array(_NAME),
    },
)
_MONITOR = shapes.mapping(
    {"name": _NAME, "account": _NAME, "region": _NAME},
    {"guid": _NAME, "receives": shapes.boolean},
)


def _point(value: Any, where: str) -> Any:
    if not isinstance(value, list) or len(value) != 2:
        yield f"{where} must be a list of seconds before the start and a value"
        return
    for number, words in zip(value, ((), (None, "NaN", "stale")), strict=True):
        plain = isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)
        if not plain and (isinstance(number, (int, float)) or number not in words):
            yield f"{where} must hold two numbers; the second can be null, NaN or stale, too"


_SERIES = shapes.mapping(
    {
        "instance": _NAME,
        "metric": shapes.text(choices=(*INSTANCE_METRICS, *TOPIC_METRICS)),
        "points": shapes.array(_point),
    },
    {"topic": _NAME},
)
_SHORT_POLICY = shapes.mapping(
    {"subject": _NAME, "resource": _NAME},
    {"role": _NAME, "version": shapes.text(choices=("v1", "v2"))},
)


def _policy(value: Any, where: str) -> Any:
    if isinstance(value, dict) and isinstance(value.get("subject"), str):
        yield from _SHORT_POLICY(value, where)
    elif not isinstance(value, dict) or not ("subjects" in value or "control" in value):
        yield f"{where} must be a v1 body, a v2 body or the short form"


SCENARIO = shapes.mapping(
    {"accounts": shapes.array(_ACCOUNT), "instances": shapes.array(_INSTANCE)},
    {
        "description": shapes.text(),
        "clock": shapes.mapping(optional={"start": _time, "speed": shapes.number}),
        "admin": shapes.text(choices=("path", "port")),
        "timing": shapes.mapping(optional=dict.fromkeys(TIMING, shapes.number)),
        "policies": shapes.array(_policy),
        "monitoring": shapes.array(_MONITOR),
        "series": shapes.array(_SERIES),
        "switches": shapes.either(shapes.text(choices=("friendly", "nasty")), shapes.mapping(others=_switch)),
    },
)


def scenario_names() -> list[str]:
    """Return the scenarios that come with the simulator."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def chosen_switches(scenario: dict[str, Any]) -> dict[str, str]:
    """Return the switches of a scenario; the word ``nasty`` means all nasty values."""
    chosen = scenario.get("switches", {})
    if chosen == "nasty":
        return {switch.name: switch.nasty for switch in SWITCHES}
    return {} if chosen == "friendly" else dict(chosen)


def load_scenario(source: str | Path | dict[str, Any]) -> dict[str, Any]:
    """Read a scenario: a dictionary, a file, or the name of one that comes with the simulator."""
    if isinstance(source, dict):
        scenario: Any = json.loads(json.dumps(source))
    else:
        path = Path(source)
        if not path.exists() and str(source) in scenario_names():
            path = FOLDER / f"{source}.json"
        try:
            scenario = json.loads(path.read_text(encoding="utf-8"))
        except OSError as problem:
            known = ", ".join(scenario_names())
            raise ScenarioError(f"cannot read scenario {source}: {problem.strerror}; known names: {known}") from None
        except ValueError as problem:
            raise ScenarioError(f"scenario {source} is not JSON: {problem}") from None
    problems = list(SCENARIO(scenario, "scenario"))
    if problems:
        raise ScenarioError(problems[0])
    _check(scenario)
    return dict(scenario)


def _check(scenario: dict[str, Any]) -> None:
    """Check what the shape cannot say."""
    accounts = [account["id"] for account in scenario["accounts"]]
    keys = [key["key"] for account in scenario["accounts"] for key in account["api_keys"]]
    if not accounts or not keys:
        raise ScenarioError("scenario needs an account with an API key")
    if len(set(accounts)) < len(accounts) or len(set(keys)) < len(keys):
        raise ScenarioError("account ids and API keys must be unique")
    for account in accounts:
        if not ACCOUNT_ID.fullmatch(account):
            raise ScenarioError(f"account id {account!r} is not 32 hexadecimal digits")
    profiles = [profile["id"] for account in scenario["accounts"] for profile in account.get("trusted_profiles", [])]
    if len(set(profiles)) < len(profiles):
        raise ScenarioError("ids of trusted profiles must be unique")
    for instance in scenario["instances"]:
        if instance["account"] not in accounts:
            raise ScenarioError(f"instance {instance['name']!r} is in the unknown account {instance['account']!r}")
        if "guid" in instance and not GUID.fullmatch(instance["guid"]):
            raise ScenarioError(f"{instance['guid']!r} is not a GUID")
    _check_monitoring(scenario, accounts)
    try:
        Switches(chosen_switches(scenario))
    except ValueError as problem:
        raise ScenarioError(str(problem)) from None


def _check_monitoring(scenario: dict[str, Any], accounts: list[str]) -> None:
    if scenario.get("timing", {}).get("metrics_interval_seconds", 1) < 1:
        raise ScenarioError("metrics_interval_seconds must be at least 1")
    receivers = []
    for monitor in scenario.get("monitoring", []):
        if monitor["account"] not in accounts:
            raise ScenarioError(f"monitoring {monitor['name']!r} is in the unknown account {monitor['account']!r}")
        if "guid" in monitor and not GUID.fullmatch(monitor["guid"]):
            raise ScenarioError(f"{monitor['guid']!r} is not a GUID")
        if monitor.get("receives", True):
            receivers.append((monitor["account"], monitor["region"]))
    if len(set(receivers)) < len(receivers):
        raise ScenarioError("only one monitoring instance of an account and region receives platform metrics")
    for drawn in scenario.get("series", []):
        words = f"series of {drawn['metric']}"
        if ("topic" in drawn) is not (drawn["metric"] in TOPIC_METRICS):
            raise ScenarioError(f"{words} {'has no' if 'topic' in drawn else 'needs a'} topic")
        times = [seconds for seconds, _value in drawn["points"]]
        if any(later >= earlier for earlier, later in pairwise(times)):
            raise ScenarioError(f"{words}: points must be in order of time")
