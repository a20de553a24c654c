#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topic_selection
short_description: Choose which topics an Event Streams instance mirrors
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Sets the patterns that decide which topics of the mirroring source are mirrored to the target. The service knows one set only,
    so this replaces it. Order does not matter.
  - Given the source, it also shows which of the source's topics the patterns select, and what they are called on the target.
  - Topics that are no longer selected stay on the target; they are just not fed any more.
options:
  target:
    description: The mirroring target, by CRN, GUID or unique name.
    type: str
    required: true
  topics:
    description:
      - The patterns, regular expressions on names of topics on the source. A topic is mirrored if any of them matches, also one that is
        created later.
      - Anchor them as in V(^orders\\..*) or V(^payments$), so that every reading of them selects the same.
      - With V([]) nothing is mirrored, while mirroring stays enabled and charged.
    type: list
    elements: str
    required: true
  source:
    description: The mirroring source, by CRN, GUID or unique name, for RV(preview). If not set, there is none.
    type: str
  just_enabled:
    description:
      - Whether this run has just enabled mirroring. Then the target may need a moment to show it, so the task is patient for O(settle_timeout).
      - In check mode the run would have enabled it, so the task goes on where mirroring is not enabled.
    type: bool
    default: false
  settle_timeout:
    description:
      - For how long the target may still show what was before, in seconds. That is the old selection after a new one was accepted, and with
        O(just_enabled) also that mirroring is not enabled.
    type: float
    default: 60
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.auth.source
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.endpoints.admin
  - mirrorops.event_streams.endpoints.source_admin
  - mirrorops.event_streams.mirroring
  - mirrorops.event_streams.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: mirrorops.event_streams.mirroring
  - module: mirrorops.event_streams.readiness_info
"""

EXAMPLES = r"""
- name: Mirror everything that begins with orders, and payments
  mirrorops.event_streams.topic_selection:
    target: es-target-us-east
    topics:
      - ^orders.*
      - ^payments$

- name: What would that select?
  mirrorops.event_streams.topic_selection:
    target: es-target-us-east
    source: es-source-us-south
    topics:
      - ^orders.*
  check_mode: true
  register: result

- name: Show names on the target
  ansible.builtin.debug:
    msg: "{{ result.preview | map(attribute='remote_topic') }}"

- name: Mirror nothing for now
  mirrorops.event_streams.topic_selection:
    target: es-target-us-east
    topics: []
"""

RETURN = r"""
topics:
  description: The patterns that are set now, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: ["^payments$"]
preview:
  description: The source's topics that the patterns select. Null without O(source).
  returned: success
  type: list
  elements: dict
  contains:
    topic:
      description: Name on the source.
      type: str
      sample: payments
    remote_topic:
      description: Name on the target.
      type: str
      sample: payments.us-south
    partitions:
      description: Number of partitions; null if the source does not show it.
      type: int
      sample: 6
    certain:
      description: Whether a pattern matches the whole name. If not, it depends on how the service reads patterns that are not anchored.
      type: bool
      sample: true
    patterns:
      description: The patterns that match.
      type: list
      elements: str
      sample: ["^payments$"]
    problem:
      description: Why the topic will not be mirrored although it is selected; null if it will.
      type: str
      sample: null
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
      sample: [{"at": "2026-01-01T00:00:00Z", "method": "POST", "path": "/admin/mirroring/topic-selection", "status": 200, "transaction_id": "b2d5"}]
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Admin
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Cloud, connect, find
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    DEFAULT_TOPIC_TRANSFORM,
    derive_aliases,
    parse_transform,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selecting import replace_selection
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    Compiled,
    advice,
    compile_patterns,
    normalise,
    preview,
    same_selection,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    LONGEST_LOOK,
    check_seconds,
    growing,
    pause,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    ADMIN,
    ALIASES,
    CLOUD,
    REUSE,
    ROLE,
    SOURCE_ADMIN,
    SOURCE_AUTH,
    TRANSFORMS,
    ArgSpec,
)

SPEC = ArgSpec(
    {
        "target": {"type": "str", "required": True},
        "topics": {"type": "list", "elements": "str", "required": True},
        "source": {"type": "str"},
        "just_enabled": {"type": "bool", "default": False},
        "settle_timeout": {"type": "float", "default": 60},
    }
).merge(CLOUD, REUSE, ROLE, SOURCE_AUTH, ADMIN, SOURCE_ADMIN, ALIASES, TRANSFORMS)


def run(call: Call) -> Result:
    """Sets the selection. Raises MirrorOpsError."""
    params = call.params
    topics = normalise(params["topics"]) or []
    patterns = compile_patterns(topics)
    parse_transform(params["topic_name_transform"], "topic_name_transform")
    check_seconds(params)
    for risk in advice(topics):
        call.warn(risk)
    cloud = connect(call)
    recent = cloud.recent()
    target = find(cloud.target, recent.target, params["target"], "target")
    selected = _preview(call, cloud, recent, target, patterns) if params["source"] else None
    admin = cloud.target.admin(target)
    before = _enabled_selection(call, recent.target.admin(target))
    if recent.reused and not same_selection(before, topics):
        before = _enabled_selection(call, admin)
    changed = not same_selection(before, topics)
    after = before if not changed and before is not None else topics
    if changed and not call.check_mode:
        after = replace_selection(call, admin, topics)
    return {
        "changed": changed,
        "topics": after,
        "preview": selected,
        "diff": {"before": {"topics": sorted(before or [])}, "after": {"topics": sorted(after)}},
        "evidence": call.evidence(),
    }


def _enabled_selection(call: Call, admin: Admin) -> list[str] | None:
    """The selection now; None in check mode where this run would have enabled mirroring. Raises NotFound when it is off.

    While mirroring is being enabled, and for a moment after, the service may answer 403, 404 or 503 (API §11.10).
    """
    just_enabled = call.params["just_enabled"]
    seconds = float(call.params["settle_timeout"]) if just_enabled and not call.check_mode else 0.0
    deadline = call.clock.monotonic() + seconds
    intervals = growing(LONGEST_LOOK)
    while True:
        trouble: _errors.ExchangeError = _errors.NotFound(
            "mirroring is not enabled there, so there is no topic selection",
            attempt=f"set the topic selection of {admin.instance}",
            instance=admin.instance,
            status=404,
            remedy="Enable mirroring first (module mirroring, or role enable), and name the mirroring target, not the source.",
        )
        try:
            selection = admin.selection()
        except (_errors.PermissionDenied, _errors.ServiceFailed) as error:
            selection, trouble = None, error
        if selection is not None or (just_enabled and call.check_mode):
            return selection
        if call.clock.monotonic() >= deadline:
            raise trouble
        pause(call.clock, next(intervals), deadline)


def _preview(
    call: Call, cloud: Cloud, recent: Cloud, target: Instance, patterns: list[Compiled]
) -> list[dict[str, t.Any]]:
    params = call.params
    source = find(cloud.source, recent.source, params["source"], "source")
    source_alias = derive_aliases(params["source_alias"], params["target_alias"], source.region, target.region)[0]
    transform = parse_transform(params["topic_name_transform"], "topic_name_transform") or DEFAULT_TOPIC_TRANSFORM
    topics = recent.source.admin(source, "source_admin_url").topics()
    return [one.to_result() for one in preview(topics, patterns, transform, source_alias)]


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
