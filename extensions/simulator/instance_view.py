# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance documents of the Resource Controller (API §3.4, §3.6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .clock import iso_nanos
from .instances import GEN2, Instance, Operation
from .monitors import Monitor
from .switches import Switches

SUCCESS = "Update succeeded."


def operation_view(operation: Operation | None, switches: Switches) -> dict[str, Any] | None:
    """Return ``last_operation``."""
    if operation is None:
        return None
    kind, state, description = operation.type, operation.state, operation.description
    if state == "succeeded" and kind == "update" and operation.is_async:
        wording = switches["success_wording"]
        if wording == "sync_state":
            state = "sync succeeded"
        elif wording == "sync_description":
            description = "Sync succeeded."
        elif wording == "sync_type":
            kind = "sync"
    moment = operation.finished if operation.finished is not None else operation.started
    shown = operation.is_async and switches["operation_updated_at"] == "set"
    view: dict[str, Any] = {
        "type": kind,
        "state": state,
        "description": description,
        "updated_at": iso_nanos(moment) if shown else None,
        "cancelable": False,
    }
    if switches["last_operation_extras"] == "present":
        view["async"] = operation.is_async
        view["poll"] = operation.running
    if operation.running and switches["poll_after"] != "absent":
        view["poll_after"] = 1 if switches["poll_after"] == "number" else 3600
    return view


def _parameters(instance: Instance, switches: Switches) -> dict[str, Any]:
    shown = dict(instance.parameters)
    if switches["parameters_shown"] == "none":
        shown.pop("throughput", None)
        shown.pop("storage_size", None)
    block: dict[str, Any] | None = None
    if switches["echo"] in ("full", "outdated"):
        ended = instance.ended_mirroring if switches["echo"] == "outdated" else None
        block = instance.mirroring.block if instance.mirroring else ended
        change = instance.operation.change if instance.operation and instance.operation.running else None
        if change and change.mirroring:
            block = change.mirroring.block
        elif change and change.disable:
            block = {"disable": True}
    elif switches["echo"] == "literal":
        block = instance.sent_mirroring
    if block is not None:
        shown["mirroring"] = block
    return shown


def _extensions(instance: Instance, switches: Switches, admin_url: str) -> dict[str, Any]:
    short = "mh-" + instance.guid.replace("-", "")[:20]
    if instance.plan == GEN2:
        host = f"{instance.guid}.{instance.region}.eventstreams.cloud.ibm.com"
        return {
            "dataservices": {
                "connection": {"bootstrap_servers": [f"b0.{host}:9093"], "rest_url": f"https://rest.{host}"},
                "resources": {
                    "kafka": {
                        "storage_gb": instance.storage_size,
                        "throughput_mb_s": instance.throughput,
                        "version": "3.9",
                    }
                },
            }
        }
    domain = f"{short}.{instance.region}.containers.appdomain.cloud"
    zones = {"us-south": "dal10", "us-east": "wdc04"}
    extensions: dict[str, Any] = {
        "kafka_http_url": admin_url,
        "kafka_brokers_sasl": [f"kafka-{number}.{domain}:9093" for number in range(3)],
        "kafka_broker_version": "3.8",
        "virtual_private_endpoints": {
            "dns_domain": f"private.{instance.region}.messagehub.appdomain.cloud",
            "origin_type": "cse",
            "dns_hosts": [f"kafka-{number}-{short}" for number in range(3)] + [short],
            "endpoints": [{"ip_address": "166.9.14.10", "zone": zones.get(instance.region, instance.region + "-1")}],
            "ports": [{"port_min": 443, "port_max": 9093}],
        },
    }
    if switches["admin_url_published"] == "absent":
        del extensions["kafka_http_url"]
    elif switches["admin_url_published"] == "private":
        extensions["kafka_http_url"] = f"https://{short}.private.{instance.region}.messagehub.appdomain.cloud"
    if switches["echo"] == "extensions" and instance.mirroring:
        extensions["mirroring"] = instance.mirroring.block
    return extensions


def instance_view(instance: Instance, switches: Switches, admin_url: str) -> dict[str, Any]:
    """Return the whole document of an Event Streams instance."""
    parameters, extensions = _parameters(instance, switches), _extensions(instance, switches, admin_url)
    return _document(instance, switches, parameters, extensions)


def monitor_view(monitor: Monitor, switches: Switches) -> dict[str, Any]:
    """Return the whole document of a monitoring instance."""
    shown = switches["default_receiver_shown"] == "shown"
    return _document(monitor, switches, {"default_receiver": monitor.receives} if shown else {}, {})


def _document(
    instance: Instance | Monitor, switches: Switches, parameters: dict[str, Any], extensions: dict[str, Any]
) -> dict[str, Any]:
    crn, path = str(instance.crn), f"/v2/resource_instances/{instance.guid}"
    group_scope = f"crn:v1:bluemix:public:resource-controller::a/{instance.account}::resource-group:"
    owner = "IBMid-5500012345"
    return {
        "id": crn,
        "crn": crn,
        "guid": instance.guid,
        "url": path,
        "created_at": iso_nanos(instance.created),
        "updated_at": iso_nanos(instance.updated),
        "deleted_at": None if instance.deleted_at is None else iso_nanos(instance.deleted_at),
        "created_by": owner,
        "updated_by": owner,
        "deleted_by": "" if instance.deleted_at is None else owner,
        "scheduled_reclaim_at": None,
        "scheduled_reclaim_by": "",
        "restored_at": None,
        "restored_by": "",
        "name": instance.name,
        "region_id": instance.region,
        "account_id": instance.account,
        "reseller_channel_id": "",
        "resource_plan_id": instance.plan,
        "resource_id": instance.resource_id,
        "resource_group_id": instance.resource_group,
        "resource_group_crn": group_scope + instance.resource_group,
        "target_crn": f"crn:v1:bluemix:public:globalcatalog::::deployment:{instance.plan}%3A{instance.region}",
        "state": instance.state,
        "type": "service_instance",
        "sub_type": "",
        "allow_cleanup": False,
        "locked": instance.locked,
        "onetime_credentials": False,
        "migrated": False,
        "controlled_by": "",
        "dashboard_url": f"https://cloud.ibm.com/services/{instance.crn.service}/{quote(crn, safe='')}",
        "parameters": parameters,
        "extensions": extensions,
        "last_operation": operation_view(instance.operation, switches),
        "resource_aliases_url": f"{path}/resource_aliases",
        "resource_bindings_url": f"{path}/resource_bindings",
        "resource_keys_url": f"{path}/resource_keys",
        "plan_history": [
            {"resource_plan_id": instance.plan, "start_date": iso_nanos(instance.created), "requestor_id": owner}
        ],
    }
