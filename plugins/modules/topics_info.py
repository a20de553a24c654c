#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topics_info
short_description: List the topics of an Event Streams instance
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Returns the names of all topics of one instance, over all pages of its administration REST API, and how many partitions each has.
  - Needs the service role Reader on the cluster of the instance.
options:
  instance:
    description: The Event Streams instance, by CRN, GUID or unique name.
    type: str
    required: true
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.endpoints.admin
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
seealso:
  - module: mirrorops.event_streams.topic_selection
"""

EXAMPLES = r"""
- name: List the topics of the source
  mirrorops.event_streams.topics_info:
    instance: es-source-us-south
  register: found

- name: Show those that applications use
  ansible.builtin.debug:
    msg: "{{ found.topics | rejectattr('internal') | map(attribute='name') }}"
"""

RETURN = r"""
instance:
  description: CRN, GUID, name, region and account of the instance.
  returned: success
  type: dict
  sample: {"name": es-source-us-south, "guid": 11111111-aaaa-4bbb-8ccc-000000000001, "region": us-south}
topics:
  description: The topics, by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      sample: orders
    partitions:
      description: How many partitions it has. Null if the instance does not show that.
      type: int
      sample: 6
    internal:
      description: Whether its name is one of those that mirroring and applications keep for themselves. Such topics are never mirrored.
      type: bool
      sample: false
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect, find
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import is_internal
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ADMIN, CLOUD, REUSE, ROLE, ArgSpec

SPEC = ArgSpec({"instance": {"type": "str", "required": True}}).merge(CLOUD, ADMIN, REUSE, ROLE)


def run(call: Call) -> Result:
    """Lists the topics. Raises MirrorOpsError."""
    account = connect(call).target
    recent = account.recent()
    instance = find(account, recent, call.params["instance"], "instance")
    topics = recent.admin(instance).topics()
    return {
        "instance": instance.identity,
        "topics": [{**topic._asdict(), "internal": is_internal(topic.name)} for topic in topics],
    }


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
