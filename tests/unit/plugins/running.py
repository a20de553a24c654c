# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's real main() in this process, the way Ansible hands arguments over, on every ansible-core."""

from __future__ import annotations

import contextlib
import io
import json
import types
import typing as t

import pytest
from ansible.module_utils import basic

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _call
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    KEY,
    SOURCE,
    TARGET,
    TOKEN_FORM,
    FakeClock,
    document,
    jwt,
    token_reply,
)


class Ran(t.NamedTuple):
    """What a module printed, its exit code, and its warnings as one text.

    In a process that has loaded parts of the controller too, as this one, newer ansible-cores show warnings instead of returning them.
    """

    code: int
    result: dict[str, t.Any]
    text: str
    warnings: str

    @property
    def failed(self) -> bool:
        """Whether it says that it failed."""
        return bool(self.result.get("failed"))


@contextlib.contextmanager
def arguments(values: dict[str, t.Any]) -> t.Iterator[None]:
    """Sets what AnsibleModule takes for the arguments that came over the wire."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core < 2.19
        before = basic._ANSIBLE_ARGS
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": values}).encode()
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = before
    else:
        with patch_module_args(values):
            yield


def run_main(module: types.ModuleType, values: dict[str, t.Any], *, check: bool = False, verbosity: int = 0) -> Ran:
    """Calls main() and reads what it prints."""
    internal = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_verbosity": verbosity}
    out = io.StringIO()
    warned: list[str] = []
    with pytest.MonkeyPatch.context() as patch, arguments({**values, **internal}), contextlib.redirect_stdout(out):
        patch.setattr(basic.AnsibleModule, "warn", lambda self, text: warned.append(text))
        with pytest.raises(SystemExit) as left:
            module.main()
    text = out.getvalue()
    return Ran(int(left.value.code or 0), json.loads(text), text, " ".join(warned))


class Cloud:
    """The scripted server in the role of all three APIs, and the arguments that lead there."""

    def __init__(self, server: Scripted) -> None:
        self.server = server
        self.endpoints = {"iam_endpoint": server.url, "resource_controller_endpoint": server.url}
        self.credentials = {"ibmcloud_api_key": KEY}

    @property
    def base(self) -> dict[str, t.Any]:
        return {**self.endpoints, **self.credentials}

    @property
    def headers(self) -> dict[str, str | None]:
        return {"Authorization": f"Bearer {jwt()}"}

    def token(self) -> None:
        self.server.expect("POST", "/identity/token", token_reply(), form=TOKEN_FORM)

    def document(self, side: t.Literal["source", "target"] = "target", **changes: t.Any) -> dict[str, t.Any]:
        """An instance whose admin URL is the server, with a path of its own."""
        extensions = {"kafka_http_url": f"{self.server.url}/{side}", "kafka_brokers_sasl": ["x"]}
        where = {"guid": TARGET, "region": "us-east"} if side == "target" else {"guid": SOURCE, "region": "us-south"}
        return document(**{**where, "name": f"es-{side}", "extensions": extensions, **changes})

    def instance(self, side: t.Literal["source", "target"] = "target", **changes: t.Any) -> None:
        guid = TARGET if side == "target" else SOURCE
        self.server.expect(
            "GET", f"/v2/resource_instances/{guid}", self.document(side, **changes), headers=self.headers
        )

    def selection(self, patterns: list[str] | None, side: str = "target", status: int | None = None) -> None:
        self.server.expect(
            "GET",
            f"/{side}/admin/mirroring/topic-selection",
            {"error_code": 40400} if patterns is None else {"includes": patterns},
            status=status or (404 if patterns is None else 200),
            headers=self.headers,
        )

    def topics(self, side: str, **names: int) -> None:
        self.server.expect(
            "GET",
            f"/{side}/admin/topics",
            [{"name": name.replace("__", "."), "partitions": number} for name, number in names.items()],
            query={"per_page": "1000", "page": "1"},
            reply_headers={"X-Total-Count": str(len(names))},
            headers=self.headers,
        )

    def active(self, names: list[str] | None) -> None:
        reply = {"error_code": 40400} if names is None else {"active_topics": names}
        status = 404 if names is None else 200
        self.server.expect("GET", "/target/admin/mirroring/active-topics", reply, status=status, headers=self.headers)

    def policies(
        self, account: str, *v1: dict[str, t.Any], v2: t.Sequence[dict[str, t.Any]] = (), enough: bool = False
    ) -> None:
        """Both lists; the second one is not asked for when the first one is enough."""
        query = {"account_id": account, "type": "authorization"}
        self.server.expect("GET", "/v1/policies", {"policies": list(v1)}, query=query, headers=self.headers)
        if not enough:
            self.server.expect("GET", "/v2/policies", {"policies": list(v2)}, query=query, headers=self.headers)

    def patch(self, parameters: dict[str, t.Any], reply: t.Any = None, **details: t.Any) -> None:
        self.server.expect(
            "PATCH",
            f"/v2/resource_instances/{TARGET}",
            reply,
            body={"parameters": parameters},
            headers=self.headers,
            **details,
        )

    def writes(self) -> list[str]:
        """Calls that change something; a token request does not."""
        return [call for call in self.server.calls() if not call.startswith("GET") and "/identity/token" not in call]


def use_clock(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    """Puts a fake clock under the one that modules use."""
    for name in ("monotonic", "time", "sleep"):
        method = getattr(clock, name)
        monkeypatch.setattr(_call.SystemClock, name, lambda self, *args, method=method: method(*args))
