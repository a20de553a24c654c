#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_info
short_description: Find Event Streams instances
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Returns Event Streams instances by CRN, GUID or name, or all that match filters. Other services' instances are never returned.
options:
  instance:
    description:
      - One instance, by CRN, GUID or unique name. The task fails when there is none, or when several have that name.
      - Without it, all instances that match the filters are returned, possibly none.
    type: str
  name:
    description: Only instances with this name; names are not unique.
    type: str
  region:
    description: Only instances in this region.
    type: str
  resource_group_id:
    description: Only instances in this resource group.
    type: str
  query:
    description:
      - A JMESPath expression that is applied to RV(instances). Its outcome is returned as RV(query_result).
      - Without the Python library C(jmespath), use Ansible's own filters, such as P(ansible.builtin.selectattr#filter), on RV(instances).
    type: str
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
requirements:
  - jmespath, when O(query) is used
seealso:
  - module: mirrorops.event_streams.mirroring_info
"""

EXAMPLES = r"""
- name: Look at one instance
  mirrorops.event_streams.instance_info:
    instance: es-target-us-east
  register: result

- name: Show how large it is
  ansible.builtin.debug:
    msg: "{{ result.instances[0].throughput }} MB/s, {{ result.instances[0].storage_size }} GB"

- name: List names and CRNs of the Enterprise instances
  mirrorops.event_streams.instance_info:
    query: "[?plan=='enterprise'].{name: name, crn: crn}"
  register: enterprise

- name: The same without JMESPath
  ansible.builtin.debug:
    msg: "{{ enterprise.instances | selectattr('plan', 'eq', 'enterprise') | map(attribute='crn') }}"
"""

RETURN = r"""
instances:
  description: The instances, by name and GUID. A value that the cloud does not show is null.
  returned: success
  type: list
  elements: dict
  contains:
    crn:
      description: CRN.
      type: str
      sample: "crn:v1:bluemix:public:messagehub:us-east:a/a1b2c3d4e5f60718293a4b5c6d7e8f90:22222222-aaaa-4bbb-8ccc-000000000002::"
    guid:
      description: GUID.
      type: str
      sample: 22222222-aaaa-4bbb-8ccc-000000000002
    name:
      description: Name; not unique.
      type: str
      sample: es-target-us-east
    region:
      description: Region.
      type: str
      sample: us-east
    account_id:
      description: Account.
      type: str
      sample: a1b2c3d4e5f60718293a4b5c6d7e8f90
    resource_group_id:
      description: Resource group.
      type: str
      sample: 5c49eabcf5e85881a37e2d100a33b3df
    plan:
      description: Which plan that is. V(unknown) if the document does not allow to tell.
      type: str
      sample: enterprise
    resource_plan_id:
      description: Id of the plan in the catalog.
      type: str
      sample: ibm.message.hub.enterprise.3nodes.2tb
    state:
      description: State of the instance; it stays V(active) during updates.
      type: str
      sample: active
    locked:
      description: Whether the instance is locked against updates.
      type: bool
      sample: false
    throughput:
      description: Throughput in MB/s.
      type: int
      sample: 150
    storage_size:
      description: Storage in GB.
      type: int
      sample: 2048
    admin_url:
      description: Base URL of the administration REST API.
      type: str
      sample: https://mh-abcdefghijklmnopqrst.us-east.containers.appdomain.cloud
    service_endpoints:
      description: Which networks the instance can be reached from.
      type: str
      sample: public
    private_addresses:
      description: The addresses that the instance uses inside IBM Cloud's network.
      type: list
      elements: str
      sample: [166.9.14.10]
    last_operation:
      description: The last operation, in the service's own words.
      type: dict
      sample: {"type": "update", "state": "succeeded", "description": "Update succeeded.", "updated_at": null}
    updated_at:
      description: When the instance was changed last.
      type: str
      sample: "2025-08-28T19:41:53.419092609Z"
query_result:
  description: What O(query) yields.
  returned: when O(query) is given
  type: raw
  sample: [es-target-us-east]
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account, connect, find
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._query import Query
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import CLOUD, REUSE, ROLE, ArgSpec

FILTERS = ("name", "region", "resource_group_id")
SPEC = ArgSpec(
    {
        "instance": {"type": "str"},
        "name": {"type": "str"},
        "region": {"type": "str"},
        "resource_group_id": {"type": "str"},
        "query": {"type": "str"},
    },
    mutually_exclusive=[("instance", name) for name in FILTERS],
).merge(CLOUD, REUSE, ROLE)


def run(call: Call) -> Result:
    """Finds instances. Raises MirrorOpsError."""
    query = None if call.params["query"] is None else Query(call.params["query"])
    instances = [instance.to_result() for instance in _find(connect(call).target, call.params)]
    result: Result = {"instances": instances}
    if query is not None:
        result["query_result"] = query.search(instances)
    return result


def _find(account: Account, params: dict[str, t.Any]) -> list[Instance]:
    recent = account.recent()
    if params["instance"] is not None:
        return [find(account, recent, params["instance"], "instance")]
    filters = {name: params[name] for name in ("name", "resource_group_id") if params[name]}
    wanted = {name: params[name] for name in FILTERS if params[name]}
    found = recent.instances.matching(filters)
    matching = [one for one in found if all(getattr(one, name) == value for name, value in wanted.items())]
    return sorted(matching, key=lambda one: (one.name, one.guid))


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
