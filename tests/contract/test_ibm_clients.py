# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""IBM's SDKs must be able to drive the simulator; and its answers must fit their models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eventstreams_sdk.adminrest_v1 import MirroringActiveTopics, MirroringTopicSelection, TopicDetail
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import (
    ContainerAuthenticator,
    IAMAssumeAuthenticator,
    VPCInstanceAuthenticator,
)
from ibm_platform_services import ResourceControllerV2
from ibm_platform_services.iam_policy_management_v1 import (
    PoliciesPager,
    PolicyCollection,
    PolicyTemplateMetaData,
    RoleCollection,
    V2PoliciesPager,
    V2PolicyCollection,
    V2PolicyTemplateMetaData,
)
from ibm_platform_services.iam_policy_management_v1 import Policy as PolicyModel
from ibm_platform_services.iam_policy_management_v1 import V2Policy as V2PolicyModel
from ibm_platform_services.resource_controller_v2 import (
    ResourceInstance,
    ResourceInstancesList,
    ResourceInstancesPager,
)
from ibm_platform_services.resource_manager_v2 import ResourceGroupList


def fits(model: Any, document: Any) -> Any:
    """Read a document with an SDK model; nothing that the model knows may get lost."""
    read = model.from_dict(document)
    assert set(read.to_dict()) <= set(document)
    return read


@pytest.mark.parametrize("prefix", [False, True], ids=["plain", "with a path"])
def test_the_whole_flow(connect: Any, prefix: bool) -> None:
    clients = connect(prefix=prefix)
    found = clients.controller.list_resource_instances(name="es-target-us-east").get_result()
    listed = fits(ResourceInstancesList, found)
    assert [instance.guid for instance in listed.resources] == [clients.target.guid]
    by_crn = clients.controller.get_resource_instance(str(clients.target.crn)).get_result()
    assert fits(ResourceInstance, by_crn).guid == clients.target.guid

    created = clients.authorize()
    assert created.get_status_code() == 201
    assert fits(PolicyModel, created.get_result()).state == "active"

    updated = clients.enable().get_result()
    assert fits(ResourceInstance, updated).last_operation.state == "in progress"
    assert updated["state"] == "active"
    clients.sim.clock.advance(1)
    after = clients.controller.get_resource_instance(clients.target.guid).get_result()
    assert fits(ResourceInstance, after).last_operation.state == "succeeded"

    admin = clients.admin("es-target-us-east")
    assert fits(MirroringTopicSelection, admin.get_mirroring_topic_selection().get_result()).includes == []
    chosen = admin.replace_mirroring_topic_selection(includes=["^orders$", "^pay.*"]).get_result()
    assert fits(MirroringTopicSelection, chosen).includes == ["^orders$", "^pay.*"]
    clients.sim.clock.advance(1)
    active = fits(MirroringActiveTopics, admin.get_mirroring_active_topics().get_result())
    assert active.active_topics == ["orders", "payments"]
    names = {topic["name"] for topic in admin.list_topics().get_result()}
    assert names == {"orders.us-south", "payments.us-south", "us-south.checkpoints.internal"}

    clients.update(disable=True)
    clients.sim.clock.advance(1)
    with pytest.raises(ApiException) as refused:
        admin.get_mirroring_topic_selection()
    assert refused.value.status_code == 404
    clients.iam.delete_policy(created.get_result()["id"])
    policy = clients.iam.get_policy(created.get_result()["id"]).get_result()
    assert policy["state"] == "deleted"


def test_the_token_manager_renews_an_expired_token(connect: Any) -> None:
    clients = connect(timing={"token_seconds": 5})
    clients.controller.list_resource_instances()
    clients.controller.list_resource_instances()
    tokens = [entry for entry in clients.sim.journal if entry["path"] == "/identity/token"]
    assert len(tokens) == 2, "IBM's client calls a token expired ten seconds before its end"
    clients.sim.set_timing("token_seconds", 3600)
    for _dummy in range(3):
        clients.controller.list_resource_instances()
    tokens = [entry for entry in clients.sim.journal if entry["path"] == "/identity/token"]
    assert len(tokens) == 3


SOURCE_PROFILE = "Profile-11111111-aaaa-4bbb-8ccc-000000000011"


def test_ibms_own_authenticators_of_trusted_profiles(connect: Any, tmp_path: Path) -> None:
    """A key assumes the profile by its ID, its CRN and its name; a workload and a virtual server are given it."""
    clients = connect("two_accounts")
    url, key, account = clients.sim.url, "simulated-key-target", clients.source.account
    (tmp_path / "token").write_text("simulated-cr-token")
    crn = f"crn:v1:bluemix:public:iam-identity::a/{account}::profile:{SOURCE_PROFILE}"
    authenticators = [
        IAMAssumeAuthenticator(apikey=key, iam_profile_id=SOURCE_PROFILE, url=url),
        IAMAssumeAuthenticator(apikey=key, iam_profile_name="mirroring", iam_account_id=account, url=url),
        ContainerAuthenticator(cr_token_filename=str(tmp_path / "token"), iam_profile_id=SOURCE_PROFILE, url=url),
        ContainerAuthenticator(cr_token_filename=str(tmp_path / "token"), iam_profile_name="mirroring", url=url),
        VPCInstanceAuthenticator(iam_profile_id=SOURCE_PROFILE, url=url),
        VPCInstanceAuthenticator(iam_profile_crn=crn, url=url),
        VPCInstanceAuthenticator(url=url),
    ]
    for authenticator in authenticators:
        clients.sim.clear_journal()
        controller = ResourceControllerV2(authenticator=authenticator)
        controller.set_service_url(url)
        found = controller.list_resource_instances().get_result()["resources"]
        assert [one["guid"] for one in found] == [clients.source.guid]
        assert clients.sim.journal[-1]["caller"] == "mirroring"


def test_a_wrong_key_is_an_api_exception_with_text(clients: Any) -> None:
    clients.authenticator.token_manager.apikey = "wrong"
    clients.authenticator.token_manager.request_payload["apikey"] = "wrong"
    with pytest.raises(ApiException, match="Provided API key could not be found") as refused:
        clients.controller.list_resource_instances()
    assert refused.value.status_code == 400


def test_v1_policies(clients: Any) -> None:
    created = clients.authorize()
    number, etag = created.get_result()["id"], created.get_headers()["ETag"]
    listed = clients.iam.list_policies(clients.target.account, type="authorization").get_result()
    assert len(fits(PolicyCollection, listed).policies) == 1
    got = clients.iam.get_policy(number)
    assert fits(PolicyTemplateMetaData, got.get_result()).id == number
    assert got.get_headers()["ETag"] == etag
    body = got.get_result()
    replaced = clients.iam.replace_policy(
        number,
        etag,
        "authorization",
        [{"attributes": body["subjects"][0]["attributes"]}],
        body["roles"],
        body["resources"],
        description="described",
    )
    assert fits(PolicyModel, replaced.get_result()).description == "described"
    assert replaced.get_headers()["ETag"] != etag
    assert clients.iam.delete_policy(number).get_status_code() == 204
    etag = clients.iam.get_policy(number).get_headers()["ETag"]
    restored = clients.iam.update_policy_state(number, etag, state="active").get_result()
    assert fits(PolicyModel, restored).state == "active"


def test_v2_policies(clients: Any) -> None:
    created = clients.authorize_v2()
    number = created.get_result()["id"]
    assert fits(V2PolicyModel, created.get_result()).type == "authorization"
    listed = clients.iam.list_v2_policies(clients.target.account, type="authorization").get_result()
    assert len(fits(V2PolicyCollection, listed).policies) == 1
    assert fits(V2PolicyTemplateMetaData, clients.iam.get_v2_policy(number).get_result()).id == number
    seen = clients.iam.list_policies(clients.target.account).get_result()
    assert fits(PolicyCollection, seen).policies[0].roles[0].display_name == "Unsupported Version"
    assert clients.enable().get_status_code() == 200
    assert clients.iam.delete_v2_policy(number).get_status_code() == 204


def test_a_duplicate_is_409_with_the_policy(clients: Any) -> None:
    first = clients.authorize().get_result()
    with pytest.raises(ApiException, match="already there") as refused:
        clients.authorize()
    assert refused.value.status_code == 409
    answer = refused.value.http_response.json()
    assert answer["errors"][0]["details"]["conflicts_with"]["policy"]["id"] == first["id"]


def test_roles(clients: Any) -> None:
    answer = clients.iam.list_roles(
        service_name="messagehub", source_service_name="messagehub", policy_type="authorization"
    ).get_result()
    assert fits(RoleCollection, answer).service_roles[0].display_name == "Reader"


def test_the_pagers_reach_the_last_page(connect: Any) -> None:
    clients = connect(switches={"policy_page_size": "1", "instance_page_size": "1"})
    clients.authorize()
    clients.authorize_v2(swapped=True)
    account = clients.target.account
    assert len(PoliciesPager(client=clients.iam, account_id=account).get_all()) == 2
    assert len(V2PoliciesPager(client=clients.iam, account_id=account).get_all()) == 2
    names = [row["name"] for row in ResourceInstancesPager(client=clients.controller, limit=1).get_all()]
    assert names == ["es-source-us-south", "es-target-us-east"]


@pytest.mark.parametrize("form", ["null", "empty", "missing", "absolute"])
def test_the_instance_pager_takes_every_form_of_next_url(connect: Any, form: str) -> None:
    clients = connect(switches={"instance_page_size": "1", "next_url_form": form})
    assert len(ResourceInstancesPager(client=clients.controller).get_all()) == 2


def test_lock_unlock_rename_delete(clients: Any) -> None:
    guid = clients.target.guid
    assert fits(ResourceInstance, clients.controller.lock_resource_instance(guid).get_result()).locked is True
    with pytest.raises(ApiException, match="locked") as refused:
        clients.controller.update_resource_instance(guid, name="other")
    assert refused.value.status_code == 400
    assert clients.controller.unlock_resource_instance(guid).get_result()["locked"] is False
    renamed = clients.controller.update_resource_instance(guid, name="other").get_result()
    operation = fits(ResourceInstance, renamed).last_operation
    assert (renamed["name"], operation.state, operation.async_) == ("other", "succeeded", False)
    assert clients.controller.delete_resource_instance(guid, recursive=False).get_status_code() == 204
    assert clients.controller.get_resource_instance(guid).get_result()["state"] == "pending_reclamation"
    with pytest.raises(ApiException) as refused:
        clients.controller.delete_resource_instance(guid)
    assert refused.value.status_code == 410


def test_resource_groups(clients: Any) -> None:
    answer = clients.groups.list_resource_groups(account_id=clients.target.account).get_result()
    assert fits(ResourceGroupList, answer).resources[0].id == clients.target.resource_group


def test_topics(clients: Any) -> None:
    admin = clients.admin("es-source-us-south")
    configs = [{"name": "retention.ms", "value": "3600000"}]
    assert admin.create_topic(name="stock", partition_count=4, configs=configs).get_status_code() == 202
    topic = fits(TopicDetail, admin.get_topic("stock").get_result())
    assert (topic.partitions, topic.retention_ms, len(topic.replica_assignments)) == (4, 3600000, 4)
    admin.update_topic("stock", new_total_partition_count=6, configs=[{"name": "retention.ms", "value": "1"}])
    topic = fits(TopicDetail, admin.get_topic("stock").get_result())
    assert (topic.partitions, topic.retention_ms) == (6, 1)
    page = admin.list_topics(per_page=2, page=2)
    assert [row["name"] for row in page.get_result()] == ["payments", "stock"]
    assert page.get_headers()["X-Total-Count"] == "4"
    assert [row["name"] for row in admin.list_topics(topic_filter="pay*").get_result()] == ["payments"]
    assert admin.delete_topic("stock").get_status_code() == 202
    with pytest.raises(ApiException) as refused:
        admin.get_topic("stock")
    assert refused.value.status_code == 404
