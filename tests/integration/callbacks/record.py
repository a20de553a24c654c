# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes every task result and the play's statistics into a file, one JSON object a line."""

from __future__ import annotations

DOCUMENTATION = r"""
name: record
type: aggregate
short_description: Writes task results into the file that RECORD_FILE names
description:
  - For the tests. The output for people stays as it is.
"""

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Notes what happens."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, entry: dict[str, t.Any]) -> None:
        with open(os.environ["RECORD_FILE"], "a", encoding="utf-8") as record:
            record.write(json.dumps(entry, default=str) + "\n")

    def _task(self, status: str, result: t.Any) -> None:
        task, host = result._task, result._host
        self._write(
            {
                "event": "task",
                "status": status,
                "host": host.get_name(),
                "role": task._role.get_name(include_role_fqcn=False) if task._role else None,
                "task": task.name or task.action,
                "action": task.action,
                "result": result._result,
            }
        )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A task went well."""
        self._task("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._task("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """A task was skipped."""
        self._task("skipped", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host could not be reached."""
        self._task("unreachable", result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """The end."""
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self._write({"event": "stats", "hosts": hosts, "artifacts": stats.custom.get("_run", {})})
