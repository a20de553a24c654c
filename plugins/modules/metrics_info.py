#!/usr/bin/python
# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics_info
short_description: Ask IBM Cloud Monitoring about an Event Streams instance
version_added: 1.0.0
author:
  - Contributors to mirrorops.event_streams (@mirrorops)
description:
  - Shows how far the topics that an instance mirrors are behind, and where that is going; how much is mirrored; what the instance and its
    topics take in and hand out, now and at the peak; and how full it is.
  - The metrics are there only if platform metrics are enabled for the region of the instance, in an instance of IBM Cloud Monitoring.
  - A value that Monitoring does not have, has not had for five minutes, or shows as no number, is null and listed in RV(unknown). It is
    never taken for 0. A topic without traffic may have no latency.
options:
  instance:
    description: The Event Streams instance, by CRN, GUID or unique name. For mirroring, that is the target.
    type: str
    required: true
  window:
    description:
      - How far to look back for peaks, and for the lines of O(page), in seconds, from five minutes to a week. The trend is always that of
        the last ten minutes.
    type: float
    default: 3600
  most_topics:
    description: How many topics are returned at most, in each list; those with the largest values are.
    type: int
    default: 100
  max_lag:
    description:
      - By how many seconds a topic may be behind, which is the recovery point that you accept. If set, RV(findings) tells whether all are
        within it. All topics count that have a value, or had one in the last six hours and since the last update of the instance. Those that
        have none now are a warning, or make it V(unknown) if they were behind by more. The task does not fail because of that.
    type: float
  source:
    description: For O(page). The instance that O(instance) mirrors, by CRN, GUID or unique name.
    type: str
  page:
    description:
      - Where to write a page of HTML that shows the same as charts and tables; an absolute path on the host on which the task runs, in a
        directory that is there. Lines are drawn of a few topics only, those that are furthest behind or were.
      - Given O(source), it also shows the direction, and what the vendor measured for the two regions.
      - The page is a report. It is written anew each time and never counts as a change. In check mode it is not written. If it
        cannot be written in the end, that is a warning.
    type: path
extends_documentation_fragment:
  - mirrorops.event_streams.auth
  - mirrorops.event_streams.auth.profile
  - mirrorops.event_streams.auth.source
  - mirrorops.event_streams.endpoints
  - mirrorops.event_streams.endpoints.monitoring
  - mirrorops.event_streams.reuse
  - mirrorops.event_streams.role
  - mirrorops.event_streams.attributes
  - mirrorops.event_streams.attributes.info
seealso:
  - module: mirrorops.event_streams.mirroring_info
"""

EXAMPLES = r"""
- name: How far is us-east behind?
  mirrorops.event_streams.metrics_info:
    instance: es-target-us-east
  register: metrics

- name: Show it
  ansible.builtin.debug:
    msg: "{{ metrics.summary }}"

- name: Was there a day on which the source handed out more than 40 MB/s?
  mirrorops.event_streams.metrics_info:
    instance: es-source-us-south
    window: 604800
  register: source

- name: Say so
  ansible.builtin.debug:
    msg: Yes.
  when: (source.bytes_out.peak or 0) > 40000000

- name: Show the last day on a page, beside a recovery point of one minute
  mirrorops.event_streams.metrics_info:
    source: es-source-us-south
    instance: es-target-us-east
    window: 86400
    max_lag: 60
    page: /tmp/us-south-to-us-east.html
"""

RETURN = r"""
instance:
  description: CRN, GUID, name, region and account of the instance.
  returned: success
  type: dict
  sample: {"name": es-target-us-east, "guid": 22222222-aaaa-4bbb-8ccc-000000000002, "region": us-east}
monitoring_instance:
  description: GUID of the instance of IBM Cloud Monitoring that was asked.
  returned: success
  type: str
  sample: 33333333-aaaa-4bbb-8ccc-000000000003
at:
  description: When it was asked, by Monitoring's clock.
  returned: success
  type: str
  sample: "2026-01-01T00:00:00Z"
window:
  description: How far was looked back, in seconds.
  returned: success
  type: float
  sample: 3600.0
lag:
  description: The latency of mirroring, which is the recovery point.
  returned: success
  type: dict
  contains:
    worst:
      description: The topic that is furthest behind, and by how many seconds. Null if nothing is known.
      type: dict
      sample: {"topic": orders, "seconds": 1.5}
    topics:
      description: All topics that have a latency, by the name that Monitoring gives them, the worst first.
      type: list
      elements: dict
      sample: [{"topic": orders, "seconds": 1.5}]
    topic_count:
      description: How many topics there are.
      type: int
      sample: 1
    slope:
      description: How the latency of the worst topic has changed in the last ten minutes, in seconds per second.
      type: float
      sample: -0.5
    catching_up:
      description:
        - Whether it shrinks. With O(max_lag), whether that of all topics that are behind by more shrinks; true if there are none. Null if
          that cannot be told.
      type: bool
      sample: true
    caught_up_in:
      description:
        - In how many seconds it will be gone at the present rate. With O(max_lag), in how many all topics will be within it. Null unless
          RV(lag.catching_up).
      type: float
      sample: 3.0
mirroring_throughput:
  description: How much the instance mirrors, in bytes per second.
  returned: success
  type: dict
  sample: {"now": 1048576.0, "peak": 2097152.0}
bytes_in:
  description: What the instance takes in, in bytes per second.
  returned: success
  type: dict
  sample: {"now": 1048576.0, "peak": 2097152.0}
bytes_out:
  description: What the instance hands out, in bytes per second.
  returned: success
  type: dict
  sample: {"now": 1048576.0, "peak": 2097152.0}
topics:
  description: What each topic takes in and hands out, in bytes per second; those with the largest peaks first.
  returned: success
  type: list
  elements: dict
  sample: [{"topic": orders, "bytes_in": {"now": 1024.0, "peak": 2048.0}, "bytes_out": {"now": 1024.0, "peak": 2048.0}}]
topic_count:
  description: How many topics Monitoring knows.
  returned: success
  type: int
  sample: 1
partitions:
  description: How many partitions the instance has.
  returned: success
  type: float
  sample: 12.0
utilization:
  description: How much the instance is used, in the service's own scale from 0 to 2.
  returned: success
  type: float
  sample: 0.0
unknown:
  description: The names of the metrics of which there is no value now.
  returned: success
  type: list
  elements: str
  sample: [mirroring_latency]
findings:
  description: Whether all topics are within O(max_lag), as one finding C(lag) in the shape of those of M(mirrorops.event_streams.readiness_info).
  returned: with O(max_lag)
  type: list
  elements: dict
  sample: [{"rule": "lag", "status": "pass", "message": "The worst topic, orders, is behind by 1.5 s.", "remedy": "", "evidence": {}}]
page:
  description: The page that was written; null without O(page), in check mode, and if it could not be written.
  returned: success
  type: str
  sample: /tmp/us-south-to-us-east.html
summary:
  description: The same as lines for people. If there is no value of anything, it says what may be wrong.
  returned: success
  type: list
  elements: str
  sample: ["es-target-us-east is behind by 1.5 s at most (orders), and steady"]
"""

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result, run_as_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect, find
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import looks_like_crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import lag_finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import (
    Measured,
    measure,
    since_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    check_lag,
    read_names,
    read_window,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    CLOUD,
    MONITORING,
    REUSE,
    ROLE,
    SOURCE_AUTH,
    ArgSpec,
)

SPEC = ArgSpec(
    {
        "instance": {"type": "str", "required": True},
        "window": {"type": "float", "default": 3600},
        "most_topics": {"type": "int", "default": 100},
        "max_lag": {"type": "float"},
        "source": {"type": "str"},
        "page": {"type": "path"},
    }
).merge(CLOUD, MONITORING, REUSE, ROLE, SOURCE_AUTH)
WORDS = {"pass": "within", "fail": "behind"}


def run(call: Call) -> Result:
    """Asks for everything. Raises MirrorOpsError."""
    params = call.params
    names, window, most = read_names(params["metric_names"]), read_window(params["window"]), params["most_topics"]
    if most < 1:
        raise InvalidInput("most_topics must be at least 1")
    check_lag(params["max_lag"], False)
    _check_page(call)
    cloud = connect(call)
    account = cloud.target
    instance = find(account, account.recent(), params["instance"], "instance")
    source = None
    if params["source"]:
        source = find(cloud.source, cloud.source.recent(), params["source"], "source")
        if source.guid.lower() == instance.guid.lower():
            raise InvalidInput(
                f"source and instance are the same instance, {instance.label}", remedy="Give two different instances."
            )
    monitoring = account.monitoring(instance, params["monitoring_instance"])
    drawn = params["page"] is not None and not call.check_mode
    measured = measure(monitoring, names, instance.guid, window, since=since_of(instance), draw=drawn)
    measured = dataclasses.replace(measured, lag=measured.lag.judged(params["max_lag"], None))
    findings = [] if params["max_lag"] is None else [lag_finding(measured.lag, params["max_lag"], None)]
    return {
        "instance": instance.identity,
        "monitoring_instance": monitoring.guid,
        **measured.to_result(most),
        **({"findings": [finding.to_result() for finding in findings]} if findings else {}),
        "page": _page(call, source, instance, monitoring.guid, measured, findings),
        "summary": measured.lines(instance.name),
    }


def _check_page(call: Call) -> None:
    path, source = call.params["page"], call.params["source"]
    if source and looks_like_crn(source):
        parse_crn(source, "source")
    if path is not None:
        # Imported where a page is wanted, because everything else has to be in every worker.
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.write import check_path

        check_path(path, look=not call.check_mode)


def _page(
    call: Call,
    source: Instance | None,
    instance: Instance,
    monitoring: str,
    measured: Measured,
    findings: list[Finding],
) -> str | None:
    """Writes the page, if it is wanted, and returns its path; None after a warning if it cannot be written."""
    path: str | None = call.params["page"]
    if path is None or call.check_mode:
        return None
    # Imported where a page is wanted, because everything else has to be in every worker.
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.picture import View, picture
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.write import try_page

    verdict = WORDS.get(findings[0].status, "unknown") if findings else None
    view = View(
        source=source,
        target=instance,
        verdict=verdict,
        findings=findings,
        at=measured.at,
        window=measured.window,
        monitoring=monitoring,
        measured=measured,
        accepted=call.params["max_lag"],
    )
    return try_page(path, picture(view, call.secrets), call.warn)


def main() -> t.NoReturn:
    """Runs as an ordinary module."""
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
