# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules in this process against the simulator, in its virtual time: hours pass in milliseconds.

``mirror()`` calls the modules as the playbook's roles do; test_stage.py holds it against the real playbook.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import (
    Call,
    PrivateReadStore,
    PrivateTokenStore,
    carry_out,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import discovery
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import SPEC, read_options
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import make_pairs
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy,
    instance_info,
    mirroring,
    mirroring_info,
    readiness_info,
    recovery_info,
    topic_selection,
)
from simulator import Simulator, load_scenario
from simulator.scenario import chosen_switches

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
SOURCE_GUID, TARGET_GUID = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
KEY = "simulated-key-main"
TOPICS = ["^orders$", "^payments$"]
AUTHORIZED = [{"subject": TARGET, "resource": SOURCE}]
ENABLED = {
    "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"},
    "selection": TOPICS,
}
TIMING = {
    "operation_seconds": 2400.0,
    "remote_topic_seconds": 20.0,
    "active_topic_seconds": 20.0,
    "enabling_visibility_seconds": 20.0,
}


class VirtualClock:
    """The simulator's own clock: it moves when somebody sleeps, and only then. ``step`` is what an administrator does to the
    time of day, which no monotonic clock sees; ``behind`` is how long the machine was suspended, which it does not see either."""

    def __init__(self, simulator: Simulator) -> None:
        self._clock = simulator.clock
        self.step = 0.0
        self.behind = 0.0

    def monotonic(self) -> float:
        return self._clock.now() - self.behind

    def time(self) -> float:
        return self._clock.now() + self.step

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0, f"sleeping for {seconds}"
        self._clock.advance(seconds)


class RoleFailed(Exception):
    """The role's own check failed; the text is what its assert task shows."""


class Stage:
    """One pair in one simulator, and everything that modules said: ``shown`` collects progress, warnings and traces."""

    def __init__(self, simulator: Simulator, **options: Any) -> None:
        simulator.clock.speed = 0
        self.simulator = simulator
        self.clock = VirtualClock(simulator)
        self.shown: list[str] = []
        self.check_wanted: Callable[[], None] = lambda: None
        self._options = options
        self._age = options.get("max_age", 300)
        self.forget()

    def forget(self) -> None:
        """As another run, which has to ask for a token itself, and knows of no reads."""
        self._tokens = PrivateTokenStore()
        self._reads = PrivateReadStore()

    def call(self, module: types.ModuleType, check_mode: bool = False, **options: Any) -> Call:
        """A call with validated options. Raises ValueError for options that Ansible itself refuses."""
        spec = module.SPEC
        base = {
            "ibmcloud_api_key": KEY,
            "iam_endpoint": self.simulator.url,
            "resource_controller_endpoint": self.simulator.url,
            "monitoring_endpoint": self.simulator.url,
            "request_timeout": 5,
        }
        given = {**base, **self._options, **options}
        known = {name: value for name, value in given.items() if name in spec.options and value is not None}
        checked = ArgumentSpecValidator(spec.options, **spec.rules()).validate(known)
        if checked.error_messages:
            raise ValueError("; ".join(checked.error_messages))
        return Call(
            params=checked.validated_parameters,
            check_mode=check_mode,
            clock=self.clock,
            tokens=self._tokens,
            reads=self._reads,
            progress=self.shown.append,
            warn=self.shown.append,
            trace=self.shown.append,
            check_wanted=self.check_wanted,
        )

    def run(self, module: types.ModuleType, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Runs one module. Raises MirrorOpsError."""
        return carry_out(module.run, self.call(module, check_mode, **options))

    def pairs(self, **given: Any) -> list[str]:
        """The names of the pairs that the inventory plugin finds, asking one thing after the other. Raises MirrorOpsError."""
        places = dict.fromkeys(("iam_endpoint", "resource_controller_endpoint", "search_endpoint"), self.simulator.url)
        own = {name: value for name, value in self._options.items() if name in SPEC.options}
        options = read_options(
            {"ibmcloud_api_key": KEY, "request_timeout": 5, **places, **own, "mode": "pairs", **given}, set()
        )
        call = dataclasses.replace(self.call(instance_info), params=options.params)
        with mock.patch.object(discovery, "WORKERS", 1):
            fleet: Any = carry_out(lambda call: dict(discovery.discover(call, options)), call)
        return [pair.name for pair in make_pairs(options, fleet).pairs]

    def mirror(self, **given: Any) -> dict[str, Any]:
        """setup, bindings, enable and validate, as the playbook does. Returns the results by role. Raises MirrorOpsError and
        RoleFailed."""
        pair = {"source": SOURCE, "target": TARGET, "topics": TOPICS, "wait": True, "max_age": self._age, **given}
        ready = self.run(readiness_info, **pair)
        if not ready["ready"]:
            raise RoleFailed(ready["problems"])
        bound = self.bind(pair["source"], pair["target"], failback=bool(pair.get("failback")))
        enabled, selected = self.enable(pair, bound["authorized_at"])
        looked = self.validate(pair)
        return {"setup": ready, "bindings": bound, "enable": enabled, "selection": selected, "validate": looked}

    def bind(self, source: str, target: str, *, failback: bool = False) -> dict[str, Any]:
        """The bindings role. Returns the result for the direction of mirroring."""
        (one,) = self.run(instance_info, instance=source, max_age=self._age)["instances"]
        (other,) = self.run(instance_info, instance=target, max_age=self._age)["instances"]
        result = self.run(authorization_policy, **authorization(one, other), max_age=self._age)
        if failback:
            self.run(authorization_policy, **authorization(other, one), max_age=self._age)
        return result

    def enable(self, pair: dict[str, Any], authorized_at: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The enable role. Returns what the last look at the target and the selection gave."""
        options = {**pair, "authorized_at": authorized_at}
        enabled = submitted = self.run(mirroring, **options, defer=True)
        if submitted["deferred"]:
            enabled = self.run(mirroring, **options, submitted=submitted["submitted"])
            delay = submitted["authorization_delay"] or enabled["authorization_delay"]
            sent = submitted["updates_sent"] + enabled["updates_sent"]
            enabled = {**enabled, "authorization_delay": delay, "updates_sent": sent}
            if submitted["changed"]:
                enabled |= {"changed": True, "action": submitted["action"]}
        just_enabled = submitted["changed"] or submitted["waiting"]
        chosen = {name: pair.get(name) for name in ("target", "topics", "settle_timeout", "max_age")}
        return enabled, self.run(topic_selection, just_enabled=just_enabled, **chosen)

    def validate(self, pair: dict[str, Any]) -> dict[str, Any]:
        """The validate role."""
        looked = self.run(mirroring_info, **pair)
        if looked["verdict"] != "mirroring":
            raise RoleFailed(looked["problems"])
        return looked

    def recover(self, verb: str, **given: Any) -> dict[str, Any]:
        """The roles disable, failover, reverse and failback. Returns the plan. Raises MirrorOpsError and RoleFailed."""
        pair = {"source": SOURCE, "target": TARGET, "topics": TOPICS, "wait": True, "confirm": [TARGET], **given}
        before = self.run(recovery_info, verb=verb, **pair)
        if before["refused"]:
            raise RoleFailed(before["problems"])
        try:
            return self._carry_out(verb, pair, before)
        except MirrorOpsError as error:
            after = self.run(recovery_info, verb=verb, **{**pair, "wait": False})
            doubts = dict.fromkeys([*before["doubts"], *after["doubts"]])
            raise RoleFailed(" ".join([str(error), *doubts])) from error

    def _carry_out(self, verb: str, pair: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        backward = {**pair, "source": pair["target"], "target": pair["source"]}
        giver = backward if before["giver"] == "source" else pair
        taker = {**(backward if before["taker"] == "source" else pair), "topics": before["topics"]}
        actions = before["actions"]
        authorized_at = None
        for action in actions:
            if action == "wait_for_lag":
                waited = {
                    **giver,
                    "topics": None,
                    "max_lag": before["max_lag"],
                    "wait_for_lag": True,
                    "fresh_lag": True,
                }
                looked = self.run(mirroring_info, **waited)
                if looked["verdict"] != "mirroring":
                    raise RoleFailed(looked["problems"])
            elif action == "clear_selection":
                self.run(topic_selection, target=giver["target"], topics=[])
            elif action == "disable":
                submitted = self.run(mirroring, target=giver["target"], state="absent", defer=True)
                if submitted["deferred"]:
                    self.run(mirroring, target=giver["target"], state="absent", submitted=submitted["submitted"])
            elif action in ("authorize", "revoke"):
                state = "absent" if action == "revoke" else "present"
                authorized_at = self.run(authorization_policy, **before["grant"], state=state)["authorized_at"]
            elif action == "enable":
                submitted = self.run(mirroring, **taker, authorized_at=authorized_at, defer=True)
                if submitted["deferred"]:
                    self.run(mirroring, **taker, authorized_at=authorized_at, submitted=submitted["submitted"])
            elif action == "select":
                just_enabled = "enable" in actions
                self.run(topic_selection, target=taker["target"], topics=before["topics"], just_enabled=just_enabled)
            else:
                self.validate(taker)
        after = (
            self.run(recovery_info, verb=verb, **{**pair, "topics": before["topics"] or pair["topics"]})
            if actions
            else before
        )
        if after["steps"] or after["refused"]:
            raise RoleFailed(after["problems"] or f"{after['actions']} of {TARGET} are left to do")
        return before


def authorization(source: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """The options of authorization_policy, from two instances as instance_info shows them: IAM's source is the target."""
    return {
        "account_id": source["account_id"],
        "source_service_account": target["account_id"],
        "source_service_instance_id": target["guid"],
        "source_resource_group_id": target["resource_group_id"],
        "target_service_instance_id": source["guid"],
        "target_resource_group_id": source["resource_group_id"],
    }


def scenario(
    name: str = "friendly",
    *,
    switches: dict[str, str] | None = None,
    timing: dict[str, float] | None = None,
    target: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A scenario of the simulator with changes, and with operations that take 40 minutes."""
    chosen = {**load_scenario(name), **members}
    chosen["timing"] = {**chosen.get("timing", {}), **TIMING, **(timing or {})}
    chosen["switches"] = {**chosen_switches(chosen), **(switches or {})}
    next(entry for entry in chosen["instances"] if entry["name"] == TARGET).update(target or {})
    return chosen
