# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as one object: start it, look into it, change it."""

from __future__ import annotations

import copy
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from .clock import Clock
from .control_api import PREFIX, control
from .engine import Engine, Outcome
from .instances import Instance, Topic
from .metrics import Series, all_series
from .scenario import load_scenario
from .server import LOOPBACK, Listener
from .wire import Request
from .world import World


class Simulator:
    """A simulated IBM Cloud on the loopback address, with ``tls`` behind https; use it as a context manager."""

    def __init__(
        self,
        scenario: dict[str, Any] | str | Path,
        port: int = 0,
        host: str = LOOPBACK,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if host != LOOPBACK:
            raise ValueError(f"the simulator listens on {LOOPBACK} only")
        self.scenario = load_scenario(scenario)
        self.ended = threading.Event()
        self._engine = Engine(self.scenario)
        self._port = port
        self._tls = tls
        self._main: Listener | None = None
        self._admin: dict[str, Listener] = {}

    # -- life

    def start(self) -> Simulator:
        """Open the port, or with ``"admin": "port"`` one more for each instance."""
        if self._main is not None:
            raise RuntimeError("the simulator is already running")
        self._main = Listener(self._handle, self.clock.now, self._port, tls=self._tls)
        if self.scenario.get("admin", "path") == "port":
            for guid in self._engine.world.instances:
                self._admin[guid] = Listener(self._for_instance(guid), self.clock.now, tls=self._tls)
        self._engine.world.admin_url = self.admin_url
        for listener in self._listeners():
            listener.start()
        return self

    def stop(self) -> None:
        """Close everything; nothing is left running."""
        for listener in self._listeners():
            listener.stop()
        self._main = None
        self._admin = {}

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listeners(self) -> list[Listener]:
        return ([self._main] if self._main else []) + list(self._admin.values())

    def _handle(self, request: Request) -> Outcome:
        if request.path.startswith(PREFIX + "/"):
            return Outcome(control(self, request))
        return self._engine.handle(request)

    def _for_instance(self, guid: str) -> Any:
        return lambda request: self._engine.handle(request, guid)

    # -- addresses

    @property
    def url(self) -> str:
        """Return the base URL of everything."""
        if self._main is None:
            raise RuntimeError("the simulator is not running")
        return self._address(self._main)

    def _address(self, listener: Listener) -> str:
        return f"{'https' if self._tls else 'http'}://{LOOPBACK}:{listener.port}"

    @property
    def iam_url(self) -> str:
        """Return the IAM base URL without a path."""
        return self.url

    @property
    def rc_url(self) -> str:
        """Return the Resource Controller base URL without a path."""
        return self.url

    @property
    def search_url(self) -> str:
        """Return the Global Search base URL without a path."""
        return self.url

    @property
    def monitoring_url(self) -> str:
        """Return the Monitoring base URL of all regions, without ``/api``."""
        return self.url

    @property
    def metadata_url(self) -> str:
        """Return the base URL of the virtual server's metadata service."""
        return self.url

    def admin_url(self, instance: Instance | str) -> str:
        """Return the admin base URL of an instance (object, GUID or unique name)."""
        found = instance if isinstance(instance, Instance) else self.instance(instance)
        if found.guid in self._admin:
            return self._address(self._admin[found.guid])
        return f"{self.url}/es/{found.guid}"

    def environment(self, account: str | None = None, *, prefix: bool = False) -> dict[str, str]:
        """Return the environment variables a client needs; ``account`` is an id or a name."""
        accounts = self._engine.world.accounts
        found = [entry for entry in accounts if account in (None, entry.id, entry.name)]
        if not found or not found[0].keys:
            raise KeyError(f"no API key of account {account!r}")
        return {
            "IC_API_KEY": found[0].keys[0].key,
            "IBMCLOUD_IAM_API_ENDPOINT": self.iam_url + ("/iam" if prefix else ""),
            "IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT": self.rc_url + ("/rc" if prefix else ""),
            "IBMCLOUD_GS_API_ENDPOINT": self.search_url + ("/gs" if prefix else ""),
            "IBMCLOUD_MONITORING_API_ENDPOINT": self.monitoring_url + ("/monitoring" if prefix else ""),
            "IBMCLOUD_CR_VPC_URL": self.metadata_url + ("/metadata" if prefix else ""),
        }

    # -- looking

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Return a copy of the journal."""
        with self._engine.lock:
            return copy.deepcopy(self._engine.journal.entries)

    def writes(self) -> list[dict[str, Any]]:
        """Return the entries of requests that can change state."""
        return [entry for entry in self.journal if entry["write"]]

    def violations(self) -> list[dict[str, Any]]:
        """Return the entries of requests that break the documented contract."""
        return [entry for entry in self.journal if entry["violation"]]

    def clear_journal(self) -> None:
        """Empty the journal."""
        with self._engine.lock:
            self._engine.journal.clear()

    @property
    def state(self) -> World:
        """Return the live state, brought up to the present time."""
        with self._engine.lock:
            self._engine.world.settle()
            return self._engine.share()

    def instance(self, name_or_guid: str) -> Instance:
        """Return one live instance."""
        return self.state.instance(name_or_guid)

    def snapshot(self) -> dict[str, Any]:
        """Return everything that can be observed, as plain data."""
        return self._engine.snapshot()

    def metrics(self) -> list[Series]:
        """Return every time series as it is known now."""
        with self._engine.lock:
            return all_series(self._engine.world, self._engine.world.settle())

    # -- changing

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        return self._engine.clock

    @property
    def switches(self) -> dict[str, str]:
        """Return every switch with its value."""
        return self._engine.world.switches.as_dict()

    def set_switch(self, name: str, value: object) -> None:
        """Choose another behaviour from now on."""
        with self._engine.lock:
            self._engine.world.settle()
            self._engine.world.switches.set(name, value)
            self._engine.world.settle()

    def set_timing(self, name: str, seconds: float) -> None:
        """Change one of the scenario's timings."""
        with self._engine.lock:
            if name not in self._engine.world.timing:
                raise ValueError(f"unknown timing {name!r}")
            if name == "metrics_interval_seconds" and seconds < 1:
                raise ValueError(f"{name} must be at least 1")
            self._engine.world.settle()
            self._engine.world.timing[name] = seconds

    def add_fault(self, action: str, **details: Any) -> int:
        """Plan a fault and return its number."""
        with self._engine.lock:
            return self._engine.faults.add(action, **details).id

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Return the planned faults."""
        with self._engine.lock:
            return [fault.as_dict() for fault in self._engine.faults.planned]

    def clear_faults(self, number: int | None = None) -> None:
        """Forget one fault, or all."""
        with self._engine.lock:
            self._engine.faults.clear(number)

    def reset(self) -> None:
        """Go back to the scenario; the clock goes on."""
        self._engine.reset()

    def create_topic(self, instance: str, name: str, partitions: int = 1) -> None:
        """Create a topic as an application would."""
        with self._engine.lock:
            now = self._engine.world.settle()
            self._engine.world.instance(instance).topics[name] = Topic(name, partitions, now)
            self._engine.world.settle()

    def stop_producers(self) -> None:
        """Let all topics that are mirrored catch up, as when nobody writes to them; those that the scenario draws go on as drawn."""
        with self._engine.lock:
            self._engine.world.latency = 0.0

    def delete_topic(self, instance: str, name: str) -> None:
        """Delete a topic as an application would; at once."""
        with self._engine.lock:
            self._engine.world.settle()
            del self._engine.world.instance(instance).topics[name]
            self._engine.world.settle()
