# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import read_options
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.hosts import (
    Host,
    host_names,
    instance_hosts,
    pair_hosts,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import Fleet, Found, Pair
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    SOURCE,
    TARGET,
    crn,
    instance,
    operation,
    source_instance,
)

STATE = {"enabled": True, "how": "observed"}


def found(mirroring: dict[str, t.Any] | None = None, account: str = "default", **changes: t.Any) -> Found:
    return Found(account=account, facts=instance(**changes).to_result(), tags=[], mirroring=mirroring)


def hosts(*instances: Found, **options: t.Any) -> list[Host]:
    fleet = Fleet(instances=list(instances), skipped=[])
    return instance_hosts(read_options(options, set()), json.loads(json.dumps(fleet)))


def test_an_instance() -> None:
    (host,) = hosts(found(STATE, "here"))
    assert host.name == "es-target"
    assert host.facts["event_streams_guid"] == TARGET
    assert host.facts["event_streams_account"] == "here"
    assert host.facts["event_streams_mirroring"] == STATE
    assert host.groups == [
        "event_streams_instances",
        "plan_enterprise",
        "region_us-east",
        "mirroring_on",
        "operation_succeeded",
        "account_here",
    ]


def test_another_prefix_and_name() -> None:
    (host,) = hosts(found(), vars_prefix="es_", hostname="guid")
    assert host.name == TARGET
    assert set(host.facts) == {f"es_{name}" for name in (*instance().to_result(), "account", "mirroring")}


@pytest.mark.parametrize(("enabled", "group"), [(True, "on"), (False, "off"), (None, "unknown")])
def test_groups_by_mirroring(enabled: bool | None, group: str) -> None:
    (host,) = hosts(found({"enabled": enabled}))
    assert f"mirroring_{group}" in host.groups
    assert "mirroring_unknown" in hosts(found(None))[0].groups


@pytest.mark.parametrize(
    ("last", "group"),
    [
        (operation(), "succeeded"),
        (operation("sync succeeded"), "succeeded"),
        (operation("failed"), "failed"),
        (operation("in progress"), "running"),
        (operation("pondering"), "unknown"),
        (None, "none"),
    ],
)
def test_groups_by_operation(last: t.Any, group: str) -> None:
    (host,) = hosts(found(last_operation=last))
    assert [name for name in host.groups if name.startswith("operation_")] == [f"operation_{group}"]


def pair(**changes: t.Any) -> Pair:
    source = Found(account="from", facts=source_instance().to_result(), tags=[], mirroring=None)
    target = found(STATE, "to")
    return Pair(
        **{
            "name": "p",
            "source_crn": crn(),
            "source": source,
            "target": target,
            "how": "tags",
            "variables": {"x": 1},
            **changes,
        }
    )


def test_a_pair() -> None:
    (host,) = pair_hosts(read_options({}, set()), [pair()])
    assert (host.name, host.variables) == ("p", {"x": 1})
    assert host.facts["mirroring_source"] == crn()
    assert host.facts["mirroring_target"] == crn(TARGET, "us-east")
    assert {name: value for name, value in host.facts.items() if isinstance(value, str)} == {
        "mirroring_source": crn(),
        "mirroring_target": crn(TARGET, "us-east"),
        "event_streams_source_account": "from",
        "event_streams_target_account": "to",
        "event_streams_pair_from": "tags",
    }
    assert host.facts["event_streams_source"]["guid"] == SOURCE
    assert host.facts["event_streams_target"]["guid"] == TARGET
    assert host.facts["event_streams_mirroring"] == STATE
    assert host.groups == [
        "event_streams_pairs",
        "source_region_us-south",
        "target_region_us-east",
        "mirroring_on",
        "operation_succeeded",
    ]


def test_a_pair_whose_source_was_not_found() -> None:
    (host,) = pair_hosts(read_options({}, set()), [pair(source=None)])
    assert host.facts["event_streams_source"] is None
    assert host.facts["event_streams_source_account"] is None
    assert "source_region_us-south" in host.groups


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("es-target.us_east: 1", "es-target.us_east: 1"),
        ("{{ lookup('pipe', 'x') }}", "__ lookup__pipe__ _x__ __"),
        ("#jinja2: x", "_jinja2: x"),
        ("a\nb", "a_b"),
        ("évènements", "évènements"),
    ],
)
def test_names_of_hosts_are_no_templates(name: str, safe: str) -> None:
    assert host_names([{"name": name, "guid": TARGET}], "name") == [safe]


def test_namesakes_get_the_beginning_of_their_guid() -> None:
    instances = [{"name": "x", "guid": SOURCE}, {"name": "x", "guid": TARGET}, {"name": "y", "guid": "z"}]
    assert host_names(instances, "name") == ["x-11111111", "x-22222222", "y"]


NAMES = st.sampled_from(["x", "x-11111111", "x-1", "{x}", "_x_", ""]) | st.text(max_size=5)
GUIDS = st.sampled_from([f"11111111-{n}" for n in range(6)] + ["1", "{", "_"])


@given(st.lists(st.tuples(NAMES, GUIDS), unique_by=lambda one: one[1], max_size=8), st.sampled_from(["name", "guid"]))
def test_names_of_hosts_are_always_different(instances: list[tuple[str, str]], by: t.Literal["name", "guid"]) -> None:
    names = host_names([{"name": name, "guid": guid} for name, guid in instances], by)
    assert len(names) == len(set(names)) == len(instances)
    assert not any(re.search(r"[{}#%\n]", name) for name in names)
