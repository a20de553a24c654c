#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: failover_readiness_info
short_description: Could a mirrored pair of Event Streams instances fail over now?
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Looks at both instances of a mirrored pair, tells which is source and which is target now, evaluates every rule, reports all findings
    together, and sums them up in RV(verdict). Changes nothing, never waits, and does not fail because of a finding; that is left to who asks.
  - What cannot be read, and would have counted, makes the verdict V(unknown), never V(ready). A value that the cloud does not show, as
    throughput or settings, makes a finding V(unknown) that does not decide.
  - A source that does not answer is no error. Its findings are V(unknown), and so is the verdict if nothing failed. Give CRNs, then the target
    is looked at also where the document of the source cannot be read.
options:
  source:
    description: The mirroring source as it is declared, by CRN, GUID or unique name.
    type: str
    required: true
  target:
    description: The mirroring target as it is declared, by CRN, GUID or unique name.
    type: str
    required: true
  topics:
    description: The patterns that should be selected. If not set, those that are selected are taken as right, unless there are none.
    type: list
    elements: str
  failback:
    description: Whether coming back is planned for, so that the opposite authorization has to be there. If not, its absence is a warning.
    type: bool
    default: false
  max_lag:
    description:
      - By how many seconds a selected topic may be behind, which is the recovery point that you accept. If not set, lag is told, and decides
        nothing.
    type: float
  brief:
    description:
      - Whether RV(findings) leaves out what passed, which then is told in RV(passed) only. Results of a fleet are kept for each pair.
    type: bool
    default: false
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
  - module: mirrorops.event_streams.mirroring_info
  - module: mirrorops.event_streams.readiness_info
"""

EXAMPLES = r"""
- name: Could orders fail over to us-east now, losing a minute at most?
  mirrorops.event_streams.failover_readiness_info:
    source: es-source-us-south
    target: es-target-us-east
    topics:
      - ^orders$
    failback: true
    max_lag: 60
  register: audit

- name: Fail unless it could
  ansible.builtin.assert:
    that: audit.ready
    fail_msg: "{{ audit.problems }}"

- name: Show which is source and which is target now
  ansible.builtin.debug:
    var: audit.direction
"""

RETURN = r"""
verdict:
  description:
    - V(ready) if nothing failed and everything that decides is known, V(not_ready) if a rule failed, V(unknown) if what decides could not be
      read, or while an operation is running.
  returned: success
  type: str
  choices: [ready, not_ready, unknown]
  sample: ready
ready:
  description: Whether the verdict is V(ready).
  returned: success
  type: bool
  sample: true
direction:
  description: Which is source and which is target now.
  returned: success
  type: dict
  contains:
    state:
      description:
        - V(forward) if the target mirrors from the source as declared, V(turned_round) if the source mirrors from the target, V(both) if both do,
          V(elsewhere) if the target mirrors from another source, V(off) if it does not mirror, V(unknown) if that cannot be told.
      type: str
      sample: forward
    declared:
      description: The declared direction, by aliases.
      type: str
      sample: us-south -> us-east
    now:
      description: The direction as it is now, by aliases; null unless the pair is mirrored one way.
      type: str
      sample: us-south -> us-east
    source:
      description: The source as it is now; null unless the pair is mirrored one way.
      type: dict
      sample: {"name": es-source-us-south, "alias": us-south, "region": us-south, "guid": 11111111-aaaa-4bbb-8ccc-000000000001}
    target:
      description: The target as it is now; null unless the pair is mirrored one way.
      type: dict
      sample: {"name": es-target-us-east, "alias": us-east, "region": us-east, "guid": 22222222-aaaa-4bbb-8ccc-000000000002}
lag:
  description:
    - How far the topics are behind, as M(mirrorops.event_streams.mirroring_info) returns it. Without O(max_lag) its C(state) is V(measured) or
      V(unknown). Null where the target does not mirror from the source.
  returned: success
  type: dict
  sample: {"state": within, "accepted": 60.0, "worst": {"topic": orders, "seconds": 1.5}}
topics:
  description: The patterns that are selected on the target; null if mirroring is not enabled, or if that cannot be read.
  returned: success
  type: list
  elements: str
  sample: ["^orders$"]
aliases:
  description: The aliases of the declared pair, given or derived from the regions.
  returned: success
  type: dict
  sample: {"source": us-south, "target": us-east}
findings:
  description:
    - The outcome of every rule, as M(mirrorops.event_streams.readiness_info) returns them; with O(brief) of those that did not pass.
  returned: success
  type: list
  elements: dict
  sample: [{"rule": direction, "status": pass, "message": "Now us-south -> us-east.", "remedy": "", "evidence": {}}]
passed:
  description: The names of the rules that passed.
  returned: success
  type: list
  elements: str
  sample: [direction, target_reachable]
summary:
  description: The answer, which is source and which is target now, the findings, and what goes on being charged, as lines for people.
  returned: success
  type: list
  elements: str
  sample: ["us-south -> us-east: ready to fail over"]
problems:
  description: Why the pair is not ready, or why that is not known, and what to do about it, in one paragraph; empty if it is ready.
  returned: success
  type: str
  sample: ""
requested:
  description: The pair as it was named.
  returned: success
  type: dict
  sample: {"source": es-source-us-south, "target": es-target-us-east}
duration:
  description: How long the task took, in seconds.
  returned: success
  type: float
  sample: 1.5
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import audit
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.failover_survey import Survey
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import told
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
        "source": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
        "topics": {"type": "list", "elements": "str"},
        "failback": {"type": "bool", "default": False},
        "max_lag": {"type": "float"},
        "brief": {"type": "bool", "default": False},
    }
).merge(CLOUD, MONITORING, REUSE, ROLE, SOURCE_AUTH, ADMIN, SOURCE_ADMIN, ALIASES, TRANSFORMS)


def run(call: Call) -> Result:
    """Evaluates all rules. Raises MirrorOpsError only for what leaves nothing to evaluate."""
    params, started = call.params, call.clock.monotonic()
    survey = Survey(call)
    facts = survey.facts()
    findings, deciding = audit.evaluate(facts), audit.decisive(facts)
    verdict = audit.verdict(findings, deciding)
    selection = facts.evidence.state.selection
    return {
        "requested": {"source": params["source"], "target": params["target"]},
        "verdict": verdict,
        "ready": verdict == "ready",
        "direction": facts.direction.to_result(),
        "aliases": {"source": facts.evidence.wanted.source_alias, "target": facts.evidence.wanted.target_alias},
        "lag": survey.lag,
        "topics": selection if isinstance(selection, list) else None,
        **told(findings, brief=params["brief"]),
        "summary": audit.summary(facts, findings, verdict),
        "problems": audit.troubles(f"{facts.source.name} -> {facts.target.name}", findings, deciding),
        "duration": round(call.clock.monotonic() - started, 1),
    }


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
