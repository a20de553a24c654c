# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated cloud of a fleet, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
KEY = "simulated-key-main"
SOURCE_REGION, TARGET_REGION = "us-south", "us-east"
PATTERNS = ["^orders$", "^payments$"]
TOPICS = [{"name": name, "partitions": 3} for name in ("orders", "payments", "audit")]
TIMING = {"operation_seconds": 0.4, "remote_topic_seconds": 0.1, "active_topic_seconds": 0.1}


def names(pair: int) -> tuple[str, str]:
    """The names of a pair's source and target."""
    return f"source-{pair:04}", f"target-{pair:04}"


def scenario(pairs: int, *, mirrored: bool, seconds: float = TIMING["operation_seconds"]) -> dict[str, Any]:
    """So many pairs; mirrored ones are as a run of the playbook leaves them. An update takes so many seconds."""
    instances: list[dict[str, Any]] = []
    policies = []
    for source, target in map(names, range(pairs)):
        instances.append({"name": source, "account": ACCOUNT, "region": SOURCE_REGION, "topics": TOPICS})
        instances.append({"name": target, "account": ACCOUNT, "region": TARGET_REGION})
        if mirrored:
            aliases = {"source_alias": SOURCE_REGION, "target_alias": TARGET_REGION}
            instances[-1] |= {"mirroring": {"source": source, **aliases}, "selection": PATTERNS}
            policies.append({"subject": target, "resource": source})
    return {
        "accounts": [{"id": ACCOUNT, "api_keys": [{"key": KEY}]}],
        "instances": instances,
        "policies": policies,
        "timing": {**TIMING, "operation_seconds": seconds},
    }


class Cloud:
    """Starts the simulator; to be used in a `with` block, which also ends it."""

    def __init__(self, folder: Path, pairs: int, **details: Any) -> None:
        path = folder / f"scenario-{pairs}.json"
        path.write_text(json.dumps(scenario(pairs, **{"mirrored": True, **details})))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator", "--scenario", str(path), "--exit-with-parent"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "extensions"), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().rpartition(" ")[2].strip()

    def __enter__(self) -> Cloud:
        if not self.url:
            raise RuntimeError("The simulator did not start.")
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.communicate()

    @property
    def environment(self) -> dict[str, str]:
        """What the clients of this cloud need to know."""
        return {
            "IC_API_KEY": KEY,
            "IBMCLOUD_IAM_API_ENDPOINT": self.url,
            "IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT": self.url,
        }

    def cpu(self) -> float:
        """The CPU seconds it has used so far."""
        user, system = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def journal(self) -> list[dict[str, Any]]:
        """What was asked since the last look."""
        entries: list[dict[str, Any]] = self._control("GET", "journal")
        self._control("DELETE", "journal")
        return entries

    def state(self) -> dict[str, Any]:
        """Everything that can be observed."""
        found: dict[str, Any] = self._control("GET", "state")
        return found

    def _control(self, method: str, route: str) -> Any:
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_control/{route}", method=method)) as answer:
            return json.load(answer)
