#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: authorization_policy
short_description: Manage a service-to-service authorization in IBM Cloud IAM
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Makes sure that one service instance may access another one, or takes that right back. This module speaks IAM's own words, which for
    mirroring are B(the other way round). IAM's source is the service that asks, so it is the mirroring target; IAM's target is the
    service that is asked, so it is the mirroring source.
  - A policy that already covers the access is adopted, whether it was written in v1 or v2 syntax, for the instance, its resource group or the
    whole service, with the role or a higher one.
  - A policy the wrong way round does not count. It is reported.
  - When the answer to a creation is lost, the policies are read before it is tried again.
options:
  description:
    description: The description of a policy that is created. An existing one is not changed.
    type: str
    default: Event Streams mirroring
  state:
    description:
      - V(present) makes sure that the access is granted.
      - V(absent) deletes the policies that grant exactly this and nothing more. Wider ones are left alone, with a warning.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.grant
  - mirrorops.event_streams.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: mirrorops.event_streams.authorization_policy_info
"""

EXAMPLES = r"""
- name: Let the mirroring target (IAM's source) read the mirroring source (IAM's target)
  mirrorops.event_streams.authorization_policy:
    account_id: a1b2c3d4e5f60718293a4b5c6d7e8f90
    source_service_instance_id: 22222222-aaaa-4bbb-8ccc-000000000002
    target_service_instance_id: 11111111-aaaa-4bbb-8ccc-000000000001
  register: result

- name: Show the policy, which may be an older and wider one
  ansible.builtin.debug:
    var: result.policy

- name: The same when the mirroring target is in another account; the API key is of the account of the mirroring source
  mirrorops.event_streams.authorization_policy:
    account_id: a1b2c3d4e5f60718293a4b5c6d7e8f90
    source_service_account: 0f9e8d7c6b5a49382716051423324150
    source_service_instance_id: 22222222-aaaa-4bbb-8ccc-000000000002
    target_service_instance_id: 11111111-aaaa-4bbb-8ccc-000000000001

- name: Take the access back
  mirrorops.event_streams.authorization_policy:
    account_id: a1b2c3d4e5f60718293a4b5c6d7e8f90
    source_service_instance_id: 22222222-aaaa-4bbb-8ccc-000000000002
    target_service_instance_id: 11111111-aaaa-4bbb-8ccc-000000000001
    state: absent
"""

RETURN = r"""
policy:
  description: The policy that grants the access; null if there is none.
  returned: success
  type: dict
  contains:
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
exact:
  description: Whether the policy grants exactly what was asked for. If not, it is a wider one that was adopted.
  returned: success
  type: bool
  sample: true
authorized_at:
  description:
    - When the policy came into being, as ISO 8601 in UTC. For a policy that this task created, by the clock of the machine that runs it.
    - For one that exists and cannot be seen, when the service said so; it is at least that old.
    - Null if it is not known.
  returned: success
  type: str
  sample: "2026-01-01T10:00:00Z"
reversed_ids:
  description:
    - Ids of policies that grant the same the wrong way round. They do not count. Where a policy in v1 syntax grants the access, those in v2
      syntax are not looked at.
  returned: success
  type: list
  elements: str
  sample: []
evidence:
  description: When the task began and ended, and the requests by which it wrote something, for records. Also when it failed.
  returned: always
  type: dict
  contains:
    started_at:
      description: When it began.
      type: str
      sample: "2026-01-01T00:00:00Z"
    ended_at:
      description: When it ended.
      type: str
      sample: "2026-01-01T00:00:01Z"
    writes:
      description:
        - One for each request that was to write something; C(status) is null if there was no answer. C(transaction_id) is what the vendor's
          support asks for.
      type: list
      elements: dict
      sample: [{"at": "2026-01-01T00:00:00Z", "method": "POST", "path": "/v1/policies", "status": 200, "transaction_id": "b2d5"}]
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.grants import (
    GRANT,
    read_account,
    read_grant,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.iam import Iam
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import (
    DESCRIPTION,
    Grant,
    Policy,
    parse_policy,
    policy_body,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import backoff
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import CLOUD, REUSE, ROLE, ArgSpec
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time, parse_time

SPEC = ArgSpec(
    {
        "description": {"type": "str", "default": DESCRIPTION},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
).merge(CLOUD, REUSE, ROLE, GRANT)
MOST_ATTEMPTS = 6
PREDICTED = "predicted"


def run(call: Call) -> Result:
    """Grants or takes back the access. Raises MirrorOpsError."""
    params = call.params
    account = connect(call).target
    recent = account.recent()
    account_id = read_account(params, account)
    grant = read_grant(params, account_id)
    for option in ("source_service_instance_id", "target_service_instance_id"):
        if not params[option]:
            raise _errors.InvalidInput(
                f"{option} is missing", remedy="Give the GUID of the instance; its CRN shows it."
            )
    if params["state"] == "absent":
        result = _absent(call, account.iam, account_id, grant, account.iam.authorizations(account_id))
    else:
        policies = recent.iam.concerning(account_id, grant).policies
        if recent.reused and _best(policies, grant) is None:
            policies = account.iam.concerning(account_id, grant).policies
        result = _present(call, account.iam, account_id, grant, policies)
    return {**result, "evidence": call.evidence()}


def _present(call: Call, iam: Iam, account_id: str, grant: Grant, policies: list[Policy]) -> Result:
    covering = _best(policies, grant)
    reversed_ids = [policy.id for policy in policies if policy.covers(grant.reversed()) and not policy.covers(grant)]
    if covering is not None:
        return _result(False, covering, grant, reversed_ids, covering.created_at, before=covering, after=covering)
    if reversed_ids:
        call.warn(
            f"Policy {', '.join(reversed_ids)} grants the access the wrong way round and does not count: "
            "IAM's source is the mirroring target, IAM's target is the mirroring source."
        )
    if call.check_mode:
        predicted = _predicted(grant, call.params["description"])
        return _result(True, predicted, grant, reversed_ids, None, before=None, after=predicted)
    created, policy = _create(call, iam, account_id, grant)
    # One that exists and is not listed may be as fresh as one that was created just now.
    authorized_at = format_time(call.clock.time()) if created or policy is None else policy.created_at
    return _result(
        created, policy, grant, reversed_ids, authorized_at, before=None if created else policy, after=policy
    )


def _create(call: Call, iam: Iam, account_id: str, grant: Grant) -> tuple[bool, Policy | None]:
    """Creates the policy. Returns whether this task did, and the policy, None when it exists and cannot be seen.

    IAM refuses an equal policy with 409 (API §2.8), so trying again after looking cannot make a second one.
    """
    lost = False
    for number in range(1, MOST_ATTEMPTS + 1):
        try:
            policy = iam.create(grant, call.params["description"])
        except _errors.ExchangeError as error:
            limited = isinstance(error, _errors.RateLimited)
            if number == MOST_ATTEMPTS or not (limited or error.processed == "maybe"):
                raise
            call.clock.sleep(backoff(number, error.retry_after))
            if limited:
                continue
            lost = True
        else:
            if policy is not None:
                return True, policy
            return lost, _best(iam.authorizations(account_id), grant)
        found = _best(iam.authorizations(account_id), grant)
        if found is not None:
            return lost, found
    raise AssertionError("unreachable")


def _absent(call: Call, iam: Iam, account_id: str, grant: Grant, policies: list[Policy]) -> Result:
    exact = [policy for policy in policies if policy.equals(grant)]
    wider = [policy for policy in policies if policy.covers(grant) and not policy.equals(grant)]
    if wider:
        call.warn(
            f"Policy {', '.join(policy.id for policy in wider)} grants more than this, so it is left alone, and with it the access."
        )
    if not call.check_mode:
        for policy in exact:
            _delete(call, iam, account_id, policy)
    before = exact[0] if exact else None
    return _result(bool(exact), wider[0] if wider else None, grant, [], None, before=before, after=None)


def _delete(call: Call, iam: Iam, account_id: str, policy: Policy) -> None:
    """Deletes a policy; deleting what is gone is fine, so a lost answer is simply followed by another attempt. Where the service says
    that there is none, the list of policies decides."""
    for number in range(1, MOST_ATTEMPTS + 1):
        try:
            if iam.delete(policy):
                return
        except _errors.ExchangeError as error:
            if not error.transient or number == MOST_ATTEMPTS:
                raise
            call.clock.sleep(backoff(number, error.retry_after))
            continue
        if all(policy.id != one.id for one in iam.authorizations(account_id)):
            return
        call.clock.sleep(backoff(number))
    raise _errors.NotFound(
        f"the service says that there is no policy {policy.id}, and goes on listing it",
        attempt=f"delete the authorization policy {policy.id}",
        status=404,
        remedy="Run again later; look at the policy in the console.",
    )


def _best(policies: list[Policy], grant: Grant) -> Policy | None:
    """The policy that covers the grant; an exact one rather than a wider one."""
    covering = [policy for policy in policies if policy.covers(grant)]
    return next((policy for policy in covering if policy.equals(grant)), covering[0] if covering else None)


def _predicted(grant: Grant, description: str) -> Policy:
    policy = parse_policy({"id": PREDICTED, **policy_body(grant, description)})
    return t.cast(Policy, policy)


def _result(
    changed: bool,
    policy: Policy | None,
    grant: Grant,
    reversed_ids: list[str],
    authorized_at: str | None,
    *,
    before: Policy | None,
    after: Policy | None,
) -> Result:
    seconds = parse_time(authorized_at)
    shown = _document(policy)
    return {
        "changed": changed,
        "policy": shown,
        "exact": policy is not None and policy.equals(grant),
        "authorized_at": None if seconds is None else format_time(seconds),
        "reversed_ids": reversed_ids,
        "diff": {"before": {"policy": _document(before)}, "after": {"policy": _document(after)}},
    }


def _document(policy: Policy | None) -> dict[str, t.Any] | None:
    if policy is None:
        return None
    return {**policy.to_result(), "id": None if policy.id == PREDICTED else policy.id}


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
