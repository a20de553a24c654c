# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_info
short_description: Plan to disable, fail over, turn round or fail back a pair
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Looks at both instances of a pair, tells which one mirrors which now, and works out the steps that O(verb) takes from there, in order. It
    writes nothing. The roles disable, failover, reverse and failback carry its plans out.
  - O(source) and O(target) are always those of the pair's normal direction, also while it is turned round.
  - It does not fail because a plan is refused; that is left to who asks.
options:
  verb:
    description:
      - V(disable) ends mirroring to the target. V(failover) stops what still arrives at the target, so that applications can use it. V(reverse) lets
        the source mirror the target, after a failover. V(failback) brings the pair back to its normal direction.
    type: str
    choices: [disable, failover, reverse, failback]
    required: true
  source:
    description:
      - The mirroring source in the normal direction, by CRN, GUID or unique name.
      - For V(disable), and for V(failover) with O(mode=unplanned), nothing of it is asked.
    type: str
    required: true
  target:
    description: The mirroring target in the normal direction, by CRN, GUID or unique name.
    type: str
    required: true
  mode:
    description:
      - How to fail over. With V(planned), the plan waits until the target has everything, or is behind by O(accepted_lag) at most.
      - With V(unplanned) the source is taken as gone. No request is made that needs it, neither to its admin API nor for its
        document, its account or its region; what the target's Monitoring knew last is told in RV(lag).
    type: str
    choices: [planned, unplanned]
    default: planned
  topics:
    description:
      - The patterns of the topics to mirror, for V(reverse) and V(failback), which need them.
      - Where they also choose topics that came from the other side before, each topic of the cluster's own that they choose is selected by name.
    type: list
    elements: str
  accepted_lag:
    description: By how many seconds a topic may be behind when the selection is cleared, which is the loss that is accepted.
    type: float
    default: 0
  remove_authorization:
    description:
      - For V(disable), whether the plan also deletes the authorization that lets the target read the source. Only one is that grants just this, and
        that this collection made.
    type: bool
    default: false
  resume:
    description:
      - For V(failback), whether an earlier one was interrupted and is to be finished. Where neither instance mirrors the other one, that cannot be told
        from a failover after which applications write to the target.
    type: bool
    default: false
  accept_unknown_loss:
    description:
      - For V(failback), whether the plan does without a look at how far topics are behind, because Monitoring does not know, or is not there. Then
        you have to know that everything has arrived.
    type: bool
    default: false
  force:
    description:
      - Whether an instance that mirrors is taken for one that mirrors the other one of the pair, where the cloud does not show which one that
        is and several have left traces on it.
    type: bool
    default: false
  folder:
    description:
      - The directory with the records of earlier runs, as M(mirrorops.event_streams.recovery_record) writes them. If the last one that did something to
        this pair was of the same O(verb) and has not ended, the plan continues it, and O(resume) is taken as true. If it had only not seen in the
        end that topics are mirrored, the plan is to look again.
    type: path
  disabled:
    description:
      - Whether the update that disables mirroring was just seen to succeed, on the instance that gives it up. Then a document that goes on showing settings
        is an old one, and not a reason to doubt.
    type: bool
    default: false
  confirm:
    description:
      - The targets of pairs whose plan may be carried out, by name, GUID, CRN, or as in O(target). RV(confirmed) tells whether this one is
        among them.
    type: list
    elements: str
  wait:
    description:
      - Whether to wait for an update of either instance that is running. Not in check mode.
      - A failover with O(mode=unplanned) waits for none, as long as the selection of the target can be read.
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
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.auth.source
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.endpoints.monitoring
  - mirrorops.event_streams.role
  - mirrorops.event_streams.endpoints.admin
  - mirrorops.event_streams.endpoints.source_admin
  - mirrorops.event_streams.mirroring
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
seealso:
  - module: mirrorops.event_streams.mirroring
  - module: mirrorops.event_streams.mirroring_info
"""

EXAMPLES = r"""
- name: Which way does data flow, and what would a failover do?
  mirrorops.event_streams.recovery_info:
    verb: failover
    source: es-source-us-south
    target: es-target-us-east
  register: plan

- name: Show it
  ansible.builtin.debug:
    var: plan.summary

- name: What is known of the loss if us-south is gone?
  mirrorops.event_streams.recovery_info:
    verb: failover
    mode: unplanned
    source: es-source-us-south
    target: es-target-us-east
"""

RETURN = r"""
normal:
  description: The pair's normal direction.
  returned: success
  type: str
  sample: us-south -> us-east
direction:
  description:
    - Which way data flows now. V(forward) is the normal direction, V(backward) means that the pair is turned round. V(unknown) if an instance
      cannot be read, and if the source is not asked and the target mirrors nothing.
  returned: success
  type: str
  choices: [forward, backward, none, both, unknown]
  sample: forward
now:
  description: The same in words.
  returned: success
  type: str
  sample: us-south -> us-east
sides:
  description: What was seen of C(source) and C(target). Of one that was not asked, only how it was named.
  returned: success
  type: dict
  sample:
    source: {"name": "es-source-us-south", "alias": "us-south", "asked": true, "topics": null}
    target: {"name": "es-target-us-east", "alias": "us-east", "asked": true, "topics": ["^orders$"]}
steps:
  description:
    - What to do, in order. Empty if there is nothing to do, and if the plan is refused.
    - C(action) is wait_for_lag, clear_selection, disable, revoke, authorize, enable, select or validate. C(side) and C(instance) tell where,
      C(direction) which flow of data it is about. C(seconds) is how long it takes at most, normally, and C(final) whether it cannot be undone.
  returned: success
  type: list
  elements: dict
  sample:
    - action: clear_selection
      side: target
      instance: es-target-us-east
      direction: us-south -> us-east
      words: select no topics on es-target-us-east
      seconds: 0
      final: true
actions:
  description: The actions of the steps.
  returned: success
  type: list
  elements: str
  sample: [wait_for_lag, clear_selection]
giver:
  description: The side that gives up mirroring.
  returned: success
  type: str
  sample: target
taker:
  description: The side that takes it up, or gave it up.
  returned: success
  type: str
  sample: target
topics:
  description: The patterns that the plan selects.
  returned: success
  type: list
  elements: str
  sample: ["^orders$"]
grant:
  description: The authorization that the plan is about, as options of M(mirrorops.event_streams.authorization_policy). Null if none is.
  returned: success
  type: dict
  sample: null
max_lag:
  description: The seconds that are accepted when the selection is cleared.
  returned: success
  type: float
  sample: 0.0
lag:
  description: With O(mode=unplanned), how far the worst topic was behind when Monitoring last knew. Null otherwise.
  returned: success
  type: dict
  sample: {"known": true, "worst": {"topic": "orders", "seconds": 12.0}, "at": "2026-01-01T00:00:00Z", "reason": ""}
refused:
  description: Whether the plan is refused. RV(findings) says why.
  returned: success
  type: bool
  sample: false
findings:
  description: Why the plan is refused, as M(mirrorops.event_streams.readiness_info) returns findings.
  returned: success
  type: list
  elements: dict
  sample: []
notes:
  description: What else to know, such as what goes on being charged.
  returned: success
  type: list
  elements: str
  sample: [Mirroring to es-target-us-east is charged until it is disabled.]
doubts:
  description: Those of RV(notes) that tell why what was seen may be wrong.
  returned: success
  type: list
  elements: str
  sample: []
manual:
  description: What people have to do themselves, before and after.
  returned: success
  type: list
  elements: str
  sample: ["Before: Stop the producers that write to us-south, or the lag never ends."]
confirmed:
  description: Whether O(confirm) names the target, or there is nothing to do.
  returned: success
  type: bool
  sample: false
target_named:
  description: Whether O(confirm) names the target.
  returned: success
  type: bool
  sample: false
continues:
  description: The record of the run that this plan continues; null if it continues none.
  returned: success
  type: str
  sample: null
identity:
  description: Whose rights were used, as IAM calls them; null if that is not known.
  returned: success
  type: str
  sample: IBMid-5500012345
verb:
  description: As in O(verb).
  returned: success
  type: str
  sample: failover
mode:
  description: As in O(mode), for a failover; else null.
  returned: success
  type: str
  sample: planned
at:
  description: When that was.
  returned: success
  type: str
  sample: "2026-01-01T00:00:00Z"
requested:
  description: The pair as it was named.
  returned: success
  type: dict
  sample: {"source": es-source-us-south, "target": es-target-us-east}
summary:
  description: All of it, as lines for people.
  returned: success
  type: list
  elements: str
  sample: ["failover of us-south -> us-east, planned", "Now: us-south -> us-east"]
problems:
  description: Why the plan cannot be carried out, and what to do about it, in one paragraph; empty if it can.
  returned: success
  type: str
  sample: ""
"""

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovering import Recovery
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.recovery import MODES, VERBS
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    ADMIN,
    ALIASES,
    CLOUD,
    MONITORING,
    ROLE,
    SOURCE_ADMIN,
    SOURCE_AUTH,
    TRANSFORMS,
    ArgSpec,
)

SPEC = ArgSpec(
    {
        "verb": {"type": "str", "choices": list(VERBS), "required": True},
        "source": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
        "mode": {"type": "str", "choices": list(MODES), "default": "planned"},
        "topics": {"type": "list", "elements": "str"},
        "accepted_lag": {"type": "float", "default": 0},
        "remove_authorization": {"type": "bool", "default": False},
        "resume": {"type": "bool", "default": False},
        "accept_unknown_loss": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "folder": {"type": "path"},
        "disabled": {"type": "bool", "default": False},
        "confirm": {"type": "list", "elements": "str"},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "float", "default": 10800},
        "poll_interval": {"type": "float", "default": 30},
    }
).merge(CLOUD, MONITORING, ROLE, SOURCE_AUTH, ADMIN, SOURCE_ADMIN, ALIASES, TRANSFORMS)


def run(call: Call) -> Result:
    """Looks at both instances, and plans. Raises MirrorOpsError."""
    return Recovery(call).result()


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
