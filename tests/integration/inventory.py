# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-inventory` with the inventory plugin."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

PLUGIN = "mirrorops.event_streams.instances"
PATIENCE = 120


class Inventory:
    """Inventory files in a directory of their own, and what `ansible-inventory` makes of them. Any failure fails the run."""

    two_accounts: ClassVar[dict[str, Any]] = {
        "accounts": [
            {"name": "from", "ibmcloud_api_key": "simulated-key-source"},
            {"name": "to-here", "ibmcloud_api_key": "simulated-key-target"},
        ]
    }

    def __init__(self, folder: Path, playbook: Any) -> None:
        self._folder = folder
        self._playbook = playbook

    @functools.cached_property
    def environment(self) -> dict[str, str]:
        """That of the simulator which runs when this is needed first."""
        return {
            **self._playbook.environment(self._playbook.simulator),
            "ANSIBLE_INVENTORY_ENABLED": PLUGIN,
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        }

    @property
    def cached(self) -> dict[str, Any]:
        """Options that keep what was found in files."""
        return {
            "cache": True,
            "cache_plugin": "ansible.builtin.jsonfile",
            "cache_connection": str(self._folder / "cache"),
        }

    def cache_files(self) -> str:
        """The text of everything that is cached."""
        files = [path for path in (self._folder / "cache").rglob("*") if path.is_file()]
        assert files
        return "\n".join(path.read_text() for path in files)

    def write(self, options: dict[str, Any] | str, name: str = "a.event_streams.yml") -> Path:
        """Puts options, or a text, into a file."""
        path = self._folder / name
        path.write_text(options if isinstance(options, str) else json.dumps({"plugin": PLUGIN, **options}))
        return path

    def run(
        self, options: dict[str, Any] | str | Path, *arguments: str, name: str = "a.event_streams.yml"
    ) -> subprocess.CompletedProcess[str]:
        """Runs `ansible-inventory`."""
        path = options if isinstance(options, Path) else self.write(options, name)
        return subprocess.run(
            [sys.executable, "-m", "ansible", "inventory", "-i", str(path), *arguments],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def flush(self, options: dict[str, Any]) -> None:
        """Reads again although there is a cache. Older cores know --flush-cache for ansible-playbook only."""
        (self._folder / "all.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False}]))
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(self.write(options)), "all.yml"]
        subprocess.run(
            [*command, "--list-hosts", "--flush-cache"],
            cwd=self._folder,
            env=self.environment,
            capture_output=True,
            check=True,
        )

    def graph(self, options: dict[str, Any] | Path) -> str:
        """The tree, from a run without a warning."""
        run = self.run(options, "--graph")
        assert (run.returncode, run.stderr) == (0, "")
        return run.stdout

    def listed(self, options: dict[str, Any] | str, *arguments: str) -> dict[str, Any]:
        """Everything, from a run that worked. Marks of values that are never templated are taken off."""
        run = self.run(options, "--list", *arguments)
        assert run.returncode == 0, run.stderr
        found: dict[str, Any] = json.loads(run.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one))
        return found

    def hosts(self, options: dict[str, Any] | str, *arguments: str) -> dict[str, Any]:
        """The variables of each host."""
        found: dict[str, Any] = self.listed(options, *arguments)["_meta"]["hostvars"]
        return found

    def groups(self, options: dict[str, Any] | str) -> dict[str, list[str]]:
        """The hosts of each group, by name."""
        listed = self.listed(options)
        return {name: sorted(entry.get("hosts", [])) for name, entry in listed.items() if name != "_meta"}

    def refused(self, options: dict[str, Any] | str, *arguments: str) -> str:
        """The one message of a run that failed as it should: in words for people, no traceback."""
        run = self.run(options, "--list", *arguments)
        assert run.returncode != 0, run.stdout
        assert "Traceback" not in run.stdout + run.stderr
        assert "Unexpected" not in run.stderr
        words = self.words(run)
        told = re.search(r"Failed to parse (?:inventory|.*?) with \S+ plugin: (.*)", words)
        assert told, run.stderr
        return told[1]

    def words(self, run: subprocess.CompletedProcess[str]) -> str:
        """What was shown, without the line breaks of older cores."""
        return " ".join(re.sub(r"-\n(?=\S)", "-", run.stderr + run.stdout).split())

    def vaulted(self, text: str, password: Path) -> str:
        """A value as `ansible-vault encrypt_string` writes it."""
        command = [sys.executable, "-m", "ansible", "vault", "encrypt_string", "--vault-password-file", str(password)]
        done = subprocess.run(
            [*command, text], cwd=self._folder, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout
