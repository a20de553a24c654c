# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the mirroring_info module does. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Cloud, connect, find
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import looks_like_crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import (
    Abandoned,
    InvalidInput,
    MirrorOpsError,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import survey, validation
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected, expected_of
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import (
    Finding,
    lines,
    problems,
    told,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import check_lag, read_names
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import DEFAULT_TOPIC_TRANSFORM
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pair import wanted_settings
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    Preview,
    compile_patterns,
    normalise,
    preview,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    lines as selection_lines,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Settings,
    State,
    Unreadable,
    observe,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    LONGEST_LOOK,
    Progress,
    growing,
    pause,
    read_limits,
    wait_for_operation,
)


class Look:
    """One task's look at one target."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = params = call.params
        self._limits = read_limits(params)
        self._started = call.clock.monotonic()
        self._topics = normalise(params["topics"])
        compile_patterns(self._topics or [])
        self._names = read_names(params["metric_names"])
        check_lag(params["max_lag"], params["wait_for_lag"])
        self._check_source()
        if params["source"] and looks_like_crn(params["source"]):
            parse_crn(params["source"], "source")
        self._cloud = connect(call)
        self._recent = self._cloud.recent()
        self._target = self._cloud.target.instances.find(params["target"], "target")
        self._source: Instance | None = None
        self._wanted: Settings | None = None
        if params["source"]:
            self._source = find(self._cloud.source, self._recent.source, params["source"], "source")
            self._wanted = wanted_settings(params, parse_crn(self._source.crn, "the CRN of the source"), self._target)
        self._label = (
            f"{self._wanted.source_alias} -> {self._wanted.target_alias}" if self._wanted else self._target.label
        )
        self._progress = Progress(call, self._label)

    def _check_source(self) -> None:
        path = self._params["page"]
        if not self._params["source"]:
            if self._params["max_lag"] is not None:
                raise InvalidInput(
                    "max_lag is set without source", remedy="Give the source of the pair whose topics it is for."
                )
            if path is not None:
                raise InvalidInput(
                    "page is set without source", remedy="Give the source of the pair that it is to show."
                )
        if path is None:
            return
        # Imported where a page is wanted, because everything else has to be in every worker.
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.write import check_path

        check_path(path, look=not self._call.check_mode)

    def result(self) -> Result:
        """Waits if asked to, looks, and reports."""
        waits = self._params["wait"] and not self._call.check_mode
        if waits and self._target.operation.unfinished:
            self._target = wait_for_operation(
                self._call,
                lambda: self._cloud.target.instances.get(self._target.guid),
                label=self._target.label,
                limits=self._limits,
                deadline=self._call.clock.monotonic() + self._limits.timeout,
                progress=self._progress,
                baseline=None,
            )
        if self._source is None or self._wanted is None:
            selection = survey.read_selection(self._cloud.target, self._target)
            names = (
                _names(survey.read_topics(self._cloud.target, self._target)) if isinstance(selection, list) else None
            )
            return self._report(observe(self._target, selection, names), self._active(), [], [], None)
        started = self._call.clock.monotonic()
        intervals = growing(min(self._limits.interval, LONGEST_LOOK))
        authorization = None
        cloud = self._recent
        while True:
            if authorization is None or not authorization.policy_ids:
                authorization = survey.read_authorization(cloud.source, self._source, self._target)
            evidence = self._evidence(cloud, self._source, self._wanted, authorization)
            findings = validation.evaluate(evidence)
            if cloud.reused and validation.verdict(findings) != "mirroring":
                cloud, authorization = self._cloud, None
                continue
            cloud = self._cloud
            seconds = validation.patience(findings, float(self._params["topics_timeout"])) if waits else 0.0
            if self._call.clock.monotonic() >= started + seconds:
                break
            self._progress.note("waiting for what is selected to appear on the target")
            pause(self._call.clock, next(intervals), started + seconds)
        verdict = validation.verdict(findings)
        if self._call.check_mode and self._params["assume_changes"]:
            findings = validation.predicted(findings)
            verdict = "predicted" if validation.verdict(findings) != "not_mirroring" else "not_mirroring"
        lag = None
        expected = expected_of(evidence)
        if self._params["max_lag"] is not None and verdict == "mirroring":
            # Imported where it is asked for, because everything else has to be in every worker.
            from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag_gate import LagGate

            again = functools.partial(self._evidence, self._cloud, self._source, self._wanted)
            gate = LagGate(
                self._call, self._cloud.target, self._target, self._names, self._limits, self._progress, expected
            )
            gate.wait(waits and self._params["wait_for_lag"], lambda: expected_of(again(authorization)))
            if gate.waited:
                self._target = self._cloud.target.instances.get(self._target.guid)
                evidence = again(survey.read_authorization(self._cloud.source, self._source, self._target))
                findings = validation.evaluate(evidence)
                verdict = validation.verdict(findings)
                gate.expect(expected_of(evidence))
            late, lag, expected = gate.finding(), gate.to_result(), gate.expected
            findings = [*findings, late]
            verdict = validation.with_lag(late) if verdict == "mirroring" else verdict
        page = self._page(self._source, findings, verdict, expected)
        return self._report(evidence.state, evidence.active_topics, findings, evidence.previews, verdict, lag, page)

    def _page(
        self, source: Instance, findings: list[Finding], verdict: validation.Verdict, expected: Expected | Unreadable
    ) -> str | None:
        """Writes the page, if it is wanted, and returns its path; a warning if that cannot be done. What it shows of Monitoring decides
        nothing."""
        path: str | None = self._params["page"]
        if path is None or self._call.check_mode:
            return None
        # Imported where a page is wanted, because everything else has to be in every worker.
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import (
            PATIENCE,
            Measured,
            measure,
            since_of,
        )
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.picture import (
            WINDOW,
            View,
            picture,
        )
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.write import try_page

        now, guid = self._call.clock.time(), None
        measured: Measured | Unreadable
        try:
            monitoring = self._cloud.target.monitoring(self._target, self._params["monitoring_instance"], most=PATIENCE)
            guid = monitoring.guid
            since = since_of(self._target)
            measured = measure(
                monitoring, self._names, self._target.guid, WINDOW, since=since, traffic=False, draw=True
            )
            measured = dataclasses.replace(measured, lag=measured.lag.judged(self._params["max_lag"], expected))
            now = measured.at
        except Abandoned:
            raise
        except MirrorOpsError as error:
            measured = Unreadable(error.message)
        view = View(
            source=source,
            target=self._target,
            verdict=_words(verdict, findings),
            findings=findings,
            at=now,
            window=WINDOW,
            monitoring=guid,
            measured=measured,
            accepted=self._params["max_lag"],
        )
        return try_page(path, picture(view, self._call.secrets), self._call.warn)

    def _evidence(
        self, cloud: Cloud, source: Instance, wanted: Settings, authorization: survey.Authorization
    ) -> validation.Evidence:
        """Everything the rules look at. The target's own document and its active topics are always read anew."""
        selection = survey.read_selection(cloud.target, self._target)
        target_topics = survey.read_topics(cloud.target, self._target)
        state = observe(self._target, selection, _names(target_topics))
        source_topics = survey.read_topics(cloud.source, source, "source_admin_url")
        asked = self._topics if self._topics is not None else selection if isinstance(selection, list) else []
        transform = wanted.topic_name_transform or state.fields["topic_name_transform"].value or DEFAULT_TOPIC_TRANSFORM
        listed = [] if isinstance(source_topics, Unreadable) else source_topics
        return validation.Evidence(
            target=self._target,
            state=state,
            wanted=wanted,
            topics=self._topics,
            previews=preview(listed, compile_patterns(asked), transform, wanted.source_alias),
            source_topics=source_topics,
            target_topics=target_topics,
            active_topics=self._active(),
            authorization=authorization,
        )

    def _active(self) -> list[str] | Unreadable | None:
        return survey.read_active_topics(self._cloud.target, self._target)

    def _report(
        self,
        state: State,
        active: list[str] | Unreadable | None,
        findings: list[Finding],
        previews: list[Preview],
        verdict: validation.Verdict | None,
        lag: dict[str, t.Any] | None = None,
        page: str | None = None,
    ) -> Result:
        pair = f"{self._source.name} -> {self._target.name}" if self._source else self._target.name
        return {
            "requested": {"source": self._params["source"], "target": self._params["target"]},
            "mirroring": state.to_result(),
            "topics": state.selection if isinstance(state.selection, list) else None,
            "active_topics": active if isinstance(active, list) else None,
            **({} if self._params["brief"] else {"instance": self._target.to_result()}),
            "operation": self._target.operation.to_result(),
            **told(findings, brief=self._params["brief"]),
            "preview": [one.to_result() for one in previews],
            "verdict": verdict,
            "accepted": self._accepts(verdict),
            "lag": lag,
            "page": page,
            "summary": [f"{self._label}: {_words(verdict, findings)}", *self._lines(state, findings, previews)],
            "problems": problems(pair, findings, also_unknown=verdict == "unknown"),
            "duration": round(self._call.clock.monotonic() - self._started, 1),
            "evidence": self._call.evidence(),
        }

    def _accepts(self, verdict: validation.Verdict | None) -> bool | None:
        """An update that nobody wants to wait for is not a failure."""
        if verdict is None:
            return None
        under_way = verdict == "pending" or self._params["update_pending"]
        return verdict in ("mirroring", "predicted") or (under_way and not self._params["wait"])

    def _lines(self, state: State, findings: list[Finding], previews: list[Preview]) -> list[str]:
        if not findings:
            known = state.to_result()["known"]
            return [f"{name}: {value} ({known[name]})" for name, value in state.to_result().items() if name != "known"]
        return [
            *lines(findings),
            f"Selected topics and their names on the target: {len(previews)}",
            *selection_lines(previews),
        ]


def _names(topics: survey.Topics) -> list[str] | None:
    return None if isinstance(topics, Unreadable) else [topic.name for topic in topics]


def _words(verdict: validation.Verdict | None, findings: list[Finding]) -> str:
    """The verdict for people; it says so where nothing shows which source the target mirrors from."""
    words = (verdict or "observed").replace("_", " ")
    if verdict != "mirroring":
        return words
    warned = {finding.rule for finding in findings if finding.status == "warn"}
    if warned & {"selection", "remote_topics"} and not any(finding.evidence.get("present") for finding in findings):
        return "enabled, and nothing is mirrored"
    hidden = any(finding.rule == "source" and finding.status == "unknown" for finding in findings)
    return f"{words}, from a source that nothing shows" if hidden else words
