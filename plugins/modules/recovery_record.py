#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_record
short_description: Write the record of a disable, failover, reverse or failback
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Writes what a run did to a pair into two files, one of JSON for programs and one of HTML for people. They say who did it and when, the plan,
    what became of each step with its transaction ids, how the pair was before and after, and the recovery time and recovery point that
    were measured.
  - The roles of this collection use it twice. At the beginning it leaves a record even if the run is killed, and at the end it
    puts the outcome in its place.
  - It asks nobody and needs no credentials; it knows what it is given. Of that it picks what is listed below, and nothing else. Credentials
    that the environment of the task holds are masked, should they occur in what is written.
  - A record is a report, so writing it does not count as a change. In check mode nothing is written.
options:
  folder:
    description:
      - The directory in which records are; an absolute path on the host on which the task runs. C(~) is the home directory there.
      - It is made if it is missing, and so is what is missing above it, with permissions for this user only. Only this user can read the files.
    type: path
    required: true
  state:
    description:
      - V(begun) writes a record of a run that goes on, with RV(record.outcome) V(unfinished). It belongs before the first step.
      - V(ended) writes the outcome.
    type: str
    choices: [begun, ended]
    required: true
  record:
    description:
      - The path of the record that V(begun) returned as RV(json). Its files are replaced, each of them whole or not at all.
      - If it is not given, a new record is written. So it is, with a warning, if what is there is not the unfinished record of the same pair.
    type: path
  before:
    description: How the pair was and what was planned, as M(mirrorops.event_streams.recovery_info) returned it.
    type: dict
    required: true
  after:
    description: How the pair was at the end, as M(mirrorops.event_streams.recovery_info) returned it, or the failure of that.
    type: dict
  steps:
    description:
      - What the steps returned, each a dictionary with C(action), the name of the step in the plan, and C(results), the registered results of its
        tasks. An empty result is a task that was not reached.
      - With O(state=begun) and O(record), those that are done by then, so that a run that is killed after them is known to have got so far.
    type: list
    elements: dict
    default: []
  job:
    description:
      - What is known of the job that runs this, such as its id in AWX; texts and numbers by name.
      - What has a name that sounds like a secret is left out.
    type: dict
  failed:
    description: With O(state=ended), whether the run failed.
    type: bool
    default: false
  reason:
    description: What to say of the outcome, such as why the run failed.
    type: str
extends_documentation_fragment:
  - mirrorops.event_streams.role
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
attributes:
  idempotent:
    support: none
    details:
      - This module changes nothing of the pair. Each time it writes a record anew.
seealso:
  - module: mirrorops.event_streams.recovery_info
notes:
  - O(role) only keeps the arguments out of the result, as it does for every module of this collection.
"""

EXAMPLES = r"""
- name: Begin the record
  mirrorops.event_streams.recovery_record:
    folder: /srv/records
    state: begun
    before: "{{ looked }}"
    job:
      id: "{{ awx_job_id | default('') }}"
      user: "{{ awx_user_name | default('') }}"
  register: begun

- name: Stop mirroring
  mirrorops.event_streams.mirroring:
    target: es-target-us-east
    state: absent
  register: disabled

- name: End the record
  mirrorops.event_streams.recovery_record:
    folder: /srv/records
    state: ended
    record: "{{ begun.json }}"
    before: "{{ looked }}"
    after: "{{ looked_again }}"
    steps:
      - action: disable
        results: ["{{ disabled }}"]
"""

RETURN = r"""
record:
  description: What was written. What is not known is null. Times are ISO 8601, in UTC.
  returned: success
  type: dict
  contains:
    format:
      description: The number of this format. It changes when a reader of the present one would misread it.
      type: int
      sample: 1
    verb:
      description: What was asked for.
      type: str
      sample: failover
    mode:
      description: Whether it was V(planned) or V(unplanned), where that makes a difference.
      type: str
      sample: planned
    outcome:
      description:
        - V(unfinished) if the run had not ended, and if O(after) or an update that nobody waited for tells that something is left to do. Else
          V(done), V(failed), V(refused) if it failed before anything was begun, V(not confirmed) if the plan was only shown,
          or V(nothing to do) if the plan had no step.
      type: str
      sample: done
    message:
      description: O(reason); of an unfinished run, what that means.
      type: str
      sample: ""
    who:
      description: >-
        Who ran it. C(identity) is the IAM id whose credentials were used, C(user) the login on the machine C(host), C(job) what O(job) says.
      type: dict
      sample: {"identity": IBMid-550000ABCD, "user": runner, "host": awx-1, "job": {"id": 4711}}
    started_at:
      description: When the run began, which is when it first looked at the pair.
      type: str
      sample: "2026-01-01T10:00:00Z"
    ended_at:
      description: When the run ended.
      type: str
      sample: "2026-01-01T10:42:10Z"
    target_named:
      description: Whether the run was confirmed by the name of its target; null if that is not known.
      type: bool
      sample: true
    continues:
      description: >-
        The earlier record, if the run continues an interrupted one of the same pair: its C(path), C(verb), C(outcome) and C(started_at);
        C(since) is when the first of several began.
      type: dict
      sample: null
    pair:
      description: The C(name), C(crn), C(guid), C(region) and C(alias) of C(source) and C(target).
      type: dict
      sample: {"source": {"name": es-source-us-south}, "target": {"name": es-target-us-east}}
    normal:
      description: The direction in which the pair mirrors normally, in words.
      type: str
      sample: us-south -> us-east
    direction_before:
      description: In which direction the pair mirrored before, in words.
      type: str
      sample: us-south -> us-east
    direction_after:
      description: In which direction the pair mirrored at the end, in words.
      type: str
      sample: nothing is mirrored
    recovery_time:
      description: The recovery time that was measured.
      type: dict
      contains:
        seconds:
          description: From the start of the run, or of the earlier one that it continues, to the end of the last step that changed something.
          type: float
          sample: 2410.0
        from:
          description: Where that begins.
          type: str
          sample: "2026-01-01T10:00:00Z"
        to:
          description: Where it ends.
          type: str
          sample: "2026-01-01T10:40:10Z"
        explanation:
          description: The same in words, or why nothing was measured.
          type: str
          sample: 40 min 10 s from the start of the run to the end of the last step that changed something, disable.
    recovery_point:
      description: The recovery point that was measured.
      type: dict
      contains:
        seconds:
          description: By how much the topic that was furthest behind was behind.
          type: float
          sample: 1.5
        topic:
          description: That topic.
          type: str
          sample: orders
        at:
          description: When that was.
          type: str
          sample: "2026-01-01T10:02:00Z"
        how:
          description: V(measured) if the run waited for lag, V(last reading) if it was read before the run acted, else V(unknown).
          type: str
          sample: measured
        words:
          description: The same in words, with what is not known.
          type: str
          sample: "Measured by this run at 2026-01-01T10:02:00Z: the topic that is furthest behind, orders, is behind by 1.5 s."
    plan:
      description: >-
        The steps that were planned, in order, as M(mirrorops.event_streams.recovery_info) returned them.
      type: list
      elements: dict
      sample: [{"action": disable, "words": "Stop mirroring.", "side": target, "instance": es-target-us-east, "seconds": 7200.0}]
    steps:
      description: Each step of the plan, and each other one of which there is a result. Empty with O(state=begun).
      type: list
      elements: dict
      contains:
        action:
          description: The name of the step.
          type: str
          sample: disable
        words:
          description: The step for people.
          type: str
          sample: Stop mirroring.
        instance:
          description: The instance on which it acts.
          type: str
          sample: es-target-us-east
        direction:
          description: The direction that it is about.
          type: str
          sample: us-south -> us-east
        outcome:
          description:
            - V(done), V(unchanged) if nothing was left to change, V(skipped), V(failed), V(under way) if it was submitted and nobody waited for
              it, or V(not reached).
            - A step that only looks is V(done). In a run that failed, one that did not accept what it found is V(failed).
          type: str
          sample: done
        started_at:
          description: When its first task began.
          type: str
          sample: "2026-01-01T10:02:01Z"
        ended_at:
          description: When its last task ended.
          type: str
          sample: "2026-01-01T10:40:10Z"
        seconds:
          description: How long it took.
          type: float
          sample: 2289.0
        writes:
          description:
            - The first fifty requests that were to write something. C(status) is null if there was no answer, C(transaction_id) is what the
              vendor's support asks for.
          type: list
          elements: dict
          sample:
            - {"at": "2026-01-01T10:02:03Z", "method": PATCH, "path": "/v2/resource_instances/2222", "status": 202, "transaction_id": b2d5}
        write_count:
          description: How many there were.
          type: int
          sample: 1
        message:
          description: Why it failed or was skipped, or what it found.
          type: str
          sample: ""
    skipped:
      description: The names of the steps that were skipped.
      type: list
      elements: str
      sample: []
    notes:
      description: What there is to know about the run.
      type: list
      elements: str
      sample: ["The source was not reachable."]
    manual:
      description: What people have to do themselves.
      type: list
      elements: str
      sample: ["Point the applications to es-target-us-east."]
    charge:
      description: What is charged from now on.
      type: str
      sample: Mirroring was off on both sides at the end, which ends the charge for it.
    before:
      description: >-
        The pair as it was seen before: C(at), C(direction), C(now) in words, C(lag), those C(findings) that did not pass, and C(sides). Each
        side has the instance, whether it was C(asked), its C(operation), C(mirroring) with how each value is C(known), whether it is C(authorized), what was
        C(unreadable), and the first five hundred of its selected C(topics), of which there are C(topic_count). Null if it was not seen.
      type: dict
      sample: {"at": "2026-01-01T10:00:00Z", "direction": forward, "now": us-south -> us-east, "sides": {"source": null, "target": null}}
    after:
      description: The same at the end.
      type: dict
      sample: null
json:
  description: The path of the JSON, which is RV(record); null in check mode.
  returned: success
  type: str
  sample: /srv/records/20260101T100000Z-failover-es-target-us-east-3fa1.json
html:
  description: The path of the page; null in check mode, and, with a warning, if only the page could not be written.
  returned: success
  type: str
  sample: /srv/records/20260101T100000Z-failover-es-target-us-east-3fa1.html
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recording import Recording
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ROLE, ArgSpec

SPEC = ArgSpec(
    {
        "folder": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["begun", "ended"], "required": True},
        "record": {"type": "path"},
        "before": {"type": "dict", "required": True},
        "after": {"type": "dict"},
        "steps": {"type": "list", "elements": "dict", "default": []},
        "job": {"type": "dict"},
        "failed": {"type": "bool", "default": False},
        "reason": {"type": "str"},
    }
).merge(ROLE)


def run(call: Call) -> Result:
    """Writes the record. Raises MirrorOpsError."""
    return Recording(call).result()


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
