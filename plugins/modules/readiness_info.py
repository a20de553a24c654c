#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_info
short_description: Check whether two Event Streams instances are ready to be mirrored
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Looks at both instances, their topics, settings and authorizations, evaluates every rule, and reports all findings together. Changes
    nothing, and does not fail because of a finding; that is left to who asks.
  - Shows each selected source topic and the name that it will have on the target.
  - A value that the cloud does not show makes a finding V(unknown), never V(fail).
options:
  source:
    description: The mirroring source, by CRN, GUID or unique name.
    type: str
    required: true
  target:
    description: The mirroring target, by CRN, GUID or unique name.
    type: str
    required: true
  topics:
    description:
      - The patterns that are to be mirrored. If not set, the present selection of the target is looked at.
    type: list
    elements: str
  failback:
    description: Whether to look for the opposite authorization as well.
    type: bool
    default: false
  recreate:
    description: Whether settings of an enabled pair that differ may be changed by disabling and enabling again. If not, they are a failure.
    type: bool
    default: false
  throughput:
    description: The target's throughput in MB/s, for the case that its document does not show it.
    type: int
  authorization_timeout:
    description: As in M(mirrorops.event_streams.mirroring). Checked here, so that a bad value is found before anything is written.
    type: float
    default: 300
  settle_timeout:
    description: As in M(mirrorops.event_streams.mirroring). Checked here, so that a bad value is found before anything is written.
    type: float
    default: 60
  topics_timeout:
    description: As in M(mirrorops.event_streams.mirroring_info). Checked here, so that a bad value is found before anything is written.
    type: float
    default: 300
  wait:
    description: As in M(mirrorops.event_streams.mirroring). This module itself never waits.
    type: bool
    default: true
  wait_timeout:
    description: As in M(mirrorops.event_streams.mirroring). Checked here, so that a bad value is found before anything is written.
    type: float
    default: 10800
  poll_interval:
    description: As in M(mirrorops.event_streams.mirroring). Checked here, so that a bad value is found before anything is written.
    type: float
    default: 30
  brief:
    description:
      - Whether RV(findings) leaves out what passed, which then is told in RV(passed) only, and RV(source) and RV(target) leave out all but CRN,
        GUID, name, region and account. Results of a fleet are kept for each pair.
    type: bool
    default: false
  headroom_window:
    description:
      - Within which time the peaks of traffic are looked for in IBM Cloud Monitoring, in seconds, from five minutes to a week. It is asked
        only while mirroring is not on; without it, or without its metrics, the findings about headroom are V(unknown).
    type: float
    default: 86400
  source_monitoring_instance:
    description: Like O(monitoring_instance), for the region of the source.
    type: str
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
"""

EXAMPLES = r"""
- name: Could us-east mirror us-south?
  mirrorops.event_streams.readiness_info:
    source: es-source-us-south
    target: es-target-us-east
    topics:
      - ^orders$
      - ^payments$
  register: result

- name: Show what stands in the way
  ansible.builtin.debug:
    msg: "{{ result.findings | selectattr('status', 'eq', 'fail') }}"
"""

RETURN = r"""
ready:
  description: Whether no rule failed.
  returned: success
  type: bool
  sample: true
requested:
  description: The pair as it was named.
  returned: success
  type: dict
  sample: {"source": es-source-us-south, "target": es-target-us-east}
findings:
  description: The outcome of every rule; with O(brief) of those that did not pass.
  returned: success
  type: list
  elements: dict
  contains:
    rule:
      description: Name of the rule.
      type: str
      sample: throughput
    status:
      description: V(pass), V(warn), V(fail) or V(unknown).
      type: str
      sample: pass
    message:
      description: What was seen.
      type: str
      sample: Both have 150 MB/s of throughput.
    remedy:
      description: What to do about it; empty if there is nothing to do.
      type: str
      sample: ""
    evidence:
      description: The values that were looked at.
      type: dict
      sample: {"source": 150, "target": 150, "unit": MB/s}
passed:
  description: The names of the rules that passed.
  returned: success
  type: list
  elements: str
  sample: [different_instances, throughput]
summary:
  description: The findings and the selected topics, as lines for people.
  returned: success
  type: list
  elements: str
  sample: ["Mirroring es-source-us-south to es-target-us-east, us-south -> us-east", "Ready: nothing failed. What is unknown cannot be checked from here"]
problems:
  description: What failed and what to do about it, in one paragraph; empty if nothing did.
  returned: success
  type: str
  sample: ""
preview:
  description: The source's topics that are selected, as M(mirrorops.event_streams.topic_selection) returns them.
  returned: success
  type: list
  elements: dict
  sample: [{"topic": "payments", "remote_topic": "payments.us-south", "partitions": 6, "certain": true}]
aliases:
  description: The aliases, given or derived from the regions.
  returned: success
  type: dict
  sample: {"source": "us-south", "target": "us-east"}
source:
  description: The source, as M(mirrorops.event_streams.instance_info) returns it.
  returned: success
  type: dict
  sample: {"name": "es-source-us-south", "guid": "11111111-aaaa-4bbb-8ccc-000000000001"}
target:
  description: The target, as M(mirrorops.event_streams.instance_info) returns it.
  returned: success
  type: dict
  sample: {"name": "es-target-us-east", "guid": "22222222-aaaa-4bbb-8ccc-000000000002"}
mirroring:
  description: The mirroring of the target, as M(mirrorops.event_streams.mirroring_info) returns it.
  returned: success
  type: dict
  sample: {"enabled": false}
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Clock, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Cloud, connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import looks_like_crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import failed, problems, told
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import lines as findings_lines
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import Load, Missing
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import read_names, read_window
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import DEFAULT_TOPIC_TRANSFORM
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pair import read_pair
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.plan import check_throughput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness import (
    CHARGE,
    Facts,
    instance_rules,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness_topics import topic_rules
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    compile_patterns,
    lines,
    normalise,
    preview,
    undecided,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable, observe
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import (
    read_authorization,
    read_selection,
    read_topics,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import read_limits
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
    WAIT,
    ArgSpec,
)

SPEC = ArgSpec(
    {
        "source": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
        "topics": {"type": "list", "elements": "str"},
        "failback": {"type": "bool", "default": False},
        "recreate": {"type": "bool", "default": False},
        "throughput": {"type": "int"},
        "authorization_timeout": {"type": "float", "default": 300},
        "settle_timeout": {"type": "float", "default": 60},
        "topics_timeout": {"type": "float", "default": 300},
        "brief": {"type": "bool", "default": False},
        "headroom_window": {"type": "float", "default": 86400},
        "source_monitoring_instance": {"type": "str"},
    }
).merge(CLOUD, MONITORING, REUSE, ROLE, SOURCE_AUTH, ADMIN, SOURCE_ADMIN, ALIASES, TRANSFORMS, WAIT)


def run(call: Call) -> Result:
    """Evaluates all rules. Raises MirrorOpsError only for what leaves nothing to evaluate."""
    params = call.params
    topics = normalise(params["topics"])
    compile_patterns(topics or [])
    read_limits(params)
    check_throughput(params["throughput"])
    for side in ("source", "target"):
        if looks_like_crn(params[side]):
            parse_crn(params[side], side)
    read_names(params["metric_names"])
    read_window(params["headroom_window"], "headroom_window")
    facts = _survey(params, connect(call), topics, call.clock)
    findings = [*instance_rules(facts), *topic_rules(facts)]
    direction = f"{facts.wanted.source_alias} -> {facts.wanted.target_alias}"
    readiness = (
        "Not ready" if failed(findings) else "Ready: nothing failed. What is unknown cannot be checked from here"
    )
    heading = f"Mirroring {facts.source.name} to {facts.target.name}, {direction}"
    selected = [f"Selected topics and their names on the target: {len(facts.previews)}", *lines(facts.previews)]
    return {
        "requested": {"source": params["source"], "target": params["target"]},
        "ready": not failed(findings),
        **told(findings, brief=params["brief"]),
        "preview": [one.to_result() for one in facts.previews],
        "aliases": {"source": facts.wanted.source_alias, "target": facts.wanted.target_alias},
        "source": facts.source.identity if params["brief"] else facts.source.to_result(),
        "target": facts.target.identity if params["brief"] else facts.target.to_result(),
        "mirroring": facts.state.to_result(),
        "summary": [heading, readiness, *findings_lines(findings), CHARGE, *selected],
        "problems": problems(f"{facts.source.name} -> {facts.target.name}", findings),
    }


def _survey(params: dict[str, t.Any], cloud: Cloud, topics: list[str] | None, clock: Clock) -> Facts:
    source, target, wanted = read_pair(params, cloud)
    target_topics = read_topics(cloud.target, target)
    names = None if isinstance(target_topics, Unreadable) else [topic.name for topic in target_topics]
    state = observe(target, read_selection(cloud.target, target), names)
    source_topics = read_topics(cloud.source, source, "source_admin_url")
    source_state = observe(source, read_selection(cloud.source, source, "source_admin_url"))
    if topics is None and isinstance(state.selection, list):
        topics = state.selection
    transform = wanted.topic_name_transform or state.fields["topic_name_transform"].value or DEFAULT_TOPIC_TRANSFORM
    listed = [] if isinstance(source_topics, Unreadable) else source_topics
    recent = cloud.recent()
    authorizations = [read_authorization(recent.source, source, target)]
    if params["failback"]:
        authorizations.append(read_authorization(recent.target, target, source))
    previews = preview(listed, compile_patterns(topics or []), transform, wanted.source_alias)
    load: Load | Missing | None = None
    if state.enabled.value is not True:
        # Imported where it is measured, because everything else has to be in every worker.
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.load import read_load

        selected = None if topics is None else [one.topic for one in previews]
        load = (
            Missing(source_topics.reason, "Make the admin API of the source reachable.")
            if isinstance(source_topics, Unreadable)
            else read_load(cloud, params, source, target, selected, clock, undecided(topics or []))
        )
    return Facts(
        source=source,
        target=target,
        wanted=wanted,
        state=state,
        source_state=source_state,
        source_topics=source_topics,
        target_topics=target_topics,
        patterns=topics,
        previews=previews,
        authorizations=tuple(authorizations),
        recreate=params["recreate"],
        load=load,
        throughput=params["throughput"],
    )


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
