# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trusted profiles: as a machine of IBM Cloud, and assumed by another identity (API §1.4)."""

from __future__ import annotations

import base64
import json
import pathlib
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors, _grants
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import Grant, Policy, Side
from ansible_collections.mirrorops.event_streams.plugins.module_utils._grants import Profile, read_profile
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    EPOCH,
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

ID = "Profile-0d1ab3a5-7d9c-4a3e-9d5b-3a8f9c1e2b44"
OTHER_ID = "Profile-99999999-7d9c-4a3e-9d5b-3a8f9c1e2b44"
CRN = f"crn:v1:bluemix:public:iam-identity::a/{ACCOUNT}::profile:{ID}"
CR_TOKEN = "compute-resource-token-do-not-show"
READY = "ready-made-token"
IDENTITY = "identity-of-the-virtual-server"
GRANT_WANTED = Grant(Side(ACCOUNT, "messagehub", TARGET, ""), Side(ACCOUNT, "messagehub", SOURCE, ""))
GRANT = "urn:ibm:params:oauth:grant-type:"
CR_FORM = {"grant_type": f"{GRANT}cr-token", "cr_token": CR_TOKEN}
METADATA_QUERY = {"version": "2022-03-01"}


def call_with(server: Scripted, clock: FakeClock | None = None, **params: t.Any) -> Call:
    urls = dict.fromkeys(("iam_endpoint", "resource_controller_endpoint", "metadata_endpoint"), server.url)
    return make_call(clock or FakeClock(), **{"visibility": "public", **urls, **params})


def assume_form(token: str, **profile: str) -> dict[str, str]:
    return {"grant_type": f"{GRANT}assume", "access_token": token, **profile}


def expect_token(server: Scripted, form: dict[str, str], number: int = 1, **details: t.Any) -> None:
    headers = {"Authorization": None, "Accept": "application/json"}
    server.expect("POST", "/identity/token", token_reply(number), form=form, headers=headers, **details)


def expect_read(server: Scripted, token: str, guid: str = TARGET, **details: t.Any) -> None:
    region = "us-east" if guid == TARGET else "us-south"
    server.expect(
        "GET",
        f"/v2/resource_instances/{guid}",
        document(guid, region),
        headers={"Authorization": f"Bearer {token}"},
        **details,
    )


def expect_virtual_server(
    server: Scripted, number: int = 1, body: t.Any = None, reply: t.Any = None, **details: t.Any
) -> None:
    server.expect(
        "PUT",
        "/instance_identity/v1/token",
        {"access_token": IDENTITY},
        query=METADATA_QUERY,
        body={"expires_in": 300},
        headers={"Metadata-Flavor": "ibm", "Authorization": None},
    )
    server.expect(
        "POST",
        "/instance_identity/v1/iam_token",
        reply or token_reply(number),
        query=METADATA_QUERY,
        body=body,
        headers={"Authorization": f"Bearer {IDENTITY}"},
        **details,
    )


@pytest.fixture
def cr_token_file(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{CR_TOKEN}\n")
    return str(path)


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        (ID, Profile(ID, None)),
        (f" {ID}\n", Profile(ID, None)),
        (f"iam-{ID}", Profile(ID, None)),
        (CRN, Profile(ID, None)),
        ("mirroring", Profile(None, "mirroring")),
        ("my profile: dr", Profile(None, "my profile: dr")),
    ],
)
def test_how_a_profile_is_named(text: str, profile: Profile) -> None:
    assert read_profile(text, "iam_profile") == profile


@pytest.mark.parametrize(
    "text", [" ", "crn:v1:bluemix", f"crn:v1:bluemix:public:messagehub:us-south:a/{ACCOUNT}:{TARGET}::"]
)
def test_what_names_no_profile(text: str, server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match="source_iam_profile is") as caught:
        connect(call_with(server, ibmcloud_api_key=KEY, source_iam_profile=text))
    assert "Profile-..." in caught.value.message


@pytest.mark.parametrize(
    ("profile", "field"), [(ID, {"profile_id": ID}), (CRN, {"profile_id": ID}), ("dr", {"profile_name": "dr"})]
)
def test_a_container_is_given_a_token(
    profile: str, field: dict[str, str], server: Scripted, cr_token_file: str
) -> None:
    expect_token(server, {**CR_FORM, **field})
    expect_read(server, jwt())
    call = call_with(server, compute_resource="container", cr_token_file=cr_token_file, iam_profile=profile)
    cloud = connect(call)
    assert cloud.target.instances.get(TARGET).guid == TARGET
    assert cloud.source is cloud.target
    assert cloud.target.own_account_id() == ACCOUNT
    assert {CR_TOKEN, jwt()} <= call.secrets
    assert not call.changed and not call.writes


def test_the_token_of_a_container_is_read_anew(server: Scripted, cr_token_file: str) -> None:
    """The platform replaces it, long before a wait of hours is over."""
    clock = FakeClock()
    expect_token(server, {**CR_FORM, "profile_id": ID}, 1)
    expect_read(server, jwt(1))
    expect_token(server, {**CR_FORM, "cr_token": "a-newer-one", "profile_id": ID}, 2)
    expect_read(server, jwt(2))
    options = {"compute_resource": "container", "cr_token_file": cr_token_file, "iam_profile": ID}
    cloud = connect(call_with(server, clock, **options))
    cloud.target.instances.get(TARGET)
    pathlib.Path(cr_token_file).write_text("a-newer-one")
    clock.now += 3590
    cloud.target.instances.get(TARGET)


def test_the_files_of_the_platforms_are_tried_in_order(
    server: Scripted, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (tmp_path / name for name in ("vault-token", "sa-token", "token"))
    monkeypatch.setattr(_grants, "CR_TOKEN_FILES", tuple(map(str, (first, second, third))))
    call = call_with(server, compute_resource="container", iam_profile=ID)
    with pytest.raises(_errors.AuthenticationFailed) as caught:
        connect(call).target.instances.get(TARGET)
    assert all(str(path) in caught.value.message for path in (first, second, third))
    assert "cr_token_file" in caught.value.message
    first.write_text(" ")
    second.write_text(CR_TOKEN)
    third.write_text("not-this-one")
    expect_token(server, {**CR_FORM, "profile_id": ID})
    expect_read(server, jwt())
    connect(call).target.instances.get(TARGET)


def test_the_usual_files_are_those_of_the_platforms() -> None:
    assert _grants.CR_TOKEN_FILES == (
        "/var/run/secrets/tokens/vault-token",
        "/var/run/secrets/tokens/sa-token",
        "/var/run/secrets/codeengine.cloud.ibm.com/compute-resource-token/token",
    )


def test_a_file_that_is_gone_for_a_moment_ends_no_wait(server: Scripted, cr_token_file: str) -> None:
    clock = FakeClock()
    expect_token(server, {**CR_FORM, "profile_id": ID})
    expect_read(server, jwt(), times=2)
    options = {"compute_resource": "container", "cr_token_file": cr_token_file, "iam_profile": ID}
    cloud = connect(call_with(server, clock, **options))
    cloud.target.instances.get(TARGET)
    pathlib.Path(cr_token_file).unlink()
    clock.now += 3000
    cloud.target.instances.get(TARGET)


@pytest.mark.parametrize(
    ("profile", "body"),
    [
        (None, None),
        (ID, {"trusted_profile": {"id": ID}}),
        (CRN, {"trusted_profile": {"id": ID}}),
        ("dr", {"trusted_profile": {"name": "dr"}}),
    ],
)
def test_a_virtual_server_is_given_a_token(profile: str | None, body: t.Any, server: Scripted) -> None:
    expect_virtual_server(server, body=body)
    expect_read(server, jwt())
    call = call_with(server, compute_resource="vpc", iam_profile=profile)
    assert connect(call).target.instances.get(TARGET).guid == TARGET
    assert {IDENTITY, jwt()} <= call.secrets
    assert not call.changed and not call.writes


def test_a_virtual_server_asks_past_every_proxy(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy is another machine, with a metadata service of its own; what is asked of the cloud itself goes through it as ever."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    expect_virtual_server(server)
    cloud = connect(call_with(server, compute_resource="vpc", retry_timeout=0))
    with pytest.raises(_errors.NoAnswer, match="Failed to read"):
        cloud.target.instances.get(TARGET)
    assert len(server.received) == 2


def test_a_metadata_service_that_is_not_there(server: Scripted) -> None:
    clock = FakeClock()
    call = call_with(server, clock, compute_resource="vpc", metadata_endpoint="http://127.0.0.1:9")
    with pytest.raises(_errors.NoAnswer, match="metadata service of the VPC") as caught:
        connect(call).target.instances.get(TARGET)
    assert "switched on for this virtual server" in caught.value.message
    assert sum(clock.slept) <= 15


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254", "http://169.254.169.254/", "https://api.metadata.cloud.ibm.com"]
)
def test_where_a_metadata_service_may_be(url: str, server: Scripted) -> None:
    connect(call_with(server, compute_resource="vpc", metadata_endpoint=url))


@pytest.mark.parametrize("url", ["http://169.254.169.253", "http://metadata.example.com", "169.254.169.254"])
def test_where_a_metadata_service_may_not_be(url: str, server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match="metadata_endpoint"):
        connect(call_with(server, compute_resource="vpc", metadata_endpoint=url))


@pytest.mark.parametrize(
    ("profile", "fields"),
    [
        (ID, {"profile_id": ID}),
        (CRN, {"profile_id": ID}),
        ("dr", {"profile_name": "dr", "account": ACCOUNT}),
    ],
)
def test_an_api_key_assumes_a_profile(profile: str, fields: dict[str, str], server: Scripted) -> None:
    expect_token(server, TOKEN_FORM, 1)
    expect_token(server, assume_form(jwt(1), **fields), 2)
    expect_read(server, jwt(2), times=2)
    call = call_with(server, ibmcloud_api_key=KEY, iam_profile=profile)
    cloud = connect(call)
    cloud.target.instances.get(TARGET)
    cloud.target.instances.get(TARGET)
    assert {KEY, jwt(1), jwt(2)} <= call.secrets
    assert not call.changed and not call.writes


def test_a_ready_made_token_assumes_a_profile(server: Scripted) -> None:
    expect_token(server, assume_form(READY, profile_id=ID))
    expect_read(server, jwt())
    connect(call_with(server, iam_token=f"Bearer {READY}", iam_profile=ID)).target.instances.get(TARGET)


def test_a_name_needs_an_account(server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match="iam_profile is a name") as caught:
        connect(call_with(server, iam_token=READY, iam_profile="dr")).target.instances.get(TARGET)
    assert "CRN" in caught.value.message


@pytest.mark.parametrize("status", [400, 401, 403])
def test_the_base_is_renewed_when_it_is_rejected(status: int, server: Scripted) -> None:
    expect_token(server, TOKEN_FORM, 1)
    expect_token(server, assume_form(jwt(1), profile_id=ID), status=status)
    expect_token(server, TOKEN_FORM, 2)
    expect_token(server, assume_form(jwt(2), profile_id=ID), 3)
    expect_read(server, jwt(3))
    connect(call_with(server, ibmcloud_api_key=KEY, iam_profile=ID)).target.instances.get(TARGET)


def test_the_assumed_token_is_renewed_when_it_is_rejected(server: Scripted) -> None:
    expect_token(server, TOKEN_FORM, 1)
    expect_token(server, assume_form(jwt(1), profile_id=ID), 2)
    expect_read(server, jwt(2), status=401)
    expect_token(server, assume_form(jwt(1), profile_id=ID), 3)
    expect_read(server, jwt(3))
    connect(call_with(server, ibmcloud_api_key=KEY, iam_profile=ID)).target.instances.get(TARGET)


REFUSED = {"errorCode": "BXNIM0512E", "errorMessage": "Not trusted, says access_token of whom."}


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_profile_that_does_not_trust_the_identity(status: int, server: Scripted) -> None:
    """Which status that has is not known (API §1.5). The key's token is renewed once, because it might be that; then the refusal is of the
    profile, in the service's own words."""
    expect_token(server, TOKEN_FORM, 1)
    server.expect("POST", "/identity/token", REFUSED, status=status, form=assume_form(jwt(1), profile_id=ID))
    expect_token(server, TOKEN_FORM, 2)
    server.expect("POST", "/identity/token", REFUSED, status=status, form=assume_form(jwt(2), profile_id=ID), times=3)
    with pytest.raises(_errors.AuthenticationFailed) as caught:
        connect(call_with(server, ibmcloud_api_key=KEY, iam_profile=ID)).target.instances.get(TARGET)
    for words in ("assume a trusted profile", ID, "Not trusted, says", "BXNIM0512E", "does it trust this identity"):
        assert words in caught.value.message
    assert KEY not in caught.value.message and "API key" not in caught.value.message


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_ready_made_token_that_is_no_good(status: int, server: Scripted) -> None:
    server.expect("POST", "/identity/token", REFUSED, status=status, form=assume_form(READY, profile_id=ID), times=3)
    with pytest.raises(_errors.AuthenticationFailed, match="is the identity's own token still valid") as caught:
        connect(call_with(server, iam_token=READY, iam_profile=ID)).target.instances.get(TARGET)
    assert "Not trusted" in caught.value.message


def test_a_refused_key_is_told_as_such(server: Scripted) -> None:
    """It is not asked for three times three times, and not called a matter of the profile."""
    refused = {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}
    server.expect("POST", "/identity/token", refused, status=400, form=TOKEN_FORM, times=3)
    with pytest.raises(_errors.AuthenticationFailed, match="does not accept the API key") as caught:
        connect(call_with(server, ibmcloud_api_key=KEY, iam_profile=ID)).target.instances.get(TARGET)
    assert "assume" not in caught.value.message


def test_a_machine_that_no_profile_trusts(server: Scripted, cr_token_file: str) -> None:
    form = {**CR_FORM, "profile_id": ID}
    server.expect("POST", "/identity/token", REFUSED, status=403, form=form, times=3)
    options = {"compute_resource": "container", "cr_token_file": cr_token_file, "iam_profile": ID}
    with pytest.raises(_errors.AuthenticationFailed, match="does not give this compute resource") as caught:
        connect(call_with(server, **options)).target.instances.get(TARGET)
    assert CR_TOKEN not in caught.value.message


def test_answers_without_a_token_are_not_quoted(server: Scripted) -> None:
    server.expect(
        "PUT",
        "/instance_identity/v1/token",
        '{"access_token": "half-of-it',
        query=METADATA_QUERY,
        body={"expires_in": 300},
    )
    with pytest.raises(_errors.UnusableAnswer, match="no usable token") as caught:
        connect(call_with(server, compute_resource="vpc", retry_timeout=0)).target.instances.get(TARGET)
    assert "half-of-it" not in caught.value.message


@pytest.mark.parametrize("status", [404, 409, 410, 422])
@pytest.mark.parametrize("resource", ["vpc", "container", None])
def test_what_is_said_of_a_token_is_not_said_of_what_it_is_for(
    status: int, resource: str | None, server: Scripted, cr_token_file: str
) -> None:
    """A 404 means that mirroring is not enabled, and a 409 that a policy is there: but only if the service says so that was asked."""
    options: dict[str, t.Any] = {"compute_resource": resource, "cr_token_file": cr_token_file, "iam_profile": ID}
    if resource is None:
        options = {"ibmcloud_api_key": KEY}
    token: dict[str, t.Any] = {"method": "POST", "path": "/identity/token", "form": {**CR_FORM, "profile_id": ID}}
    if resource == "vpc":
        token = {
            "method": "PUT",
            "path": "/instance_identity/v1/token",
            "query": METADATA_QUERY,
            "body": {"expires_in": 300},
        }
    if resource is None:
        token["form"] = TOKEN_FORM
    account = connect(call_with(server, admin_domains=[], admin_url=server.url, **options)).target
    policy = Policy("p1", "v2", "active", (), (), ())
    asking: list[t.Callable[[], t.Any]] = [
        lambda: account.admin(instance()).selection(),
        lambda: account.admin(instance()).active_topics(),
        lambda: account.admin(instance()).delete_topic("orders"),
        lambda: account.iam.create(GRANT_WANTED, None),
        lambda: account.iam.delete(policy),
        lambda: account.iam.authorizations(ACCOUNT),
        lambda: account.instances.get(TARGET),
    ]
    for ask in asking:
        server.expect(**token, reply={"message": "gone"}, status=status)
        with pytest.raises(_errors.AuthenticationFailed) as caught:
            ask()
        assert caught.value.status == status and "gone" in caught.value.message
    assert server.problems() == []


# --- two sides ---------------------------------------------------------------------------------------------------------


def test_one_key_assumes_a_profile_for_each_side(server: Scripted) -> None:
    """The usual way to reach two accounts with one identity. One token is fetched for the key."""
    expect_token(server, TOKEN_FORM, 1)
    expect_token(server, assume_form(jwt(1), profile_id=ID), 2)
    expect_read(server, jwt(2))
    expect_token(server, assume_form(jwt(1), profile_id=OTHER_ID), 3)
    expect_read(server, jwt(3), SOURCE)
    call = call_with(server, ibmcloud_api_key=KEY, source_api_key=KEY, iam_profile=ID, source_iam_profile=OTHER_ID)
    cloud = connect(call)
    cloud.target.instances.get(TARGET)
    cloud.source.instances.get(SOURCE)


def test_the_machine_takes_another_profile_for_the_source(server: Scripted, cr_token_file: str) -> None:
    for number, (profile, guid) in enumerate(((ID, TARGET), (OTHER_ID, SOURCE)), 1):
        expect_token(server, {**CR_FORM, "profile_id": profile}, number)
        expect_read(server, jwt(number), guid)
    options = {"compute_resource": "container", "cr_token_file": cr_token_file, "iam_profile": ID}
    cloud = connect(call_with(server, **options, source_iam_profile=OTHER_ID))
    cloud.target.instances.get(TARGET)
    cloud.source.instances.get(SOURCE)


@pytest.mark.parametrize("machine", ["target", "source"])
def test_a_machine_on_one_side_and_a_key_on_the_other(machine: str, server: Scripted) -> None:
    """A trusted profile trusts machines of its own account only, so the other account takes a key."""
    expect_virtual_server(server, 1)
    expect_read(server, jwt(1), TARGET if machine == "target" else SOURCE)
    expect_token(server, TOKEN_FORM, 2)
    expect_read(server, jwt(2), SOURCE if machine == "target" else TARGET)
    options = (
        {"compute_resource": "vpc", "source_api_key": KEY}
        if machine == "target"
        else {"ibmcloud_api_key": KEY, "source_compute_resource": "vpc"}
    )
    cloud = connect(call_with(server, **options))
    sides = [(cloud.target, TARGET), (cloud.source, SOURCE)]
    for account, guid in sides if machine == "target" else reversed(sides):
        account.instances.get(guid)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"compute_resource": "vpc", "ibmcloud_api_key": KEY}, "ibmcloud_api_key is as well"),
        ({"compute_resource": "vpc", "iam_token": READY}, "iam_token is as well"),
        (
            {"ibmcloud_api_key": KEY, "source_compute_resource": "vpc", "source_api_key": KEY},
            "source_compute_resource is given, and source_api_key is as well",
        ),
        ({"compute_resource": "container"}, "iam_profile is missing"),
        ({"ibmcloud_api_key": KEY, "source_compute_resource": "container"}, "source_iam_profile is missing"),
        ({"iam_profile": ID}, "no credentials"),
        ({"source_compute_resource": "vpc"}, "no credentials"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    options: dict[str, str], words: str, server: Scripted
) -> None:
    with pytest.raises(_errors.InvalidInput, match=words) as caught:
        connect(call_with(server, **options))
    assert caught.value.remedy and KEY not in caught.value.message


def test_what_a_token_without_claims_lasts(server: Scripted) -> None:
    """The metadata service tells the lifetime as IAM does; without it, the claims count (API §1.2)."""
    claims = base64.urlsafe_b64encode(json.dumps({"iat": EPOCH, "exp": EPOCH + 100}).encode()).decode().rstrip("=")
    token = f"h.{claims}.s"
    expect_virtual_server(server, reply={"access_token": token})
    expect_read(server, token, times=2)
    expect_virtual_server(server, 2)
    expect_read(server, jwt(2))
    clock = FakeClock()
    account = connect(call_with(server, clock, compute_resource="vpc")).target
    for later in (0, 79, 2):
        clock.now += later
        account.instances.get(TARGET)


def test_a_text_that_is_too_short_for_a_token_is_not_masked_everywhere(server: Scripted) -> None:
    """Every e of every message would be a riddle."""
    server.expect("POST", "/identity/token", {"access_token": "e", "expires_in": 3600}, form=TOKEN_FORM)
    expect_read(server, "e")
    call = call_with(server, ibmcloud_api_key=KEY)
    connect(call).target.instances.get(TARGET)
    assert "e" not in call.secrets


@pytest.mark.parametrize(
    ("resource", "warned"), [({"compute_resource": "vpc"}, True), ({"source_compute_resource": "container"}, False)]
)
def test_a_file_that_is_not_used_is_told(
    resource: dict[str, str], warned: bool, server: Scripted, cr_token_file: str
) -> None:
    options = {"cr_token_file": cr_token_file, "source_iam_profile": ID, **resource}
    call = call_with(server, **({} if "compute_resource" in resource else {"ibmcloud_api_key": KEY}), **options)
    warnings: list[str] = []
    call.warn = warnings.append
    connect(call)
    assert bool(warnings) is warned
