#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mirroring
short_description: Enable or disable mirroring on an Event Streams instance
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Makes one Event Streams Enterprise instance, the mirroring target, mirror another one, the mirroring source, or makes it stop.
  - Reads before it writes. Whether mirroring is on is told by the target's admin API; its settings are compared when the cloud shows
    them. What cannot be read is reported as unknown and left alone.
  - An update that is running is waited for. An update whose answer was lost is looked for before another one is sent. An update that
    is refused, or fails, is sent again only while the authorization that it needs may not be effective yet.
  - Which topics are mirrored is set with M(mirrorops.event_streams.topic_selection).
options:
  target:
    description:
      - The mirroring target, by CRN, GUID or unique name. This is the instance that is updated.
    type: str
    required: true
  source:
    description:
      - The mirroring source, by CRN, GUID or unique name. With a CRN, the source is not read.
      - Required when O(state=present).
    type: str
  throughput:
    description:
      - The target's throughput in MB/s, for the case that its document does not show it. Above 150 the service wants the current
        value in every mirroring update.
      - If neither is known, the source's throughput is taken, because both have to be equal.
    type: int
  authorized_at:
    description:
      - When the authorization that mirroring needs came into being, as RV(mirrorops.event_streams.authorization_policy#module:authorized_at).
      - If not set, it is looked up in the source's account once an update is refused.
    type: str
  authorization_timeout:
    description:
      - How long a fresh authorization may take to become effective, in seconds. While it is younger, a refused or failed update is
        tried again; after that, it fails at once. An update that was sent in time and took longer than that to fail is sent once more.
    type: float
    default: 300
  settle_timeout:
    description:
      - For how long, right after an update was sent, what is read may still be the state before it, in seconds.
    type: float
    default: 60
  recreate:
    description:
      - Whether settings that differ may be changed by disabling and enabling again. Nothing is mirrored in between, for up to four hours.
      - The topic selection is restored if the service has dropped it.
    type: bool
    default: false
  force:
    description:
      - Whether to send the update also where the state, or the settings, cannot be read, or where what is read contradicts itself.
    type: bool
    default: false
  state:
    description:
      - V(present) enables mirroring, V(absent) disables it. Topics that were mirrored stay where they are in either case.
    type: str
    choices: [present, absent]
    default: present
  defer:
    description:
      - Whether to leave the waiting that O(wait) asks for to a later task, which is given O(submitted). RV(deferred) tells whether there is
        something to wait for. So the updates of many targets can be sent before anyone waits.
    type: bool
    default: false
  submitted:
    description:
      - What an earlier task with O(wait=false) or O(defer) returned as RV(submitted). This one then waits for that very update, which it tells from
        older ones, and goes on by itself if it fails for want of an authorization that is young.
      - Other options have to be the same as in the earlier task. Without O(wait), and in check mode, this is ignored.
    type: dict
    suboptions:
      before:
        description: The instance right before the update.
        type: dict
        required: true
        suboptions:
          operation:
            description: Its last operation.
            type: dict
            required: true
            suboptions:
              type:
                description: What it does.
                type: str
              state:
                description: Its state.
                type: str
              description:
                description: What the service says of it.
                type: str
              updated_at:
                description: When it was changed.
                type: str
          updated_at:
            description: When it was changed.
            type: str
      accepted:
        description: The instance as the answer to the update showed it.
        type: dict
        required: true
        suboptions:
          operation:
            description: Its last operation.
            type: dict
            required: true
            suboptions:
              type:
                description: What it does.
                type: str
              state:
                description: Its state.
                type: str
              description:
                description: What the service says of it.
                type: str
              updated_at:
                description: When it was changed.
                type: str
          updated_at:
            description: When it was changed.
            type: str
      sent_at:
        description: When the update was sent, as ISO 8601 in UTC.
        type: str
        required: true
      uptime:
        description: The same on the clock of the machine that never steps back, in seconds.
        type: float
      certain:
        description: Whether the update was certainly accepted.
        type: bool
        required: true
      selection:
        description: The topic selection to restore.
        type: list
        elements: str
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.auth.source
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.endpoints.admin
  - mirrorops.event_streams.mirroring
  - mirrorops.event_streams.wait
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: mirrorops.event_streams.mirroring_info
  - module: mirrorops.event_streams.topic_selection
  - module: mirrorops.event_streams.authorization_policy
"""

EXAMPLES = r"""
- name: Let us-east mirror us-south
  mirrorops.event_streams.mirroring:
    source: "crn:v1:bluemix:public:messagehub:us-south:a/a1b2c3d4e5f60718293a4b5c6d7e8f90:11111111-aaaa-4bbb-8ccc-000000000001::"
    target: es-target-us-east
  register: result

- name: Show how each setting is known
  ansible.builtin.debug:
    var: result.mirroring.known

- name: Submit the update and come back later
  mirrorops.event_streams.mirroring:
    source: es-source-us-south
    target: es-target-us-east
    wait: false
  register: sent

- name: Wait for that very update
  mirrorops.event_streams.mirroring:
    source: es-source-us-south
    target: es-target-us-east
    submitted: "{{ sent.submitted or omit }}"

- name: Rename topics, even if that means to disable and enable again
  mirrorops.event_streams.mirroring:
    source: es-source-us-south
    target: es-target-us-east
    topic_name_transform:
      type: rename
      rename:
        remove_prefix: app1-
        add_prefix: dr-
    recreate: true

- name: Stop mirroring
  mirrorops.event_streams.mirroring:
    target: es-target-us-east
    state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  choices: [none, enabled, disabled, recreated, joined, left_alone, pending]
  sample: enabled
mirroring:
  description: The mirroring of the target. In check mode, as it would be; all unknown right after an update that is not waited for.
  returned: success
  type: dict
  contains:
    enabled:
      description: Whether mirroring is on; null if that is not known.
      type: bool
      sample: true
    source_crn:
      description: CRN of the source.
      type: str
      sample: "crn:v1:bluemix:public:messagehub:us-south:a/a1b2c3d4e5f60718293a4b5c6d7e8f90:11111111-aaaa-4bbb-8ccc-000000000001::"
    source_alias:
      description: Alias of the source.
      type: str
      sample: us-south
    target_alias:
      description: Alias of the target.
      type: str
      sample: us-east
    topic_name_transform:
      description: What topics are called on the target.
      type: dict
      sample: {"type": "use_alias"}
    group_id_transform:
      description: What consumer groups are called on the target.
      type: dict
      sample: {"type": "none"}
    schemas:
      description: What the target's schema registry does.
      type: str
      sample: inactive
    known:
      description:
        - How each of the other values is known. V(echoed) by the platform, V(observed) in this run, V(inferred) from something else, or V(unknown).
      type: dict
      sample: {"enabled": "observed", "source_alias": "echoed"}
instance:
  description: The target.
  returned: success
  type: dict
  sample: {"name": "es-target-us-east", "guid": "22222222-aaaa-4bbb-8ccc-000000000002"}
operation:
  description: The last operation of the target, in the service's own words.
  returned: success
  type: dict
  sample: {"type": "update", "state": "succeeded", "description": "Update succeeded.", "updated_at": null}
waiting:
  description: Whether an update is still running. A later run joins it.
  returned: success
  type: bool
  sample: false
updates_sent:
  description: How many updates were accepted, or may have been.
  returned: success
  type: int
  sample: 1
duration:
  description: How long the task took, in seconds.
  returned: success
  type: float
  sample: 5405.2
deferred:
  description: Whether an update is under way that a later task has to wait for, because O(wait) asks for it and O(defer) puts it off.
  returned: success
  type: bool
  sample: false
left_running:
  description: Whether an update goes on that nobody is going to wait for, because O(wait) says so. In check mode, whether one would.
  returned: success
  type: bool
  sample: false
submitted:
  description: What a later task needs to wait for the update that this one has sent; null if it was waited for, or none was sent.
  returned: success
  type: dict
  sample: null
authorization_delay:
  description:
    - How old the authorization was when the update was accepted, in seconds, if it was refused before; null if it was not, or if the age
      is not known.
  returned: success
  type: float
  sample: 42.5
failure:
  description: What went wrong, for playbooks that branch on it.
  returned: failure
  type: dict
  sample: {"kind": "operation_failed", "attempt": "enable mirroring us-south -> us-east", "status": null}
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
      sample: [{"at": "2026-01-01T00:00:00Z", "method": "PATCH", "path": "/v2/resource_instances/2222", "status": 200, "transaction_id": "b2d5"}]
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.change import Change
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    ADMIN,
    ALIASES,
    CLOUD,
    REUSE,
    ROLE,
    SOURCE_AUTH,
    TRANSFORMS,
    WAIT,
    ArgSpec,
)

SEEN = {
    "type": "dict",
    "required": True,
    "options": {
        "operation": {
            "type": "dict",
            "required": True,
            "options": {name: {"type": "str"} for name in ("type", "state", "description", "updated_at")},
        },
        "updated_at": {"type": "str"},
    },
}
SPEC = ArgSpec(
    {
        "target": {"type": "str", "required": True},
        "source": {"type": "str"},
        "throughput": {"type": "int"},
        "authorized_at": {"type": "str"},
        "authorization_timeout": {"type": "float", "default": 300},
        "settle_timeout": {"type": "float", "default": 60},
        "recreate": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "defer": {"type": "bool", "default": False},
        "submitted": {
            "type": "dict",
            "options": {
                "before": SEEN,
                "accepted": SEEN,
                "sent_at": {"type": "str", "required": True},
                "uptime": {"type": "float"},
                "certain": {"type": "bool", "required": True},
                "selection": {"type": "list", "elements": "str"},
            },
        },
    },
    required_if=[("state", "present", ("source",))],
).merge(CLOUD, REUSE, ROLE, SOURCE_AUTH, ADMIN, ALIASES, TRANSFORMS, WAIT)


def run(call: Call) -> Result:
    """Enables or disables mirroring on the target. Raises MirrorOpsError."""
    return Change(call).present() if call.params["state"] == "present" else Change(call).absent()


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
