# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a request, finds its API and route, applies faults and switches, and keeps the journal."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from . import admin_api, iam_api, monitoring_api, resource_controller_api, search_api, token_api
from .builder import build_clock, build_world
from .faults import EFFECTS, SHAPED, Fault, Faults
from .journal import Journal
from .wire import (
    ADMIN,
    HTML,
    IAM,
    METADATA,
    MONITORING,
    RESOURCE_CONTROLLER,
    SEARCH,
    Answer,
    Call,
    Refusal,
    Request,
    check_query,
    find,
    read_body,
    spoil,
)
from .world import World

APIS: dict[str, ModuleType] = {
    IAM: iam_api,
    RESOURCE_CONTROLLER: resource_controller_api,
    ADMIN: admin_api,
    SEARCH: search_api,
    MONITORING: monitoring_api,
    METADATA: token_api,
}
PREFIXES = (
    ("/iam/", IAM),
    ("/rc/", RESOURCE_CONTROLLER),
    ("/gs/", SEARCH),
    ("/monitoring/", MONITORING),
    ("/metadata/", METADATA),
)
ROOTS = (
    ("/identity/", IAM),
    ("/v1/policies", IAM),
    ("/v2/policies", IAM),
    ("/v2/roles", IAM),
    ("/v2/resource_", RESOURCE_CONTROLLER),
    ("/v3/resources/", SEARCH),
    ("/api/prometheus/", MONITORING),
    ("/instance_identity/", METADATA),
)
UNKNOWN = "unknown"


@dataclass
class Outcome:
    """What the server does with the connection. No answer means: close it."""

    answer: Answer | None
    wait: float = 0.0
    cut: bool = False


class Engine:
    """The simulated cloud with its journal, faults and lock."""

    def __init__(self, scenario: dict[str, Any]) -> None:
        self.lock = threading.RLock()
        self.scenario = scenario
        self.journal = Journal()
        self.faults = Faults()
        self.clock = build_clock(scenario)
        self._world = build_world(scenario, self.clock)
        self._requests = 0
        self._calm_until = -math.inf
        self._shared = False

    @property
    def world(self) -> World:
        """The simulated cloud. Whoever asks for it may change it."""
        self._calm_until = -math.inf
        return self._world

    def share(self) -> World:
        """Return the simulated cloud for somebody who keeps hold of it, and may change it at any time."""
        self._shared = True
        return self.world

    def _settle(self, request: Request) -> float:
        """Do everything that is due, and return the time. Where nobody changes anything, that is nothing until the next thing is: a large
        world is not looked through for each read."""
        now = self.clock.now()
        if now >= self._calm_until:
            now = self._world.settle()
            self._calm_until = -math.inf if self._shared else self._world.next_due(now)
        if request.method != "GET":
            self._calm_until = -math.inf
        return now

    def reset(self) -> None:
        """Go back to the scenario; journal and faults are emptied, the clock goes on."""
        with self.lock:
            admin_url = self._world.admin_url
            self.journal.clear()
            self.faults.clear()
            self._requests = 0
            self._world = build_world(self.scenario, self.clock)
            self._calm_until = -math.inf
            self._world.admin_url = admin_url

    # -- one request

    def handle(self, request: Request, guid: str | None = None) -> Outcome:
        """Process one API request; ``guid`` names the instance of an admin port."""
        with self.lock:
            now = self._settle(request)
            api, guid, request.path = self._identify(request.path, guid)
            call = Call(request, self._world, now, api, guid)
            fault = self.faults.next(call)
            if self._limited() and fault is None:
                answer: Answer | None = self._refuse(call, self._too_many())
                self.journal.record(call, 429, None)
                return Outcome(answer)
            answer, outcome = self._answer(call, fault), Outcome(None)
            if fault is not None:
                answer, outcome = self._spoil(call, answer, fault)
            outcome.answer = answer
            self.journal.record(call, answer.status if answer else None, fault.action if fault else None)
            return outcome

    def _identify(self, path: str, guid: str | None) -> tuple[str, str | None, str]:
        if guid is not None:
            return ADMIN, guid, path
        if path.startswith("/es/"):
            named, slash, rest = path[len("/es/") :].partition("/")
            return (ADMIN, named, slash + rest) if named in self._world.instances else (UNKNOWN, None, path)
        for prefix, api in PREFIXES:
            if path.startswith(prefix):
                return api, None, path[len(prefix) - 1 :]
        return next((api for root, api in ROOTS if path.startswith(root)), UNKNOWN), None, path

    def _answer(self, call: Call, fault: Fault | None) -> Answer:
        if fault is not None and not fault.processes:
            return Answer(503)
        if fault is not None and fault.action in EFFECTS:
            call.effects.add(fault.action)
        try:
            if call.api == UNKNOWN:
                find((), call.request)
            if "transfer-encoding" in call.request.headers:
                raise Refusal(411, "length_required", "Content-Length is needed", violation=True)
            api = APIS[call.api]
            route, call.arguments = find(api.ROUTES, call.request)
            if not route.open:
                api.authenticate(call)
            check_query(route, call)
            read_body(route, call)
            answer: Answer = route.handler(call)
            if call.processed:
                self._world.settle()
            return answer
        except Refusal as refusal:
            if refusal.violation:
                call.violation = refusal.message
            return self._refuse(call, refusal)

    def _refuse(self, call: Call, refusal: Refusal) -> Answer:
        if call.api == UNKNOWN:
            return Answer(refusal.status, {"message": refusal.message})
        answer: Answer = APIS[call.api].error(refusal, call)
        kind = self._world.switches["error_bodies"]
        if kind != "json" and answer.status != 501:
            answer.body, answer.content_type = spoil(answer.status, kind, answer.body)
        return answer

    def _limited(self) -> bool:
        self._requests += 1
        return self._world.switches["rate_limit"] != "none" and self._requests % 3 == 0

    def _too_many(self) -> Refusal:
        seconds = self._world.switches["rate_limit"].partition("after_")[2]
        return Refusal(
            429, "too_many_requests", "Too many requests", headers={"Retry-After": seconds} if seconds else {}
        )

    # -- faults

    def _spoil(self, call: Call, answer: Answer, fault: Fault) -> tuple[Answer | None, Outcome]:
        """Do to the answer what the fault says."""
        action, outcome = fault.action, Outcome(None)
        if action in ("reset_before", "reset_after"):
            return None, outcome
        if action in SHAPED:
            codes = {401: "invalid_token", 403: "insufficent_permissions", 404: "not_found"}
            status = SHAPED[action]
            return APIS[call.api].error(Refusal(status, codes[status], "Simulated fault"), call), outcome
        if action == "status":
            return self._planned_status(call, fault), outcome
        if action == "truncated_json":
            data = answer.data()
            answer = Answer(answer.status, data[: len(data) // 2], answer.headers)
        elif action == "html_body":
            answer = Answer(answer.status, HTML.encode(), answer.headers, "text/html")
        elif action == "empty_body":
            answer = Answer(answer.status, None, answer.headers)
        elif action == "cut_connection":
            outcome.cut = True
        elif action == "hang":
            outcome.wait = fault.seconds
        return answer, outcome

    def _planned_status(self, call: Call, fault: Fault) -> Answer:
        if not isinstance(fault.body, str):
            return Answer(fault.status, fault.body, dict(fault.headers))
        if call.api == UNKNOWN:
            answer = Answer(fault.status, {"message": "Simulated fault"})
        else:
            answer = APIS[call.api].error(Refusal(fault.status, "request_not_processed", "Simulated fault"), call)
        answer.body, answer.content_type = spoil(fault.status, fault.body, answer.body)
        answer.headers.update(fault.headers)
        return answer

    # -- what tests look at

    def snapshot(self) -> dict[str, Any]:
        """Return everything that can be observed, free of shared objects."""
        with self.lock:
            copied: dict[str, Any] = json.loads(json.dumps(self._world.snapshot()))
            return copied
