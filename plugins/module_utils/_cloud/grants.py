# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task's options to a grant. Private to this collection: it may change at any time."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import Grant, Side
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import is_guid
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ArgSpec

_ACCOUNT = re.compile(r"[A-Za-z0-9]{1,100}")
_SERVICE = re.compile(r"[A-Za-z0-9._-]{1,100}")
_ROLE = re.compile(r"[A-Za-z0-9._-]{1,100}|crn:v1(:[A-Za-z0-9._~%/-]{0,100}){8}")

GRANT = ArgSpec(
    {
        "account_id": {"type": "str"},
        "source_service_name": {"type": "str", "default": "messagehub"},
        "source_service_instance_id": {"type": "str"},
        "source_service_account": {"type": "str"},
        "source_resource_group_id": {"type": "str"},
        "target_service_name": {"type": "str", "default": "messagehub"},
        "target_service_instance_id": {"type": "str"},
        "target_resource_group_id": {"type": "str"},
        "roles": {"type": "list", "elements": "str", "default": ["Reader"]},
    }
)


def read_account(params: dict[str, t.Any], account: Account) -> str:
    """The account that owns the policies: the option, else the API key's own. Raises InvalidInput when neither tells."""
    account_id = params["account_id"] or account.own_account_id()
    if not account_id:
        raise _errors.InvalidInput(
            "the account of the policies is not known",
            remedy="Give account_id, or an API key, whose token names its account.",
        )
    _check_account(str(account_id), "account_id")
    return str(account_id)


def read_grant(params: dict[str, t.Any], account_id: str) -> Grant:
    """The grant that a task asks for, in IAM's words (API §2.1, §2.4). Raises InvalidInput."""
    for option in ("source_service_instance_id", "target_service_instance_id"):
        if params[option] and not is_guid(params[option]):
            raise _errors.InvalidInput(
                f"{option} is not a GUID: {params[option]!r}",
                remedy="Policies name instances by GUID, which is the eighth segment of the CRN.",
            )
    for option in ("source_service_name", "target_service_name"):
        if not _SERVICE.fullmatch(params[option]):
            raise _errors.InvalidInput(
                f"{option} is not the name of a service: {params[option]!r}", remedy="Such as messagehub."
            )
    if not params["roles"] or not all(params["roles"]):
        raise _errors.InvalidInput("roles is empty", remedy="Mirroring needs the role Reader.")
    for role in params["roles"]:
        if not _ROLE.fullmatch(role):
            raise _errors.InvalidInput(
                f"roles has what is neither the name nor the CRN of a role: {role!r}", remedy="Such as Reader."
            )
    if params["source_service_account"]:
        _check_account(params["source_service_account"], "source_service_account")
    subject = Side(
        params["source_service_account"] or account_id,
        params["source_service_name"],
        _lower(params["source_service_instance_id"]),
        params["source_resource_group_id"],
    )
    resource = Side(
        account_id,
        params["target_service_name"],
        _lower(params["target_service_instance_id"]),
        params["target_resource_group_id"],
    )
    if subject == resource:
        raise _errors.InvalidInput(
            "both sides of the authorization are the same instance", remedy="Give two different instances."
        )
    return Grant(subject, resource, tuple(params["roles"]))


def _check_account(account_id: str, option: str) -> None:
    if not _ACCOUNT.fullmatch(account_id):
        raise _errors.InvalidInput(
            f"{option} is not an account id: {account_id!r}",
            remedy="Give its letters and digits only; in a CRN they follow a/.",
        )


def _lower(guid: str | None) -> str | None:
    """A GUID as policies are compared with, which tell small letters from capital ones."""
    return guid.lower() if guid else guid
