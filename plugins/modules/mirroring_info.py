#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mirroring_info
short_description: Look at the mirroring of an Event Streams instance
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Shows whether an instance mirrors another one, how each detail is known, which topics are selected and which are active.
  - Given O(source), it also checks whether the target mirrors what is asked, reports all findings together, and sums them up in RV(verdict).
    It does not fail because of a finding; that is left to who asks.
  - Can wait for an update that is running, whoever started it, and for selected topics to appear.
options:
  target:
    description: The mirroring target, by CRN, GUID or unique name.
    type: str
    required: true
  source:
    description: The mirroring source, by CRN, GUID or unique name. If not set, nothing is checked.
    type: str
  topics:
    description: The patterns that should be selected. If not set, those that are selected are taken as right.
    type: list
    elements: str
  wait:
    description: Whether to wait for an update of the target that is running, and for selected topics to appear.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait for the update, in seconds.
    type: float
    default: 10800
  poll_interval:
    description: The time between two looks while waiting, in seconds; it is varied a little.
    type: float
    default: 30
  topics_timeout:
    description:
      - How long to wait for selected topics to appear on the target and to become active, and with O(wait_for_lag) for Monitoring to have
        values of them, in seconds.
    type: float
    default: 300
  assume_changes:
    description:
      - For check mode only. Whether what does not fit yet is to be taken as what this run would have changed.
    type: bool
    default: false
  update_pending:
    description:
      - Whether this run has submitted an update that nobody waits for. It is no failure then that the target does not mirror yet.
    type: bool
    default: false
  brief:
    description:
      - Whether RV(findings) leaves out what passed, which then is told in RV(passed) only, and RV(instance) is left out. Results of a fleet
        are kept for each pair.
    type: bool
    default: false
  max_lag:
    description:
      - By how many seconds a topic may be behind, which is the recovery point that you accept. It is checked if the target mirrors what is
        asked, with IBM Cloud Monitoring. If not set, it is not checked. It needs O(source).
      - Only the selected topics count, and only values since the last update of the target. If the topics of the source cannot be read, or
        only the service understands a pattern, all topics count. If none is selected, none can be behind.
    type: float
  wait_for_lag:
    description:
      - With O(wait), whether to wait until no topic is behind by more than O(max_lag), for up to O(wait_timeout). Without O(wait), and in check
        mode, nothing is waited for.
      - Topics of which Monitoring has no value are waited for as long as O(topics_timeout) says. What no later try changes, as a missing
        right, is not waited for.
    type: bool
    default: false
  fresh_lag:
    description:
      - Whether a value that Monitoring has counts only if it is from after the start of the task, which takes O(wait_for_lag) and O(wait) to see
        one. A value may be up to five minutes old, and tells nothing of what was written since. Set it where producers have been stopped just before.
    type: bool
    default: false
  page:
    description:
      - Where to write a page of HTML that shows the pair, the findings, and what IBM Cloud Monitoring knows of the last hour; an absolute
        path on the host on which the task runs, in a directory that is there. It needs O(source).
      - Where hosts are pairs, put the name of the host into the path, or the pages take each other's place.
      - The page is a report. It is written anew each time, whatever RV(verdict) is, and never counts as a change. In check mode it is not
        written. If it cannot be written in the end, that is a warning.
      - What Monitoring does not know is told on the page, and decides nothing.
    type: path
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.auth.source
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.endpoints.monitoring
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.endpoints.admin
  - mirrorops.event_streams.endpoints.source_admin
  - mirrorops.event_streams.mirroring
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
seealso:
  - module: mirrorops.event_streams.mirroring
  - module: mirrorops.event_streams.readiness_info
"""

EXAMPLES = r"""
- name: Is mirroring on, and what is known about it?
  mirrorops.event_streams.mirroring_info:
    target: es-target-us-east
  register: result

- name: Show it
  ansible.builtin.debug:
    var: result.mirroring

- name: Does us-east mirror orders from us-south? Join an update that is still running.
  mirrorops.event_streams.mirroring_info:
    source: es-source-us-south
    target: es-target-us-east
    topics:
      - ^orders$
    wait: true
  register: check

- name: Fail unless it does
  ansible.builtin.assert:
    that: check.verdict == 'mirroring'
    fail_msg: "{{ check.summary | join(' ') }}"

- name: Show the pair on a page
  mirrorops.event_streams.mirroring_info:
    source: es-source-us-south
    target: es-target-us-east
    page: /tmp/us-south-to-us-east.html

- name: Write a page for each pair of the inventory
  mirrorops.event_streams.mirroring_info:
    source: "{{ mirroring_source }}"
    target: "{{ mirroring_target }}"
    page: "/srv/pages/{{ inventory_hostname }}.html"
"""

RETURN = r"""
mirroring:
  description: The mirroring of the target, as M(mirrorops.event_streams.mirroring) returns it.
  returned: success
  type: dict
  sample: {"enabled": true, "source_alias": "us-south", "known": {"enabled": "observed", "source_alias": "echoed"}}
topics:
  description: The patterns that are selected; null if mirroring is not enabled, or if that cannot be read.
  returned: success
  type: list
  elements: str
  sample: ["^orders$"]
active_topics:
  description: The topics that are being mirrored now, in the service's own words; null if that cannot be read.
  returned: success
  type: list
  elements: str
  sample: [orders]
instance:
  description: The target, as M(mirrorops.event_streams.instance_info) returns it.
  returned: unless O(brief)
  type: dict
  sample: {"name": "es-target-us-east", "guid": "22222222-aaaa-4bbb-8ccc-000000000002"}
operation:
  description: The last operation of the target, in the service's own words.
  returned: success
  type: dict
  sample: {"type": "update", "state": "succeeded", "description": "Update succeeded.", "updated_at": null}
findings:
  description:
    - The outcome of every check, as M(mirrorops.event_streams.readiness_info) returns them; with O(brief) of those that did not pass. Empty
      without O(source).
  returned: success
  type: list
  elements: dict
  sample: [{"rule": "enabled", "status": "pass", "message": "Mirroring is enabled (observed).", "remedy": "", "evidence": {}}]
passed:
  description: The names of the checks that passed.
  returned: success
  type: list
  elements: str
  sample: [operation, enabled]
verdict:
  description:
    - V(mirroring) if the target mirrors what is asked, V(not_mirroring) if a check failed, V(unknown) if what decides could not be read,
      V(pending) if an update is running that has not enabled it yet,
      V(behind) if it mirrors and is behind by more than O(max_lag), V(predicted) in check mode if it would after this run. Null without
      O(source).
  returned: success
  type: str
  choices: [mirroring, not_mirroring, behind, pending, unknown, predicted]
  sample: mirroring
requested:
  description: The pair as it was named; its source is null without O(source).
  returned: success
  type: dict
  sample: {"source": es-source-us-south, "target": es-target-us-east}
accepted:
  description:
    - Whether that is what could be expected. It is for V(mirroring) and V(predicted), and without O(wait) also while an update is under way.
    - Null without O(source).
  returned: success
  type: bool
  sample: true
lag:
  description: How far the topics are behind. Null without O(max_lag), and if the target does not mirror what is asked.
  returned: success
  type: dict
  contains:
    state:
      description:
        - V(behind) if a selected topic is behind by more than is accepted. Otherwise V(unknown) if Monitoring cannot be read, warns that its
          answer is a part only, has no value of any selected topic, or if any is in RV(lag.stopped). Otherwise V(within), also if it has no
          value of some selected topics; those are in RV(lag.silent).
      type: str
      sample: within
    accepted:
      description: The seconds that are accepted.
      type: float
      sample: 60.0
    at:
      description: When that was, by Monitoring's clock.
      type: str
      sample: "2026-01-01T00:00:00Z"
    silent:
      description: Selected topics of which nothing is known; those without traffic may have no value. A hundred at most.
      type: list
      elements: str
      sample: []
    stopped:
      description: >-
        Selected topics that have no value now, and were behind by more than is accepted when they last had one, within six hours. A hundred
        at most.
      type: list
      elements: str
      sample: []
    worst:
      description:
        - The selected topic that is furthest behind. What else is here is as M(mirrorops.event_streams.metrics_info) returns it with
          O(max_lag), and about the selected topics only; apart from C(topics) and C(topic_count), which are about all.
      type: dict
      sample: {"topic": orders, "seconds": 1.5}
page:
  description: The page that was written; null without O(page), in check mode, and if it could not be written.
  returned: success
  type: str
  sample: /tmp/us-south-to-us-east.html
summary:
  description: The findings and the selected topics, as lines for people.
  returned: success
  type: list
  elements: str
  sample: ["us-south -> us-east: mirroring", "8 checks: 8 pass, 0 warn, 0 fail, 0 unknown"]
problems:
  description: What failed and what to do about it, in one paragraph; empty if nothing did.
  returned: success
  type: str
  sample: ""
preview:
  description: The source's topics that are selected, as M(mirrorops.event_streams.topic_selection) returns them. Empty without O(source).
  returned: success
  type: list
  elements: dict
  sample: [{"topic": "orders", "remote_topic": "orders.us-south", "partitions": 6, "certain": true}]
duration:
  description: How long the task took, in seconds.
  returned: success
  type: float
  sample: 12.5
evidence:
  description: When the task began and ended, for records. Also when it failed.
  returned: always
  type: dict
  sample: {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:01Z", "writes": []}
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.look import Look
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    ADMIN,
    ALIASES,
    CLOUD,
    MONITORING,
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
        "source": {"type": "str"},
        "topics": {"type": "list", "elements": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 10800},
        "poll_interval": {"type": "float", "default": 30},
        "topics_timeout": {"type": "float", "default": 300},
        "assume_changes": {"type": "bool", "default": False},
        "update_pending": {"type": "bool", "default": False},
        "brief": {"type": "bool", "default": False},
        "max_lag": {"type": "float"},
        "wait_for_lag": {"type": "bool", "default": False},
        "fresh_lag": {"type": "bool", "default": False},
        "page": {"type": "path"},
    }
).merge(CLOUD, MONITORING, REUSE, ROLE, SOURCE_AUTH, ADMIN, SOURCE_ADMIN, ALIASES, TRANSFORMS)


def run(call: Call) -> Result:
    """Looks at the target, and checks it if a source is given. Raises MirrorOpsError."""
    return Look(call).result()


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
