#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: authorization_policy_info
short_description: List service-to-service authorizations in IBM Cloud IAM
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Lists the active authorization policies of an account, of both syntaxes, and tells which of them cover an access. This module speaks
    IAM's own words, which for mirroring are B(the other way round). IAM's source is the service that asks, so it is the mirroring
    target; IAM's target is the service that is asked, so it is the mirroring source.
  - An identity that may not read policies gets an empty list, not an error. So an empty list is no proof that there are none.
options:
  covering_only:
    description:
      - Whether to return only the policies that cover the access that the other options describe.
      - Needs O(source_service_instance_id) and O(target_service_instance_id).
    type: bool
    default: false
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.grant
  - mirrorops.event_streams.role
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
seealso:
  - module: mirrorops.event_streams.authorization_policy
"""

EXAMPLES = r"""
- name: List all authorizations of an account
  mirrorops.event_streams.authorization_policy_info:
    account_id: a1b2c3d4e5f60718293a4b5c6d7e8f90
  register: result

- name: Which policies let the mirroring target (IAM's source) read the mirroring source (IAM's target)?
  mirrorops.event_streams.authorization_policy_info:
    account_id: a1b2c3d4e5f60718293a4b5c6d7e8f90
    source_service_instance_id: 22222222-aaaa-4bbb-8ccc-000000000002
    target_service_instance_id: 11111111-aaaa-4bbb-8ccc-000000000001
    covering_only: true
"""

RETURN = r"""
policies:
  description: The policies, each with RV(policies[].covers). Empty if there are none, or if the identity may not see them.
  returned: success
  type: list
  elements: dict
  contains:
    covers:
      description: Whether the policy covers the access that the options describe.
      type: bool
      sample: true
    id:
      description: Id of the policy; null where it cannot be known, as in check mode.
      type: str
      sample: d0806031-8905-4832-a948-205aed4b4fd4
    version:
      description: The syntax that the policy was written in.
      type: str
      sample: v1
    state:
      description: State of the policy.
      type: str
      sample: active
    description:
      description: Its description.
      type: str
      sample: Event Streams mirroring
    roles:
      description: Names of the roles.
      type: list
      elements: str
      sample: [Reader]
    subject:
      description: What is said about the service that asks.
      type: list
      elements: dict
      sample: [{"key": "serviceName", "operator": "stringEquals", "value": "messagehub"}]
    resource:
      description: What is said about the service that is asked.
      type: list
      elements: dict
      sample: [{"key": "serviceName", "operator": "stringEquals", "value": "messagehub"}]
    created_at:
      description: When it was created, as IAM says; null if it does not.
      type: str
      sample: "2026-01-01T10:00:00.000Z"
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.grants import (
    GRANT,
    read_account,
    read_grant,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import CLOUD, ROLE, ArgSpec

SPEC = ArgSpec({"covering_only": {"type": "bool", "default": False}}).merge(CLOUD, GRANT, ROLE)


def run(call: Call) -> Result:
    """Lists the policies. Raises MirrorOpsError."""
    source, target = (call.params[f"{side}_service_instance_id"] for side in ("source", "target"))
    if call.params["covering_only"] and not (source and target):
        raise InvalidInput(
            "covering_only needs to know what is to be covered",
            remedy="Give source_service_instance_id and target_service_instance_id.",
        )
    account = connect(call).target
    account_id = read_account(call.params, account)
    grant = read_grant(call.params, account_id) if source and target else None
    listed = [
        {**policy.to_result(), "covers": grant is not None and policy.covers(grant)}
        for policy in account.iam.authorizations(account_id)
    ]
    return {"policies": [one for one in listed if one["covers"] or not call.params["covering_only"]]}


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
