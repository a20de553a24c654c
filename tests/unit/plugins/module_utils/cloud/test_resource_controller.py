# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import SERVICE_ID
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.resource_controller import (
    ResourceController,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    SOURCE,
    TARGET,
    THIRD,
    FakeClock,
    crn,
    document,
    make_api,
    make_call,
)

PATH = "/v2/resource_instances"
BASE = {"type": "service_instance", "limit": "100"}
SERVICE = {**BASE, "resource_id": SERVICE_ID}
CRN = crn(TARGET, "us-east")
ENCODED = CRN.replace(":", "%3A").replace("/", "%2F")


def controller(server: Scripted, clock: FakeClock | None = None) -> ResourceController:
    return ResourceController(make_api(server.url, make_call(clock or FakeClock())))


def expect_page(
    server: Scripted, *documents: t.Any, query: dict[str, str] | None = None, following: t.Any = None, **changes: t.Any
) -> None:
    body = {"rows_count": len(documents), "resources": list(documents), "next_url": following, **changes}
    server.expect("GET", PATH, body, query=query or SERVICE)


@pytest.mark.parametrize(
    ("identity", "path"),
    [
        (TARGET, TARGET),
        (TARGET.upper(), TARGET),
        (f" {TARGET} ", TARGET),
        (CRN, ENCODED),
        (CRN.removesuffix("::"), ENCODED),
        (f" {CRN}\n", ENCODED),
    ],
)
def test_by_guid_and_crn(identity: str, path: str, server: Scripted) -> None:
    server.expect("GET", f"{PATH}/{path}", document())
    assert controller(server).find(identity, "target").crn == CRN


@pytest.mark.parametrize(
    ("identity", "why"), [("", "target is empty"), ("  ", "target is empty"), ("crn:oops", "target is not the CRN")]
)
def test_what_names_nothing_is_refused_before_anything_is_sent(identity: str, why: str, server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match=why):
        controller(server).find(identity, "target")


@pytest.mark.parametrize("status", [404, 410])
def test_an_instance_that_is_not_there(status: int, server: Scripted, clock: FakeClock) -> None:
    server.expect("GET", f"{PATH}/{TARGET}", {"error_code": "RC-InstanceNotFound", "message": "gone"}, status=status)
    with pytest.raises(
        _errors.NotFound, match=rf"read instance {TARGET}.*gone \(HTTP {status}, code RC-InstanceNotFound"
    ):
        controller(server, clock).get(TARGET)
    assert clock.slept == []


@pytest.mark.parametrize("state", ["removed", "pending_reclamation", "pending_removal"])
def test_a_removed_instance_is_not_there(state: str, server: Scripted) -> None:
    server.expect("GET", f"{PATH}/{TARGET}", document(state=state))
    with pytest.raises(_errors.NotFound, match=f"the instance is {state}"):
        controller(server).get(TARGET)


@pytest.mark.parametrize("state", ["active", "inactive", "provisioning", "failed"])
def test_other_states_are_there(state: str, server: Scripted) -> None:
    server.expect("GET", f"{PATH}/{TARGET}", document(state=state))
    assert controller(server).get(TARGET).state == state


@pytest.mark.parametrize("other", [CRN.replace("messagehub", "kms"), CRN.replace("messagehub", "kms") + "messagehub:"])
def test_an_instance_of_another_service(other: str, server: Scripted) -> None:
    server.expect("GET", f"{PATH}/{TARGET}", document(crn=other, id=other))
    with pytest.raises(_errors.InvalidInput, match="not an Event Streams instance"):
        controller(server).get(TARGET)


@pytest.mark.parametrize("body", [{}, [], {"crn": "x"}, "null"])
def test_what_is_no_instance(body: t.Any, server: Scripted) -> None:
    server.expect("GET", f"{PATH}/{TARGET}", body)
    with pytest.raises(_errors.UnusableAnswer, match="not an instance"):
        controller(server).get(TARGET)


def test_a_unique_name(server: Scripted) -> None:
    expect_page(
        server,
        document(),
        document(SOURCE, name="es-target-2"),
        document(THIRD, state="removed"),
        document(THIRD, crn=crn(THIRD).replace("messagehub", "kms")),
        None,
        {"name": "es-target"},
        query={**SERVICE, "name": "es-target"},
    )
    assert controller(server).find(" es-target ", "target").guid == TARGET


def test_a_name_is_looked_up_without_the_catalog_id_too(server: Scripted) -> None:
    """That id is inferred, so an empty answer may be its fault."""
    expect_page(server, query={**SERVICE, "name": "es-target"})
    expect_page(server, document(), query={**BASE, "name": "es-target"})
    assert controller(server).find("es-target", "target").guid == TARGET


def test_a_name_of_nothing(server: Scripted) -> None:
    expect_page(server, query={**SERVICE, "name": "es target & co"})
    expect_page(server, query={**BASE, "name": "es target & co"})
    with pytest.raises(_errors.NotFound, match="no Event Streams instance named 'es target & co'") as caught:
        controller(server).find("es target & co", "source")
    assert "find source" in caught.value.message
    assert "Viewer" in caught.value.remedy


def test_a_name_of_several_instances_over_several_pages(server: Scripted) -> None:
    expect_page(server, document(), query={**SERVICE, "name": "es-target"}, following=f"{PATH}?start=abc&limit=100")
    expect_page(server, document(THIRD, "eu-de"), query={"start": "abc", "limit": "100"})
    with pytest.raises(_errors.NotUnique, match="'es-target' is the name of 2 instances") as caught:
        controller(server).find("es-target", "target")
    candidates = [CRN, crn(THIRD, "eu-de")]
    assert caught.value.failure()["candidates"] == candidates
    assert all(candidate in caught.value.message for candidate in candidates)
    assert "CRN or the GUID" in caught.value.remedy


@pytest.mark.parametrize(
    "following", [None, "", f"{PATH}", f"{PATH}?limit=100", f"{PATH}?start=", 5, {"start": "x"}, ["x"], "missing"]
)
def test_the_last_page(following: t.Any, server: Scripted) -> None:
    body: dict[str, t.Any] = {"resources": [document()]}
    if following != "missing":
        body["next_url"] = following
    server.expect("GET", PATH, body, query={**SERVICE, "name": "es-target"})
    assert [one.guid for one in controller(server).matching({"name": "es-target"})] == [TARGET]


@pytest.mark.parametrize(
    "following",
    [
        f"{PATH}?start=g1%2FA%3D&limit=100",
        "https://evil.example.com/v2/resource_instances?limit=1&start=g1%2FA%3D&name=x",
        "?start=g1%2FA%3D",
    ],
)
def test_only_the_start_of_the_next_url_is_used(following: str, server: Scripted) -> None:
    expect_page(server, document(), following=following)
    expect_page(server, document(SOURCE, "us-south"), query={"start": "g1/A=", "limit": "100"})
    assert [one.guid for one in controller(server).matching({})] == [TARGET, SOURCE]


def test_a_link_to_the_next_page_that_is_no_url(server: Scripted) -> None:
    expect_page(server, following="http://[/?start=a")
    with pytest.raises(_errors.UnusableAnswer, match="no URL"):
        controller(server).matching({})


def test_an_empty_page_in_between(server: Scripted) -> None:
    expect_page(server, following=f"{PATH}?start=a")
    expect_page(server, document(), query={"start": "a", "limit": "100"})
    assert len(controller(server).matching({})) == 1


def test_pages_without_end_are_an_error(server: Scripted) -> None:
    expect_page(server, document(), following=f"{PATH}?start=a")
    expect_page(server, document(), query={"start": "a", "limit": "100"}, following=f"{PATH}?start=b")
    expect_page(server, document(), query={"start": "b", "limit": "100"}, following=f"{PATH}?start=a")
    with pytest.raises(_errors.UnusableAnswer, match="do not end"):
        controller(server).matching({})


@pytest.mark.parametrize("body", [[], {}, {"resources": None}, {"resources": {}}, "null"])
def test_what_is_no_list(body: t.Any, server: Scripted) -> None:
    server.expect("GET", PATH, body, query=SERVICE)
    with pytest.raises(_errors.UnusableAnswer, match="no list of instances"):
        controller(server).matching({})


def test_an_update(server: Scripted) -> None:
    answer = document(last_operation={"type": "update", "state": "in progress"})
    server.expect(
        "PATCH", f"{PATH}/{TARGET}", answer, status=202, body={"parameters": {"mirroring": {"disable": True}}}
    )
    seen = controller(server).update(TARGET, "es (1)", {"mirroring": {"disable": True}}, "disable mirroring")
    assert seen.operation.phase == "running"


@pytest.mark.parametrize(
    ("details", "kind", "processed"),
    [
        (
            {"status": 422, "reply": {"error_code": "RC-ServiceBrokerErrorResponse", "message": "no"}},
            _errors.ApiError,
            "no",
        ),
        ({"status": 502, "reply": "<html>"}, _errors.ServiceFailed, "maybe"),
        ({"fault": "reset"}, _errors.NoAnswer, "maybe"),
        ({"status": 200, "reply": {"parameters": {}}}, _errors.UnusableAnswer, "maybe"),
        ({"status": 202, "reply": None}, _errors.UnusableAnswer, "maybe"),
        ({"status": 200, "reply": '{"crn": "c'}, _errors.UnusableAnswer, "maybe"),
    ],
)
def test_an_update_that_goes_wrong_is_sent_once(
    details: dict[str, t.Any], kind: type[_errors.ExchangeError], processed: str, server: Scripted, clock: FakeClock
) -> None:
    server.expect("PATCH", f"{PATH}/{TARGET}", body={"parameters": {}}, **details)
    with pytest.raises(kind, match="disable mirroring") as caught:
        controller(server, clock).update(TARGET, "es (1)", {}, "disable mirroring")
    assert caught.value.processed == processed
    assert caught.value.instance == "es (1)"
    assert clock.slept == []
