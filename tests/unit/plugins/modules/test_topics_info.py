# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mirrorops.event_streams.plugins.modules import topics_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import SOURCE


def page(cloud: Cloud, number: int, documents: list[object], **headers: str) -> None:
    cloud.server.expect(
        "GET",
        "/source/admin/topics",
        documents,
        query={"per_page": "1000", "page": str(number)},
        reply_headers=headers,
        headers=cloud.headers,
    )


def test_topics_of_all_pages_by_name(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance("source")
    more = {"Link": '<x>; rel="next"'}
    page(cloud, 1, [{"name": "payments", "partitions": 3}, {"name": "a.checkpoints.internal", "partitions": 1}], **more)
    page(cloud, 2, [{"name": "orders", "partitions": "many"}, {"name": "__sessions", "partitions": 5}], Link="")
    page(cloud, 3, [])
    ran = run_main(topics_info, {**cloud.base, "instance": SOURCE})
    assert (ran.code, ran.result.get("changed", False)) == (0, False)
    assert ran.result["instance"]["guid"] == SOURCE
    assert ran.result["topics"] == [
        {"name": "__sessions", "partitions": 5, "internal": True},
        {"name": "a.checkpoints.internal", "partitions": 1, "internal": True},
        {"name": "orders", "partitions": None, "internal": False},
        {"name": "payments", "partitions": 3, "internal": False},
    ]


def test_an_admin_url_of_ones_own(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance("source", extensions={})
    cloud.topics("elsewhere", orders=6)
    ran = run_main(topics_info, {**cloud.base, "instance": SOURCE, "admin_url": f"{cloud.server.url}/elsewhere"})
    assert [one["name"] for one in ran.result["topics"]] == ["orders"]


def test_no_admin_url(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance("source", extensions={})
    ran = run_main(topics_info, {**cloud.base, "instance": SOURCE})
    assert ran.failed
    assert "shows no admin URL" in ran.result["msg"]
    assert "Give it as admin_url" in ran.result["msg"]


def test_no_right_to_read_them(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance("source")
    cloud.server.expect(
        "GET", "/source/admin/topics", {"error_code": 40300, "message": "no"}, status=403,
        query={"per_page": "1000", "page": "1"},
    )  # fmt: skip
    ran = run_main(topics_info, {**cloud.base, "instance": SOURCE})
    assert ran.result["failure"]["kind"] == "permission_denied"
    assert "list the topics of es-source" in ran.result["msg"]
