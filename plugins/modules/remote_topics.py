#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remote_topics
short_description: List the remote topics of an Event Streams instance, and delete those that nothing feeds
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Lists the topics that mirroring has made on the target, such as C(orders.us-south), and tells which of them are still fed. A topic that was
    deleted on the source, or is no longer selected, stays on the target until its owner deletes it, and so do all of them after mirroring was
    disabled.
  - Deletes those that are named or matched explicitly, if nothing feeds them. B(That cannot be undone), so the instance has to be named in
    O(confirm) as well. Neither local topics nor internal ones are ever deleted, nor what may be fed, nor anything while it is not known
    whether it is.
  - Remote topics are told from local ones by their names alone. No local topic should have a name that ends with the alias of the source.
  - A consumer may still have to read a remote topic to its end after a failover. Nothing here looks at consumers.
  - The source is never asked about its topics, and may be gone.
options:
  target:
    description: The instance whose remote topics are looked at, by CRN, GUID or unique name.
    type: str
    required: true
  source:
    description:
      - The mirroring source that the topics came from, by CRN, GUID or unique name. After the direction was turned round, this is the
        instance that is the target now.
      - It is looked up for its region only, and only if it is not given by CRN and there is no O(source_alias). One of O(source) and
        O(source_alias) is needed.
    type: str
  delete:
    description:
      - Names of remote topics to be deleted, as they are called on the target. What is not there counts as deleted.
      - If one of them is local, internal, fed, or not known not to be fed, the task fails and deletes nothing.
    type: list
    elements: str
    default: []
  delete_matching:
    description:
      - Regular expressions. Remote topics whose whole name on the target matches one of them are deleted, except for those that are fed.
      - If it is not known whether one of them is fed, the task fails and deletes nothing.
    type: list
    elements: str
    default: []
  confirm:
    description:
      - The instances whose topics may be deleted, by name, GUID or CRN, or as given in O(target). Unless O(target) is among them, nothing is
        deleted and the task fails, if there is something to be deleted. It is not needed in check mode.
    type: list
    elements: str
    default: []
  list_only:
    description:
      - Whether to only list, and to tell what O(delete) and O(delete_matching) would do. What would make the task fail is told by
        RV(problems) and RV(awaits_confirmation) instead.
    type: bool
    default: false
  settle_timeout:
    description: For how long topics may still be listed after their deletion was accepted, in seconds. Then the task fails.
    type: float
    default: 60
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.auth.source
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.role
  - mirrorops.event_streams.endpoints.admin
  - mirrorops.event_streams.mirroring
  - mirrorops.event_streams.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - With a O(topic_name_transform) of the type V(none) or V(rename), asked for or shown by the cloud, nothing is listed or deleted, because such
    topics cannot be told from local ones.
seealso:
  - module: mirrorops.event_streams.topic_selection
  - module: mirrorops.event_streams.mirroring
"""

EXAMPLES = r"""
- name: Which remote topics are there, and which of them are still fed?
  mirrorops.event_streams.remote_topics:
    target: es-target-us-east
    source: es-source-us-south
  register: result

- name: Show those that are not
  ansible.builtin.debug:
    msg: "{{ result.remote_topics | selectattr('fed', 'false') | map(attribute='name') }}"

- name: Delete two of them
  mirrorops.event_streams.remote_topics:
    target: es-target-us-east
    source: es-source-us-south
    delete:
      - orders-old.us-south
      - audit.us-south
    confirm:
      - es-target-us-east

- name: Delete all that are no longer fed, of a source that is gone
  mirrorops.event_streams.remote_topics:
    target: es-target-us-east
    source_alias: us-south
    delete_matching:
      - .*
    confirm:
      - es-target-us-east
"""

RETURN = r"""
remote_topics:
  description: The remote topics that are there now, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name on the target.
      type: str
      sample: audit.us-south
    base:
      description: Name on the source, where there may be no such topic any more.
      type: str
      sample: audit
    partitions:
      description: Number of partitions; null if the target does not show it.
      type: int
      sample: 6
    fed:
      description: Whether something may feed it. Null if that cannot be told.
      type: bool
      sample: false
    why:
      description: How that is known, or why it is not.
      type: str
      sample: no pattern of the selection matches audit
enabled:
  description: Whether mirroring is enabled on the target. Null if that cannot be told.
  returned: success
  type: bool
  sample: true
aliases:
  description: The aliases C(source) and C(target).
  returned: success
  type: dict
  sample: {"source": us-south, "target": us-east}
instance:
  description: The target, C(crn), C(guid), C(name), C(region) and C(account_id).
  returned: success
  type: dict
planned:
  description: What O(delete) and O(delete_matching) come to.
  returned: success
  type: list
  elements: str
  sample: [audit.us-south]
deleted:
  description: The topics that were deleted, or would be in check mode. Empty with O(list_only).
  returned: success
  type: list
  elements: str
  sample: [audit.us-south]
left:
  description: Topics that O(delete_matching) matches, and that are left because they are fed.
  returned: success
  type: list
  elements: str
  sample: [orders.us-south]
missing:
  description: Topics of O(delete) that are not there.
  returned: success
  type: list
  elements: str
  sample: []
confirmed:
  description: Whether O(confirm) names the target.
  returned: success
  type: bool
  sample: true
awaits_confirmation:
  description: Whether something would be deleted if the target were named in O(confirm).
  returned: success
  type: bool
  sample: false
problems:
  description: With O(list_only), why nothing can be deleted, and what to do about it. Empty if nothing stands in the way.
  returned: success
  type: str
  sample: ""
summary:
  description: The topics and the plan for people.
  returned: success
  type: list
  elements: str
requested:
  description: C(source) and C(target) as they were given.
  returned: success
  type: dict
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.cleaning import Cleaning
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    ADMIN,
    ALIASES,
    CLOUD,
    ROLE,
    SOURCE_AUTH,
    TRANSFORMS,
    ArgSpec,
)

SPEC = ArgSpec(
    {
        "target": {"type": "str", "required": True},
        "source": {"type": "str"},
        "delete": {"type": "list", "elements": "str", "default": []},
        "delete_matching": {"type": "list", "elements": "str", "default": []},
        "confirm": {"type": "list", "elements": "str", "default": []},
        "list_only": {"type": "bool", "default": False},
        "settle_timeout": {"type": "float", "default": 60},
    },
    required_one_of=[("source", "source_alias")],
).merge(CLOUD, ROLE, SOURCE_AUTH, ADMIN, ALIASES, TRANSFORMS)


def run(call: Call) -> Result:
    """Lists, and deletes what is asked for. Raises MirrorOpsError."""
    return Cleaning(call).result()


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
