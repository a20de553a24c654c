# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""IBM's client of Global Search drives the simulator, too."""

from __future__ import annotations

from typing import Any

import pytest
from ibm_platform_services.global_search_v2 import GlobalSearchV2, ScanResult

from simulator import load_scenario


@pytest.mark.parametrize("prefix", [False, True], ids=["plain", "with a path"])
def test_a_search_over_all_pages(connect: Any, prefix: bool) -> None:
    instances = load_scenario("friendly")["instances"]
    more = [{**instances[0], "name": f"es-{number}", "tags": [f"n:{number}"]} for number in range(5)]
    more = [{name: value for name, value in entry.items() if name != "guid"} for entry in more]
    clients = connect(instances=[*instances, *more])
    client: Any = GlobalSearchV2(authenticator=clients.authenticator)
    client.set_service_url(clients.sim.environment(prefix=prefix)["IBMCLOUD_GS_API_ENDPOINT"])

    asked: dict[str, Any] = {"query": "service_name:messagehub", "fields": ["*"]}
    found: list[dict[str, Any]] = []
    while True:
        answer = client.search(**asked, limit=3).get_result()
        page = ScanResult.from_dict(answer)
        found += answer["items"]
        if not page.items or not page.search_cursor:
            break
        asked = {"search_cursor": page.search_cursor}
    assert sorted(item["name"] for item in found) == sorted(entry["name"] for entry in [*instances, *more])
    assert {tag for item in found for tag in item["tags"]} == {f"n:{number}" for number in range(5)}
    assert clients.sim.violations() == []
