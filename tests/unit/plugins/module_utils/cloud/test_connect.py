# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect, endpoint
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    TOKEN_FORM,
    FakeClock,
    document,
    instance,
    jwt,
    make_call,
    token_reply,
)

READY = "ready-made-token"


def call_with(server: Scripted | None = None, **params: t.Any) -> Call:
    base = {} if server is None else {"iam_endpoint": server.url, "resource_controller_endpoint": server.url}
    return make_call(FakeClock(), **{"visibility": "public", "admin_domains": [], **base, **params})


def expect_instance(server: Scripted, token: str) -> None:
    server.expect("GET", f"/v2/resource_instances/{TARGET}", document(), headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("option", "visibility", "expected"),
    [
        ("iam_endpoint", "public", "https://iam.cloud.ibm.com"),
        ("iam_endpoint", "public-and-private", "https://iam.cloud.ibm.com"),
        ("iam_endpoint", "private", "https://private.iam.cloud.ibm.com"),
        ("resource_controller_endpoint", "public", "https://resource-controller.cloud.ibm.com"),
        ("resource_controller_endpoint", "private", "https://private.resource-controller.cloud.ibm.com"),
    ],
)
def test_default_endpoints(option: str, visibility: str, expected: str) -> None:
    assert endpoint({"visibility": visibility}, option) == expected
    assert endpoint({"visibility": visibility, option: "https://p.example.com/x/"}, option) == "https://p.example.com/x"
    with pytest.raises(_errors.InvalidInput, match=option):
        endpoint({"visibility": visibility, option: "http://p.example.com"}, option)


@pytest.mark.parametrize(
    ("option", "region", "expected"),
    [
        ("iam_endpoint", "us-south", "https://private.us-south.iam.cloud.ibm.com"),
        ("iam_endpoint", " US-East ", "https://private.us-east.iam.cloud.ibm.com"),
        ("iam_endpoint", "eu-de", "https://private.iam.cloud.ibm.com"),
        ("resource_controller_endpoint", "us-east", "https://private.us-east.resource-controller.cloud.ibm.com"),
        ("resource_controller_endpoint", "jp-tok", "https://private.resource-controller.cloud.ibm.com"),
        ("monitoring_endpoint", "us-south", "https://private.eu-gb.monitoring.cloud.ibm.com"),
    ],
)
def test_private_endpoints_are_those_of_the_region_if_it_has_some(option: str, region: str, expected: str) -> None:
    """Monitoring is where the instance is, whatever the region of the task."""
    private = {"visibility": "private", "endpoint_region": region}
    assert endpoint(private, option, "eu-gb") == expected
    public = endpoint({"endpoint_region": region}, option, "eu-gb")
    assert "private" not in public and region.strip().lower() not in public
    assert endpoint({**private, option: "https://p.example.com"}, option, "eu-gb") == "https://p.example.com"


def test_no_credentials() -> None:
    with pytest.raises(_errors.InvalidInput, match="no credentials") as caught:
        connect(call_with())
    assert "IC_API_KEY" in caught.value.remedy


def test_the_source_key_alone_is_not_enough() -> None:
    with pytest.raises(_errors.InvalidInput, match="no credentials"):
        connect(call_with(source_api_key=KEY))


@pytest.mark.parametrize("option", ["iam_endpoint", "resource_controller_endpoint"])
def test_bad_endpoints_are_refused_before_anything_is_sent(option: str) -> None:
    with pytest.raises(_errors.InvalidInput, match=option):
        connect(call_with(ibmcloud_api_key=KEY, **{option: "http://example.com"}))


def test_a_ready_made_token_is_used_without_a_key(server: Scripted) -> None:
    expect_instance(server, READY)
    cloud = connect(call_with(server, iam_token=READY))
    assert cloud.target.instances.get(TARGET).guid == TARGET
    assert cloud.source is cloud.target
    assert cloud.target.own_account_id() is None


@pytest.mark.parametrize("token", ["two\nlines", "car\rriage", "€"])
def test_a_token_that_no_header_can_carry(token: str, server: Scripted) -> None:
    """Unhandled, the text of http.client's own error would show the token."""
    with pytest.raises(_errors.MirrorOpsError) as caught:
        connect(call_with(server, iam_token=READY + token)).target.instances.get(TARGET)
    assert READY not in caught.value.message


def test_a_key_is_preferred_to_a_ready_made_token(server: Scripted) -> None:
    server.expect("POST", "/identity/token", token_reply(), form=TOKEN_FORM)
    expect_instance(server, jwt())
    call = call_with(server, iam_token=READY, ibmcloud_api_key=KEY)
    cloud = connect(call)
    cloud.target.instances.get(TARGET)
    assert cloud.target.own_account_id() == ACCOUNT


def test_a_key_out_of_a_file_is_secret_too(server: Scripted, tmp_path: pathlib.Path) -> None:
    (tmp_path / "key").write_text(KEY)
    call = call_with(server, ibmcloud_api_key=f"@{tmp_path}/key")
    connect(call)
    assert KEY in call.secrets


def test_two_keys_are_two_identities(server: Scripted) -> None:
    server.expect("POST", "/identity/token", token_reply(1), form={**TOKEN_FORM, "apikey": "source-key"})
    server.expect(
        "GET",
        f"/v2/resource_instances/{SOURCE}",
        document(SOURCE, "us-south"),
        headers={"Authorization": f"Bearer {jwt(1)}"},
    )
    server.expect("POST", "/identity/token", token_reply(2), form=TOKEN_FORM)
    expect_instance(server, jwt(2))
    call = call_with(server, ibmcloud_api_key=KEY, source_api_key="source-key")
    cloud = connect(call)
    cloud.source.instances.get(SOURCE)
    cloud.target.instances.get(TARGET)
    assert {KEY, "source-key", jwt(1), jwt(2)} <= call.secrets


def test_the_same_key_twice_is_exchanged_once(server: Scripted) -> None:
    server.expect("POST", "/identity/token", token_reply(1), form=TOKEN_FORM)
    for _dummy in range(2):
        expect_instance(server, jwt(1))
    cloud = connect(call_with(server, ibmcloud_api_key=KEY, source_api_key=KEY))
    cloud.source.instances.get(TARGET)
    cloud.target.instances.get(TARGET)


def test_transaction_headers_by_service(server: Scripted) -> None:
    expect_instance(server, READY)
    server.expect("GET", "/v1/policies", {"policies": []}, query={"account_id": ACCOUNT, "type": "authorization"})
    server.expect("GET", "/v2/policies", {"policies": []}, query={"account_id": ACCOUNT, "type": "authorization"})
    server.expect("GET", "/admin/status", {"status": "available"})
    account = connect(call_with(server, iam_token=READY, admin_url=server.url)).target
    account.instances.get(TARGET)
    account.iam.authorizations(ACCOUNT)
    account.admin(instance()).status()
    names = [{name.lower() for name in one.headers} for one in server.received]
    assert ["transaction-id" in one for one in names] == [True, True, True, False]
    assert ["x-global-transaction-id" in one for one in names] == [False, False, False, True]


def published(url: str | None, **params: t.Any) -> str:
    """The URL that the admin API of an instance with such a document is asked at."""
    extensions = {} if url is None else {"kafka_http_url": url}
    account = connect(call_with(iam_token=READY, **params)).target
    return account.admin(instance(extensions=extensions))._api.base_url


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("https://mh-x.us-south.containers.appdomain.cloud", {}),
        ("https://mh-x.us-south.containers.appdomain.cloud:443/", {}),
        ("https://MH-X.us-south.containers.appdomain.cloud", {}),
        ("https://mh-x.private.us-south.messagehub.appdomain.cloud", {}),
        ("https://x.svc01.us-south.eventstreams.cloud.ibm.com", {}),
        ("https://kafka.example.com", {"admin_domains": ["example.com"]}),
        ("https://kafka.example.com", {"admin_domains": [" .example.com "]}),
        ("https://kafka.example.com", {"admin_domains": ["Example.COM"]}),
        ("https://kafka.example.com", {"admin_domains": ["other.org", "kafka.example.com"]}),
        ("http://127.0.0.1:9/x", {"resource_controller_endpoint": "http://127.0.0.1:1"}),
        ("http://localhost:9", {"resource_controller_endpoint": "http://[::1]:1/rc"}),
    ],
)
def test_published_admin_urls_that_are_trusted(url: str, params: dict[str, t.Any]) -> None:
    assert published(url, **params) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("https://kafka.example.com", {}),
        ("https://containers.appdomain.cloud.example.com", {}),
        ("https://evilcontainers.appdomain.cloud", {}),
        ("https://example.com/containers.appdomain.cloud", {}),
        ("https://example.com#.containers.appdomain.cloud", {}),
        ("https://mh.containers.appdomain.cloud@example.com", {}),
        ("https://example.com\\.containers.appdomain.cloud", {}),
        ("https://mh:pw@mh.containers.appdomain.cloud", {}),
        ("http://mh-x.us-south.containers.appdomain.cloud", {}),
        ("ftp://mh-x.us-south.containers.appdomain.cloud", {}),
        ("//mh-x.us-south.containers.appdomain.cloud", {}),
        ("mh-x.us-south.containers.appdomain.cloud", {}),
        ("https://[oops", {}),
        ("https://", {}),
        ("https://kafka.example.com", {"admin_domains": [""]}),
        ("https://kafka.example.com", {"admin_domains": ["."]}),
        ("https://kafka.example.com", {"admin_domains": ["ample.com"]}),
        ("http://127.0.0.1:9", {}),
        ("https://127.0.0.1:9", {}),
        ("http://10.0.0.1:9", {"resource_controller_endpoint": "http://127.0.0.1:1"}),
        ("http://127.0.0.1:9", {"resource_controller_endpoint": "https://127.0.0.1.example.com"}),
    ],
)
def test_published_admin_urls_that_get_no_credentials(url: str, params: dict[str, t.Any]) -> None:
    with pytest.raises(_errors.InvalidInput, match="admin URL"):
        published(url, **params)


def test_a_document_without_an_admin_url() -> None:
    with pytest.raises(_errors.InvalidInput, match="shows no admin URL") as caught:
        published(None)
    assert "Give it as admin_url" in caught.value.remedy


@pytest.mark.parametrize("suffix", ["", "/", "/identity/token", "/identity/token/"])
def test_iam_may_be_given_with_the_path_of_its_token_call(suffix: str) -> None:
    assert endpoint({"iam_endpoint": f"https://proxy/iam{suffix}"}, "iam_endpoint") == "https://proxy/iam"


@pytest.mark.parametrize("option", ["admin_url", "source_admin_url"])
def test_a_given_admin_url_wins_and_needs_no_known_domain(option: str) -> None:
    account = connect(call_with(iam_token=READY, **{option: "https://kafka.example.com/x/"})).target
    assert account.admin(instance(), option)._api.base_url == "https://kafka.example.com/x"
    other = "source_admin_url" if option == "admin_url" else "admin_url"
    assert account.admin(instance(), other)._api.base_url == instance().admin_url


def test_a_given_admin_url_must_be_encrypted() -> None:
    with pytest.raises(_errors.InvalidInput, match="admin_url would send credentials unencrypted"):
        connect(call_with(iam_token=READY, admin_url="http://kafka.example.com"))
