# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: which troubles, in which flows, and what must hold whatever happens.

One case = one flow, one trouble, one place and one duration. It is judged by what the simulator saw and became.
"""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy,
    authorization_policy_info,
    failover_readiness_info,
    instance_info,
    metrics_info,
    mirroring,
    mirroring_info,
    readiness_info,
    remote_topics,
    topic_selection,
    topics_info,
)
from ansible_collections.mirrorops.event_streams.tests.faults import recovery_flows
from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    ACCOUNT,
    AUTHORIZED,
    ENABLED,
    KEY,
    SOURCE,
    SOURCE_GUID,
    TARGET,
    TARGET_GUID,
    TOPICS,
    RoleFailed,
    Stage,
    authorization,
    scenario,
)
from simulator import Simulator

BUSY = {
    "error_code": "RC-ServiceBrokerErrorResponse",
    "message": "Another operation is in progress",
    "status_code": 422,
}
READS = (TARGET_GUID, SOURCE_GUID)
"""The target may read the source, in IAM's order."""

OBSERVED = f"{SOURCE}--{TARGET}"
"""What the inventory calls the pair if nobody has given it a name."""

LATER = 100_000.0
"""Seconds after which everything that was under way has ended."""

MOST_FAILURES = 3
"""Updates that may fail in a case: each is sent after the one before was seen failed, and only for a young authorization."""

POLLING = {"poll_interval": 600}

HANG = 0.4
"""Real seconds that a hanging answer takes; the client waits for half of them."""

FAULTS: dict[str, dict[str, Any]] = {
    "401": {"action": "unauthorized"},
    "403": {"action": "forbidden"},
    "404": {"action": "not_found"},
    "409": {"action": "status", "status": 409},
    "422 busy": {"action": "status", "status": 422, "body": BUSY},
    "429": {"action": "status", "status": 429},
    "429, Retry-After 20": {"action": "status", "status": 429, "headers": {"Retry-After": "20"}},
    "429, Retry-After 0": {"action": "status", "status": 429, "headers": {"Retry-After": "0"}},
    "429, Retry-After absurd": {"action": "status", "status": 429, "headers": {"Retry-After": "99999999999"}},
    "500": {"action": "status", "status": 500},
    "500, processed": {"action": "status", "status": 500, "processed": True},
    "502, Retry-After 0": {"action": "status", "status": 502, "body": "html", "headers": {"Retry-After": "0"}},
    "502, processed": {"action": "status", "status": 502, "body": "empty", "processed": True},
    "503": {"action": "status", "status": 503},
    "cut-off JSON": {"action": "truncated_json"},
    "HTML": {"action": "html_body"},
    "empty": {"action": "empty_body"},
    "connection cut": {"action": "cut_connection"},
    "reset before": {"action": "reset_before"},
    "reset after": {"action": "reset_after"},
    "hang": {"action": "hang", "seconds": HANG, "processed": False},
    "hang, processed": {"action": "hang", "seconds": HANG},
    "stale succeeded": {"action": "stale_operation"},
    "stuck in progress": {"action": "operation_stuck"},
    "operation failed": {"action": "operation_failed"},
}
UPDATES_ONLY = ("stale succeeded", "stuck in progress", "operation failed")
DURATIONS: dict[str, int | None] = {"once": 1, "three times": 3, "for ever": None}


@dataclasses.dataclass(frozen=True)
class Flow:
    """What is run, in which world, and how to tell that it is done. ``updates``: how many PATCHes it takes undisturbed."""

    name: str
    scenario: dict[str, Any]
    run: Callable[[Stage], Any]
    done: Callable[[Simulator], bool]
    updates: int


def mirrored(simulator: Simulator) -> bool:
    """The target mirrors the source as asked, and exactly one policy lets it."""
    simulator.clock.advance(LATER)
    target = simulator.instance(TARGET)
    copies = {topic.remote_of: topic.name for topic in target.live_topics() if topic.remote_of}
    return (
        target.mirroring is not None
        and target.mirroring.source.guid == SOURCE_GUID
        and sorted(target.selection) == sorted(TOPICS)
        and copies == {"orders": "orders.us-south", "payments": "payments.us-south"}
        and policies(simulator)[READS] == 1
    )


def renamed(simulator: Simulator) -> bool:
    """As mirrored, under other names."""
    simulator.clock.advance(LATER)
    target = simulator.instance(TARGET)
    return target.mirroring is not None and target.mirroring.topics.add_prefix == "dr." and target.selection == TOPICS


def ended(simulator: Simulator) -> bool:
    """The target mirrors nothing and may no longer read the source."""
    return simulator.instance(TARGET).mirroring is None and policies(simulator)[READS] == 0


def policies(simulator: Simulator) -> collections.Counter[tuple[str | None, str | None]]:
    """How many active policies there are for each pair of GUIDs: who asks, who is asked."""
    found: collections.Counter[tuple[str | None, str | None]] = collections.Counter()
    for policy in simulator.state.policies.by_id.values():
        sides = [{one.key: one.value for one in side} for side in (policy.subject, policy.resource)]
        if policy.state == "active":
            found[sides[0].get("serviceInstance"), sides[1].get("serviceInstance")] += 1
    return found


def mirror_by_name(stage: Stage) -> Any:
    """The playbook mirror, with names instead of CRNs."""
    return stage.mirror()


def mirror_by_crn(stage: Stage) -> Any:
    """The playbook mirror, with CRNs, able to fail back."""
    return stage.mirror(**crns(stage), failback=True)


def recreate(stage: Stage) -> Any:
    """Disables and enables, because another transform is wanted."""
    rename = {"type": "rename", "rename": {"add_prefix": "dr."}}
    pair = {"source": SOURCE, "target": TARGET, "topics": TOPICS, "topic_name_transform": rename, "recreate": True}
    return stage.enable(pair)


def end(stage: Stage) -> Any:
    """Disables mirroring and takes the authorization back."""
    stage.run(mirroring, target=TARGET, state="absent")
    one, other = ({"account_id": None, "resource_group_id": None, "guid": guid} for guid in (SOURCE_GUID, TARGET_GUID))
    return stage.run(authorization_policy, **authorization(one, other), state="absent")


def look(stage: Stage) -> Any:
    """Every module that only looks, in the forms that the playbook does not use."""
    return [
        stage.run(instance_info, name=None),
        stage.run(instance_info, instance=TARGET_GUID),
        stage.run(authorization_policy_info),
        stage.run(topics_info, instance=SOURCE),
        stage.run(mirroring_info, target=TARGET, wait=True),
        stage.run(topic_selection, True, source=SOURCE, target=TARGET, topics=["^audit$"]),
    ]


def discover(stage: Stage) -> Any:
    """The inventory: pairs by tags, and pairs by what is observed, of which those are missing that nobody can see at the moment."""
    tagged, observed = stage.pairs(pairs_from="tags"), stage.pairs(pairs_from="observed")
    assert tagged == ["orders"]
    assert observed in ([OBSERVED], [])
    return observed


def headroom(stage: Stage) -> Any:
    """The checks before mirroring is enabled, with Monitoring. Whatever happens to its answers, nothing busy is taken for idle."""
    found = stage.run(readiness_info, source=SOURCE, target=TARGET, topics=TOPICS)
    told = {one["rule"]: one["status"] for one in found["findings"] if one["rule"].startswith("headroom")}
    assert told.get("headroom_source", "unknown") in ("warn", "unknown")
    return found


def lag(stage: Stage) -> Any:
    """Metrics, a limit for lag that is waited for, and a page. Whatever happens to the answers, what is behind is not taken for what is
    not."""
    stage.run(metrics_info, instance=TARGET)
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "page.html")
        pair = {"source": SOURCE, "target": TARGET, "topics": TOPICS, "wait": True}
        found = stage.run(mirroring_info, **pair, max_lag=60, wait_for_lag=True, page=str(page))
        state = found["lag"] and found["lag"]["state"]
        assert (found["verdict"] == "mirroring") <= (state == "within")
        assert state != "within" or stage.clock.time() >= started_at(stage.simulator) + CATCHES_UP
        assert found["page"] == str(page)
        assert page.read_text().endswith("</html>\n")
    return found


def clean_up(stage: Stage) -> Any:
    """The role cleanup. Whatever happens to the answers, nothing else is deleted."""
    asked = {"source": SOURCE, "target": TARGET, "confirm": [TARGET]}
    try:
        plan = stage.run(remote_topics, **asked, delete=LEFT_OVER[:1], delete_matching=[".*"], list_only=True)
        if plan["problems"]:
            raise RoleFailed(plan["problems"])
        return stage.run(remote_topics, **asked, delete=plan["planned"])
    finally:
        sent = {entry["path"].rpartition("/")[2] for entry in stage.simulator.writes()}
        assert sent <= set(LEFT_OVER), sent


def cleaned(simulator: Simulator) -> bool:
    """What nothing feeds is gone, and all else is there."""
    simulator.clock.advance(LATER)
    live = {topic.name for topic in simulator.instance(TARGET).live_topics()}
    return live == {"local", "us-south.checkpoints.internal", "orders.us-south", "payments.us-south"}


def audit(stage: Stage) -> Any:
    """Could the pair fail over? Whatever happens to the answers: it is ready only if everything that decides was really read."""
    begun = len(stage.simulator.journal)
    found = stage.run(
        failover_readiness_info, **crns(stage), topics=TOPICS, failback=True, max_lag=60, max_age=300, brief=True
    )
    answered = [
        f"{entry['instance'] or ''} {path_of(entry)}"
        for entry in stage.simulator.journal[begun:]
        if entry["status"] == 200 and entry["fault"] is None
    ]
    missing = [one for one in DECISIVE_READS if not any(re.search(one, read) for read in answered)]
    assert not (found["ready"] and missing), f"ready without {missing}"
    assert found["ready"] == (found["verdict"] == "ready") == (not found["problems"])
    assert stage.simulator.writes() == []
    return found


DECISIVE_READS = (
    *(f"/v2/resource_instances/.*{guid}" for guid in (SOURCE_GUID, TARGET_GUID)),
    *(f"{guid} /admin/{what}$" for guid in (SOURCE_GUID, TARGET_GUID) for what in ("status", "topics")),
    *(f"{TARGET_GUID} /admin/mirroring/{what}$" for what in ("topic-selection", "active-topics")),
    "/v[12]/policies$",
    "/v1/query$",
)
"""What has to be read before anybody can say that a pair is ready, as instance and path. That the source has no selection is told by a
404, so that is not among them."""


def started_at(simulator: Simulator) -> float:
    """When the scenario began, in seconds since the epoch."""
    return simulator.state.started


def crns(stage: Stage) -> dict[str, str]:
    """The pair by CRN."""
    return {"source": str(stage.simulator.instance(SOURCE).crn), "target": str(stage.simulator.instance(TARGET).crn)}


BOTH_WAYS = [*AUTHORIZED, {"subject": SOURCE, "resource": TARGET}]
HARD = {
    "echo": "none",
    "refusals": "late",
    "enabling_visibility": "late",
    "policy_store": "v2",
    "error_bodies": "html",
    "stale_operation": "failed",
    "operation_updated_at": "null",
    "active_topics_names": "target",
}


MONITORING = [
    {"name": f"monitoring-{region}", "account": ACCOUNT, "region": region} for region in ("us-south", "us-east")
]
METRICS = "ibm_eventstreams_instance_"
BUSY = [{"instance": SOURCE, "metric": f"{METRICS}bytes_out_per_second", "points": [[90000, 60e6]]}]
CATCHES_UP = 60.0
"""Seconds after the start at which the topic that is late has caught up."""

LATE = [
    {
        "instance": TARGET,
        "topic": topic,
        "metric": f"{METRICS}mirroring_latency_seconds",
        "points": points,
    }
    for topic, points in (("orders", [[90000, 250], [-CATCHES_UP, 1]]), ("payments", [[90000, 1]]))
]


LEFT_OVER = ["audit.us-south", "orders-old.us-south"]
CLEANUP = {
    **ENABLED,
    "topics": [{"name": name} for name in (*LEFT_OVER, "local", "us-south.checkpoints.internal", "orders.us-south")],
}


def tagged_scenario() -> dict[str, Any]:
    """A mirrored pair whose instances are tagged as one."""
    chosen = scenario(policies=AUTHORIZED, target={**ENABLED, "tags": ["mirroring:orders:target"]})
    next(one for one in chosen["instances"] if one["name"] == SOURCE)["tags"] = ["mirroring:orders:source"]
    return chosen


FLOWS = (
    Flow("mirror", scenario(), mirror_by_name, mirrored, 1),
    Flow(
        "mirror, nothing echoed",
        scenario(
            "no_echo", switches=HARD, timing={"policy_propagation_seconds": 45, "stale_reads": 2, "stale_seconds": 20}
        ),
        mirror_by_crn,
        mirrored,
        1,
    ),
    Flow("mirror again", scenario(policies=BOTH_WAYS, target=ENABLED), mirror_by_crn, mirrored, 0),
    Flow("recreate", scenario(policies=AUTHORIZED, target=ENABLED), recreate, renamed, 2),
    Flow("disable", scenario(policies=AUTHORIZED, target=ENABLED), end, ended, 1),
    Flow("look", scenario(policies=AUTHORIZED, target=ENABLED), look, lambda simulator: True, 0),
    Flow("discover", tagged_scenario(), discover, lambda simulator: True, 0),
    Flow("headroom", scenario(monitoring=MONITORING, series=BUSY), headroom, lambda simulator: True, 0),
    Flow(
        "lag",
        scenario(monitoring=MONITORING, series=LATE, policies=AUTHORIZED, target=ENABLED),
        lag,
        lambda simulator: True,
        0,
    ),
    Flow("fail over", recovery_flows.FORWARD, recovery_flows.fail_over, recovery_flows.failed_over, 0),
    Flow("turn round", recovery_flows.CLEARED, recovery_flows.turn_round, recovery_flows.turned_round, 2),
    Flow(
        "fail back",
        recovery_flows.BACKWARD,
        recovery_flows.fail_back,
        recovery_flows.failed_back,
        2,
    ),
    Flow(
        "cleanup",
        scenario(policies=AUTHORIZED, target=CLEANUP, switches={"topic_delete": "late"}),
        clean_up,
        cleaned,
        0,
    ),
    Flow(
        "audit",
        scenario(monitoring=MONITORING, policies=BOTH_WAYS, target=ENABLED),
        audit,
        lambda simulator: True,
        0,
    ),
)


@dataclasses.dataclass(frozen=True)
class Case:
    """One trouble at one place. ``place`` is what the simulator is told: the request's number, or its kind and number."""

    fault: str
    duration: str
    request: str
    place: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return f"{self.fault}, {self.duration}, at {self.request}"


def cases(requests: list[dict[str, Any]]) -> Iterator[Case]:
    """Every case for a flow that made these requests undisturbed: each single request once, and each kind of request from its
    first, second and last occurrence on, three times and for ever."""
    kinds: collections.Counter[tuple[str, str, str]] = collections.Counter()
    kind_of = [(entry["api"], entry["method"], path_of(entry)) for entry in requests]
    total = collections.Counter(kind_of)
    for number, kind in enumerate(kind_of, 1):
        kinds[kind] += 1
        api, method, path = kind
        words = f"{method} {path} no. {kinds[kind]}"
        pattern = f"{re.escape(path)}$"
        for fault in FAULTS:
            if fault in UPDATES_ONLY and method != "PATCH":
                continue
            yield Case(fault, "once", words, (("nth", number),))
            if kinds[kind] in (1, 2, total[kind]):
                place = (("api", api), ("method", method), ("path", pattern), ("nth", kinds[kind]))
                yield Case(fault, "three times", words, place)
                yield Case(fault, "for ever", words, place)


def path_of(entry: dict[str, Any]) -> str:
    """The path of a request without the part that tells which instance's admin API it was."""
    return re.sub(r"^/es/[^/]+", "", entry["path"].partition("?")[0])


@dataclasses.dataclass
class Verdict:
    """What became of a case."""

    recovered: bool
    defects: list[str]
    error: str = ""


def undisturbed(simulator: Simulator, flow: Flow) -> list[dict[str, Any]]:
    """The requests of a flow that nothing disturbs."""
    random.seed(flow.name)
    flow.run(Stage(simulator, **POLLING))
    journal = simulator.journal
    assert flow.done(simulator)
    return journal


def try_case(simulator: Simulator, flow: Flow, case: Case, usual: int) -> Verdict:
    """Runs a case: the flow with the trouble, then again without, and once more. ``usual`` is how many requests it makes
    undisturbed."""
    random.seed(f"{flow.name} {case}")
    simulator.reset()
    simulator.add_fault(**FAULTS[case.fault], **dict(case.place), times=DURATIONS[case.duration])
    stage = Stage(simulator, **POLLING, request_timeout=HANG / 2 if "hang" in case.fault else 5)
    verdict = Verdict(True, [])
    text = attempt(stage, flow, verdict)
    if text is not None:
        verdict.recovered, verdict.error = False, text
        verdict.defects += unclear(text, case, flow)
        if simulator.faults[0]["seen"] == 0:
            verdict.defects.append(f"failed before the fault was reached: {text}")
    elif not flow.done(simulator) and not any(
        "while the instance's document goes on showing" in line for line in stage.shown
    ):
        verdict.defects.append("success was reported without a warning, but the work is not done")
    verdict.defects += wrong_writes(simulator, flow, case) + storms(simulator, usual)
    heal(simulator)
    healed = Stage(simulator, **POLLING)
    for again in ("the next run", "the run after it"):
        simulator.clear_journal()
        healed.forget()
        text = attempt(healed, flow, verdict)
        if text is not None:
            verdict.defects.append(f"{again} failed: {text}")
        elif not flow.done(simulator):
            verdict.defects.append(f"{again} left something undone")
        if not simulator.writes():
            break
        if again == "the run after it":
            verdict.defects.append("a run that had nothing to do wrote")
    verdict.defects += wrong_writes(simulator, flow, case)
    verdict.defects += [f"{entry['violation']}: {entry['path']}" for entry in simulator.violations()]
    verdict.defects += leaks(simulator, [*stage.shown, *healed.shown, verdict.error])
    return verdict


def attempt(stage: Stage, flow: Flow, verdict: Verdict) -> str | None:
    """Runs the flow; the text of its error, if it ended with one."""
    try:
        flow.run(stage)
    except MirrorOpsError as error:
        if error.kind == "defect":
            verdict.defects.append(error.details["traceback"])
        if not error.remedy:
            verdict.defects.append(f"no remedy: {error.message}")
        if not error.attempt and not isinstance(error, InvalidInput):
            verdict.defects.append(f"no attempt: {error.message}")
        return error.message
    except RoleFailed as error:
        return str(error)
    return None


def unclear(text: str, case: Case, flow: Flow) -> list[str]:
    """What an error lacks: the instance, where the task has one, or the status."""
    found = []
    if flow.name not in ("look", "discover", "lag", "headroom") and not re.search(
        f"{SOURCE}|{TARGET}|{SOURCE_GUID}|{TARGET_GUID}", text
    ):
        found.append(f"names no instance: {text}")
    status = re.match(r"\d{3}", case.fault)
    answered_for = (
        case.fault == "409" and "POST /v1/policies" in case.request
    )  # an equal policy exists: that is success
    if status and case.duration == "for ever" and not answered_for and f"HTTP {status[0]}" not in text:
        found.append(f"does not show the status: {text}")
    return found


def lies(case: Case) -> bool:
    """Whether the mirroring API says that nothing is enabled, for so long that it has to be believed."""
    return case.fault == "404" and case.duration != "once" and "topic-selection" in case.request


def wrong_writes(simulator: Simulator, flow: Flow, case: Case) -> list[str]:
    """Two policies, or an update that was accepted although one before it had not failed. Where the mirroring API goes on saying
    that nothing is enabled, an update is sent once more."""
    found = []
    if any(number > 1 for number in policies(simulator).values()):
        found.append(f"more than one policy: {policies(simulator)}")
    updates = [one for name in (SOURCE, TARGET) for one in simulator.instance(name).updates]
    done = [one for one in updates if one.outcome != "failed" or one.running]
    if len(done) > flow.updates + lies(case):
        found.append(f"{len(done)} updates took or may take effect, {flow.updates} are needed")
    failures = len(updates) - len(done)
    if failures > MOST_FAILURES:
        found.append(f"{failures} updates failed")
    return found


def storms(simulator: Simulator, usual: int) -> list[str]:
    """More requests than patience explains: in all, and of one kind within a minute of virtual time."""
    journal = simulator.journal
    found = [] if len(journal) <= usual + 700 else [f"{len(journal)} requests, undisturbed it takes {usual}"]
    times = collections.defaultdict(list)
    for entry in journal:
        if entry["fault"]:
            times[entry["api"], entry["method"], entry["path"]].append(entry["clock"])
    for (_api, method, path), moments in times.items():
        most = max(sum(1 for other in moments if 0 <= other - moment < 60) for moment in moments)
        if most > 24:
            found.append(f"{most} requests {method} {path} within a minute")
    return found


def heal(simulator: Simulator) -> None:
    """The trouble is over, and so is what was under way."""
    simulator.clear_faults()
    for name in (SOURCE, TARGET):
        operation = simulator.instance(name).operation
        if operation is not None and operation.running and operation.finishes is None:
            operation.finishes = simulator.clock.now()
    simulator.clock.advance(LATER)


def leaks(simulator: Simulator, texts: list[str]) -> list[str]:
    """Secrets in anything that was shown."""
    secrets = {KEY, *simulator.state.tokens.secrets()}
    return [f"a secret was shown: {text}" for text in texts if any(secret in text for secret in secrets)]
