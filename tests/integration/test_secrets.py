# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neither the API key nor a bearer token is found anywhere: not in what a run shows, not in what it leaves behind.

Searched byte by byte, in every encoding that is likely: the output at -vvvv, the log, what callbacks see and write, the fact
cache, every file below the run's directories (temporary ones included), command lines and environments of its processes.
What does not count is what the user wrote himself: the variable or the file in which he gave the key.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import ENABLED, MONITORING, lags
from simulator import load_scenario

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
KEY = "Zk4QwT8vXr2LmB9pYc6HdN3sGf7JaUe5RtV1oKiW0bMx"
ODD_KEY = 'hT7wQz3LpV9xKc5RmB2y"\\%2B+<&>nF8sGd4JaUe6YtW1oXiC'
WRONG_KEY = "cN5bLr8WqZ2vTx7KpY4mHd9sGf3JaUe6RtV1oKiX0wQy"
PASSWORD = "the word for the vault"
SLOW = pytest.mark.slow
KEYS = [pytest.param(KEY, id="plain", marks=SLOW), pytest.param(ODD_KEY, id="with odd characters")]
AUTHORIZED = [{"subject": TARGET, "resource": SOURCE}]
ROLES = [f"mirrorops.event_streams.{role}" for role in ("setup", "bindings", "enable", "validate")]
PAIR: dict[str, Any] = {
    "mirroring_source": SOURCE,
    "mirroring_target": TARGET,
    "mirroring_topics": ["^orders$", "^payments$"],
    "mirroring_poll_interval": 0.1,
    "mirroring_settle_timeout": 3,
    "mirroring_topics_timeout": 20,
    "mirroring_authorization_timeout": 10,
}
INFO = "mirrorops.event_streams.instance_info"
LOOK = {
    "name": "Look",
    INFO: {"instance": SOURCE, "ibmcloud_api_key": "{{ mirroring_source_api_key | default(omit) }}"},
    "register": "looked",
}
MIRROR_PLAY: list[dict[str, Any]] = [
    {
        "name": "Mirror, look at it, and show and keep everything that was returned",
        "hosts": "localhost",
        "gather_facts": False,
        "roles": ROLES,
        "post_tasks": [
            LOOK,
            {
                "name": "Show",
                "ansible.builtin.debug": {"msg": ["{{ looked }}", "{{ enable_result }}", "{{ validate_result }}"]},
            },
            {
                "name": "Keep",
                "ansible.builtin.set_fact": {
                    "kept": ["{{ looked }}", "{{ setup_result }}", "{{ bindings_result }}", "{{ enable_result }}"],
                    "cacheable": True,
                },
            },
        ],
    }
]


def play(tasks: list[dict[str, Any]], hosts: str = "localhost", **keywords: Any) -> list[dict[str, Any]]:
    """A play with these tasks."""
    return [{"name": "Somebody's own play", "hosts": hosts, "gather_facts": False, "tasks": tasks, **keywords}]


# -- the search


def base64_forms(data: bytes) -> set[bytes]:
    """What stands in a base64 text for these bytes, wherever in it they begin."""
    found = set()
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data)[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        found |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def pieces(secret: str) -> set[str]:
    """Pieces of 16 characters without anything to escape, so that they stand in every escaped form and in cut off ones."""
    found = set()
    for part in re.findall(r"[A-Za-z0-9_]{16,}", secret):
        found |= {part[start : start + 16] for start in range(0, min(len(part), 64) - 15, 16)} | {part[-16:]}
    return found


def needles(secret: str) -> set[bytes]:
    """A secret and pieces of it, as they are and in other clothes."""
    quoted = {
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        repr(secret)[1:-1],
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
        html.escape(secret),
    }
    found = set()
    for text in {secret, *quoted, *pieces(secret)}:
        found |= {text.encode(), text.encode().hex().encode(), *base64_forms(text.encode())}
    return found


def hits(secrets: list[str], places: dict[str, bytes]) -> list[str]:
    """The places where a secret is found."""
    wanted = {needle for secret in secrets for needle in needles(secret)}
    return sorted(place for place, content in places.items() if any(needle in content for needle in wanted))


class Watch:
    """Command lines and environments of all processes of a run: those that have the test's folder in their environment."""

    def __init__(self, folder: Path) -> None:
        self._mark = os.fsencode(f"ANSIBLE_HOME={folder}/")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.commands: set[bytes] = set()
        self.environments: set[bytes] = set()
        self.processes: set[int] = set()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.03):
            self.look()

    def look(self) -> set[int]:
        """Looks once; returns the processes that are alive."""
        alive = set()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                environment = (path / "environ").read_bytes()
                if self._mark not in environment:
                    continue
                self.commands.add((path / "cmdline").read_bytes())
            except OSError:
                continue
            self.environments.update(environment.split(b"\0"))
            alive.add(int(path.name))
        self.processes |= alive
        return alive


@dataclass
class Scene:
    """A world with a key that nobody can mistake for anything else, and a run in it of which nothing stays hidden."""

    simulate: Callable[..., Any]
    playbook: Any
    folder: Path
    temporary: Path
    key: str = KEY
    simulator: Any = None
    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    own: set[Path] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)
    watch: Any = None

    def prepare(self, way: str, key: str = KEY, *, given: str | None = None, **members: Any) -> Any:
        """Starts a simulator that knows the key, and gives the key (or another one) to the run in some way."""
        self.key = key
        accounts = load_scenario("friendly")["accounts"]
        accounts[0]["api_keys"] = [{"key": key, "name": "operator", "rights": "full"}]
        self.simulator = self.simulate(accounts=accounts, **members)
        self.environment = {
            **self.playbook.environment(self.simulator),
            "TMPDIR": str(self.temporary),
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.folder / "facts"),
            "ANSIBLE_CALLBACKS_ENABLED": "record,junit,tree",
            "ANSIBLE_CALLBACK_TREE_DIR": str(self.folder / "tree"),
            "JUNIT_OUTPUT_DIR": str(self.folder / "junit"),
            "ANSIBLE_RETRY_FILES_ENABLED": "true",
            "ANSIBLE_DISPLAY_TRACEBACK": "error",
        }
        del self.environment["IC_API_KEY"]
        self.arguments = ["-vvvv", "--diff"]
        self._give(way, given or key)
        return self.simulator

    def _give(self, way: str, key: str) -> None:
        names = ("mirroring_source_api_key", "mirroring_target_api_key")
        file = self.folder / "own-input.json"
        if way == "environment":
            self.environment["IC_API_KEY"] = key
            self.exported.add(f"IC_API_KEY={key}")
        elif way == "vars file":
            file.write_text(json.dumps(dict.fromkeys(names, key)))
            self.own.add(file)
            self.arguments += ["-e", f"@{file}"]
        elif way == "vault":
            word = self.folder / "vault-password"
            word.write_text(PASSWORD)
            subprocess.run(
                [sys.executable, "-m", "ansible", "vault", "encrypt", "--output", str(file)],
                env={**self.environment, "ANSIBLE_VAULT_PASSWORD_FILE": str(word)},
                cwd=self.folder,
                input=json.dumps(dict.fromkeys(names, key)),
                capture_output=True,
                text=True,
                check=True,
            )
            assert file.read_text().startswith("$ANSIBLE_VAULT;")
            self.arguments += ["-e", f"@{file}", "--vault-password-file", str(word)]
        elif way in ("@file", "@json file"):
            file.write_text(key if way == "@file" else json.dumps({"name": "operator", "apikey": key}))
            self.own.add(file)
            self.variables = dict.fromkeys(names, f"@{file}")
        else:
            raise ValueError(way)

    def start(self, what: Any = None, **variables: Any) -> Any:
        """Starts a run."""
        return self.playbook.start(
            what or MIRROR_PLAY,
            {**PAIR, **self.variables, **variables},
            environment=self.environment,
            arguments=tuple(self.arguments),
        )

    def run(self, what: Any = None, meanwhile: Callable[[], Any] | None = None, **variables: Any) -> Any:
        """A run, watched."""
        with Watch(self.folder) as self.watch:
            started = self.start(what, **variables)
            if meanwhile:
                meanwhile()
            return self.playbook.finish(*started)

    def files(self) -> dict[str, bytes]:
        """Every file below the test's folder and among the temporary ones that the user did not write."""
        found = {}
        for folder, prefix in ((self.folder, ""), (self.temporary, "TMPDIR/")):
            for path in folder.rglob("*"):
                if path.is_file() and path not in self.own:
                    found[f"{prefix}{path.relative_to(folder)}"] = path.read_bytes()
        return found

    def leaks(self, run: Any, *more: str) -> list[str]:
        """Where secrets are found; how many there are to find is checked first."""
        secrets = [*self.simulator.state.tokens.secrets(), *more]
        assert len(secrets) > 1, "a key and at least one token, or another key"
        places = self.files()
        places["stdout"] = run.stdout.encode()
        places["stderr"] = run.stderr.encode()
        places["names of files"] = "\n".join(places).encode()
        if self.watch:
            assert self.watch.commands
            places["command lines"] = b"\n".join(self.watch.commands)
            exported = {entry.encode() for entry in self.exported}
            places["environments"] = b"\n".join(self.watch.environments - exported)
        return hits(secrets, places)

    def everything_was_switched_on(self, run: Any) -> None:
        """What is searched is really there."""
        names = set(self.files())
        assert "Using module" in run.stdout or "attempt 1, transaction" in run.stdout
        assert "ansible.log" in names
        assert (self.folder / "ansible.log").stat().st_size > 1000
        assert [name for name in names if name.startswith("tree/")]
        assert [name for name in names if name.startswith("junit/")]
        assert [name for name in names if name.endswith("-record.jsonl")]


@pytest.fixture
def scene(simulate: Any, playbook: Any, tmp_path: Path) -> Iterator[Scene]:
    """A world, and a run in it."""
    # Short, because newer releases of ansible-core have a socket among the temporary files.
    with tempfile.TemporaryDirectory(prefix="mo-", ignore_cleanup_errors=True) as temporary:
        yield Scene(simulate, playbook, tmp_path, Path(temporary))


# -- the search can find something


@pytest.mark.parametrize(
    "secret", [KEY, ODD_KEY, "eyJraWQiOiAic2ltdWxhdG9yIn0.eyJpYW1faWQiOiAieCJ9.0123456789abcdef0123"]
)
def test_the_search_finds_every_encoding(secret: str) -> None:
    data = secret.encode()
    clothes = {
        "as it is": data,
        "JSON": json.dumps({"x": secret}).encode(),
        "JSON in JSON": json.dumps(json.dumps({"x": secret})).encode(),
        "JSON in Python": repr(json.dumps({"x": secret})).encode(),
        "Python": repr({"x": secret}).encode(),
        "form": urllib.parse.urlencode({"x": secret}).encode(),
        "path": urllib.parse.quote(secret).encode(),
        "HTML": html.escape(secret).encode(),
        "hexadecimal": data.hex().encode(),
        **{f"base64, {shift} later": base64.b64encode(bytes(shift) + data + b"-") for shift in range(3)},
        **{f"base64 for URLs, {shift} later": base64.urlsafe_b64encode(b"~" * shift + data) for shift in range(3)},
        "base64 of JSON": base64.b64encode(json.dumps({"x": secret}).encode()),
        "cut off": data[: len(data) * 3 // 4],
        "cut off in front": data[len(data) // 2 :],
    }
    places = {name: b"before " + content + b" after" for name, content in clothes.items()}
    assert hits([secret], places) == sorted(clothes)
    assert hits([WRONG_KEY], places) == []


@pytest.mark.every_core
def test_the_search_finds_what_is_planted(scene: Scene, observe: Any) -> None:
    simulator = scene.prepare("vars file", ODD_KEY)
    seen = scene.folder / "seen"
    wait = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)"
    secret = "{{ mirroring_target_api_key }}"
    tasks = [
        LOOK,
        {"name": "Show", "ansible.builtin.debug": {"msg": secret}},
        {"name": "Keep", "ansible.builtin.set_fact": {"kept": secret, "cacheable": True}},
        {
            "name": "Pass on",
            "ansible.builtin.command": {"argv": ["{{ ansible_playbook_python }}", "-c", wait, str(seen), secret]},
            "environment": {"PLANTED": secret},
        },
        {
            "name": "Write",
            "ansible.builtin.copy": {
                "content": "{{ ('-' ~ mirroring_target_api_key) | b64encode }}",
                "dest": str(scene.temporary / "x"),
            },
        },
    ]

    def meanwhile() -> None:
        planted = b"PLANTED=" + ODD_KEY.encode()
        observe(simulator).until(lambda: scene.watch.look() and planted in scene.watch.environments)
        seen.touch()

    run = scene.run(play(tasks), meanwhile).worked()
    scene.everything_was_switched_on(run)
    found = scene.leaks(run)
    kinds = {name.partition("/")[0].rpartition("-")[2] for name in found}
    assert kinds >= {
        "stdout", "ansible.log", "record.jsonl", "facts", "junit", "tree", "TMPDIR", "command lines", "environments",
    }  # fmt: skip


# -- success


@pytest.mark.every_core
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "way", ["environment", "vault", *(pytest.param(way, marks=SLOW) for way in ("vars file", "@file", "@json file"))]
)
def test_nothing_is_found_after_success(scene: Scene, observe: Any, way: str, key: str) -> None:
    simulator = scene.prepare(way, key)
    run = scene.run(mirroring_page=str(scene.folder / "pair.html")).worked()
    observe(simulator).mirrored()
    scene.everything_was_switched_on(run)
    assert "pair.html" in scene.files()
    assert [name for name in scene.files() if name.startswith("facts/")]
    assert scene.leaks(run) == []


def test_nothing_is_found_after_a_cleanup(scene: Scene) -> None:
    simulator = scene.prepare("vault", ODD_KEY, target={"topics": [{"name": "audit.us-south"}]})
    roles = [{"role": "mirrorops.event_streams.cleanup"}]
    asked = {"cleanup_topics": ["audit.us-south"], "cleanup_confirm": [TARGET]}
    run = scene.run(play([], roles=roles), **asked).worked()
    assert simulator.instance(TARGET).live_topics() == []
    scene.everything_was_switched_on(run)
    assert scene.leaks(run) == []


# -- failure


@pytest.mark.parametrize(
    "way", ["vars file", *(pytest.param(way, marks=SLOW) for way in ("environment", "vault", "@file"))]
)
def test_nothing_is_found_after_a_wrong_key(scene: Scene, way: str) -> None:
    scene.prepare(way, given=WRONG_KEY)
    run = scene.run(play([LOOK]))
    assert "API key" in run.failures[0]
    assert scene.leaks(run, WRONG_KEY) == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"action": "operation_failed", "method": "PATCH", "times": None}, id="failed operation"),
        pytest.param({"action": "status", "status": 500, "api": "admin", "times": None}, id="500", marks=SLOW),
        pytest.param({"action": "html_body", "api": "iam", "times": None}, id="html", marks=SLOW),
        pytest.param({"action": "unauthorized", "api": "admin", "times": None}, id="401", marks=SLOW),
        pytest.param({"action": "reset_before", "api": "resource_controller", "times": None}, id="reset", marks=SLOW),
    ],
)
def test_nothing_is_found_after_a_failure(scene: Scene, fault: dict[str, Any]) -> None:
    simulator = scene.prepare("vars file", ODD_KEY)
    simulator.add_fault(**fault)
    defaults = {"group/mirrorops.event_streams.all": {"retry_timeout": 1}}
    run = scene.run(
        [{**MIRROR_PLAY[0], "module_defaults": defaults}],
        mirroring_settle_timeout=0.5,
        mirroring_authorization_timeout=0,
    )
    assert run.rc == 2, run.output
    assert any(entry["seen"] for entry in simulator.faults)
    assert scene.leaks(run) == []


@pytest.mark.parametrize("what", ["token answer", "error message", pytest.param("html", marks=SLOW)])
def test_nothing_is_found_when_a_service_repeats_what_it_was_sent(scene: Scene, what: str) -> None:
    """Error texts are shown, so they must not bring back what was asked."""
    simulator = scene.prepare("vars file", ODD_KEY)
    body: Any = {
        "token answer": {"access_token": ODD_KEY + " ", "expires_in": 3600},
        "error message": {"errorCode": "BXNIM0415E", "errorMessage": f"Provided API key {ODD_KEY} could not be found."},
        "html": {"errorMessage": f"<p>{html.escape(ODD_KEY)} {urllib.parse.quote_plus(ODD_KEY)}</p>"},
    }[what]
    simulator.add_fault(
        "status", status=200 if what == "token answer" else 400, body=body, api="iam", path="token", times=None
    )
    run = scene.run(play([LOOK], module_defaults={INFO: {"retry_timeout": 0}}))
    assert len(run.failures) == 1
    assert scene.leaks(run, WRONG_KEY) == []


def test_nothing_is_found_on_a_page_when_monitoring_repeats_the_key(scene: Scene) -> None:
    """Ansible masks what it shows, and nobody but us what is written into a file."""
    series = lags(**{f"topic {ODD_KEY}": [[90000, 90]]})
    scene.prepare("vars file", ODD_KEY, monitoring=MONITORING, series=series, **ENABLED)
    page = scene.folder / "pair.html"
    roles = ["mirrorops.event_streams.validate"]
    run = scene.run(play([], roles=roles), mirroring_page=str(page), mirroring_max_lag=60)
    assert run.facts["validate_result"]["verdict"] == "mirroring"
    assert 'title="topic ********"' in page.read_text()
    assert scene.leaks(run) == []


def test_nothing_is_found_in_what_a_scheduler_gets_when_monitoring_repeats_the_key(scene: Scene) -> None:
    series = lags(**{f"topic {ODD_KEY}": [[90000, 90]]})
    scene.prepare("vars file", ODD_KEY, monitoring=MONITORING, series=series, **ENABLED)
    run = scene.run("mirrorops.event_streams.audit", mirroring_max_lag=60)
    assert run.artifacts["audit"]["localhost"]["lag"]["topic_count"] > 2
    assert scene.leaks(run) == []


BROKEN = """
import os
try:
    import requests
except ImportError:
    pass
else:
    import json
    import urllib.parse

    send = requests.Session.send

    def broken(self, request, **settings):
        how = os.environ["BROKEN"]
        if how == "bearer token" and "Authorization" not in request.headers:
            return send(self, request, **settings)
        key = urllib.parse.parse_qs(request.body)["apikey"][0] if "apikey" in str(request.body) else ""
        details = {"as it is": key, "as sent": request.body, "quoted": {"key": key}, "JSON": json.dumps(key)}
        raise RuntimeError(f"cannot send {request.headers}: {details.get(how)}")

    requests.Session.send = broken
"""


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "how", ["bearer token", "as sent", *(pytest.param(how, marks=SLOW) for how in ("as it is", "quoted", "JSON"))]
)
@pytest.mark.parametrize("where", ["in process", "module"])
def test_nothing_is_found_after_an_unexpected_exception(scene: Scene, how: str, key: str, where: str) -> None:
    """A broken library that shows in its message what it was to send."""
    scene.prepare("vars file", key)
    library = scene.folder / "library"
    library.mkdir()
    (library / "sitecustomize.py").write_text(BROKEN)
    scene.environment.update(PYTHONPATH=str(library), BROKEN=how)
    run = scene.run(play([LOOK]) if where == "in process" else elsewhere(scene, [LOOK]))
    assert run.rc == 2, run.output
    assert "Unexpected RuntimeError: cannot send" in run.failures[0]
    assert "Traceback" in run.output
    assert scene.leaks(run, WRONG_KEY) == []


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_found_after_bad_arguments(scene: Scene, key: str) -> None:
    """Arguments of roles and modules are checked by Ansible, which shows what it does not like."""
    scene.prepare("vars file", key)
    secret = {"ibmcloud_api_key": "{{ mirroring_target_api_key }}"}
    tasks = [
        {"name": "Unknown option", INFO: {"sauce": 1, **secret}, "ignore_errors": True},
        {"name": "Wrong type", INFO: {"validate_certs": "perhaps", **secret}, "ignore_errors": True},
        {"name": "Wrong type of the key", INFO: {"ibmcloud_api_key": {"apikey": secret}}, "ignore_errors": True},
        {"name": "List for the key", INFO: {"ibmcloud_api_key": [secret]}, "ignore_errors": True},
        LOOK,
    ]
    role = {"role": "mirrorops.event_streams.enable", "vars": {"enable_wait": "perhaps"}}
    run = scene.run([{**play(tasks)[0]}, {**MIRROR_PLAY[0], "roles": [role]}])
    assert run.rc == 2, run.output
    assert [entry["status"] for entry in run.tasks].count("ignored") == 4
    assert scene.leaks(run) == []


@pytest.mark.every_core
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="SIGKILL"),
        pytest.param(signal.SIGINT, id="SIGINT", marks=SLOW),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=SLOW),
    ],
)
def test_nothing_is_found_after_a_run_was_ended_while_it_waited(
    scene: Scene, observe: Any, number: signal.Signals
) -> None:
    simulator = scene.prepare("vault", ODD_KEY, timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    with Watch(scene.folder) as scene.watch:
        process, record = scene.start()
        seen.until(seen.patches)
        seen.polled()
        scene.watch.look()
        os.kill(process.pid, number)
        run = scene.playbook.finish(process, record)
        seen.until(lambda: not scene.watch.look(), 10)
    assert run.rc != 0
    assert (scene.folder / "ansible.log").stat().st_size > 1000
    assert scene.leaks(run) == []


# -- as ordinary modules: what Ansible transfers


def elsewhere(scene: Scene, tasks: list[dict[str, Any]], **keywords: Any) -> list[dict[str, Any]]:
    """A play on a host that is not this one."""
    inventory = scene.folder / "hosts.json"
    inventory.write_text('{"all": {"hosts": {"bastion": {}}}}')
    scene.arguments += ["-i", str(inventory)]
    there = {"ansible_connection": "elsewhere", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return play(tasks, "bastion", vars=there, **keywords)


@pytest.fixture
def gate(scene: Scene) -> Iterator[Callable[[], Gate]]:
    """Holds a run at its first request for an instance; in the end it goes on in any case."""
    made: list[Gate] = []

    def close() -> Gate:
        made.append(Gate(scene.simulator))
        return made[-1]

    yield close
    for one in made:
        one.opened.set()


class Gate:
    """Lets no request for an instance pass until it is opened."""

    def __init__(self, simulator: Any) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        listener = simulator._main
        answer = listener.handle

        def handle(request: Any) -> Any:
            if "resource_instances" in request.path:
                self.reached.set()
                assert self.opened.wait(60)
            return answer(request)

        listener.handle = handle


def during(scene: Scene, gate: Gate, found: dict[str, Any]) -> Callable[[], None]:
    """Looks at the files and processes of a run at the moment when its module is at work."""

    def look() -> None:
        assert gate.reached.wait(60)
        scene.watch.look()
        found["files"] = hits([scene.key], scene.files())
        found["modes"] = [
            stat.S_IMODE(path.stat().st_mode) for name in found["files"] for path in (scene.folder / name).parents[:1]
        ]
        gate.opened.set()

    return look


SHIPPED_FILE = re.compile(r"ansible/remote/ansible-tmp-[^/]+/AnsiballZ_instance_info\.py")


@pytest.mark.every_core
@pytest.mark.parametrize(
    "way", ["environment", "pipelining", *(pytest.param(way, marks=SLOW) for way in ("vars file", "@file"))]
)
def test_a_module_elsewhere_has_the_key_in_one_file_while_it_runs(
    scene: Scene, gate: Callable[[], Gate], way: str
) -> None:
    """With pipelining in none; afterwards in none, and never in a command line or an environment."""
    scene.prepare("vars file" if way == "pipelining" else way, ODD_KEY)
    if way == "pipelining":
        scene.environment["ANSIBLE_PIPELINING"] = "true"
    held, found = gate(), {}
    run = scene.run(elsewhere(scene, [LOOK]), during(scene, held, found)).worked()
    if way == "pipelining":
        assert found["files"] == []
    else:
        (name,) = found["files"]
        assert SHIPPED_FILE.fullmatch(name)
        assert found["modes"] == [0o700], "nobody else can enter the directory"
    assert any(b"AnsiballZ" in command or b"/bin/sh" in command for command in scene.watch.commands)
    assert scene.leaks(run) == []


@pytest.mark.slow
def test_roles_elsewhere_leave_nothing_behind(scene: Scene, observe: Any) -> None:
    simulator = scene.prepare("vault", ODD_KEY)
    there = elsewhere(scene, [])[0]
    run = scene.run([{**MIRROR_PLAY[0], "hosts": "bastion", "vars": there["vars"]}]).worked()
    observe(simulator).mirrored()
    assert scene.leaks(run) == []


@pytest.mark.slow
@pytest.mark.parametrize("poll", [1, 0])
def test_an_asynchronous_task_leaves_nothing_behind(
    scene: Scene, observe: Any, gate: Callable[[], Gate], poll: int
) -> None:
    """Neither in its job file; while it runs the key is in the file of the module."""
    scene.prepare("vars file", ODD_KEY)
    held, found = gate(), {}
    task = {**LOOK, "async": 60, "poll": poll}
    there = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    run = scene.run(play([task], vars=there), during(scene, held, found)).worked()
    (name,) = found["files"]
    assert SHIPPED_FILE.fullmatch(name)
    observe(scene.simulator).until(lambda: not scene.watch.look())
    assert scene.leaks(run) == []
    jobs = [name for name in scene.files() if name.startswith("ansible/async/")]
    assert len(jobs) == (0 if poll else 1)


@pytest.mark.every_core
def test_files_that_are_kept_hold_the_key(scene: Scene) -> None:
    scene.prepare("vars file", ODD_KEY)
    scene.environment["ANSIBLE_KEEP_REMOTE_FILES"] = "true"
    run = scene.run(elsewhere(scene, [LOOK])).worked()
    (name,) = scene.leaks(run)
    assert SHIPPED_FILE.fullmatch(name)


def test_a_killed_run_leaves_the_file_of_a_module_elsewhere(
    scene: Scene, observe: Any, gate: Callable[[], Gate]
) -> None:
    """The file with the key stays where the module was at work, and nothing else does."""
    scene.prepare("vars file", ODD_KEY)
    held = gate()
    with Watch(scene.folder) as scene.watch:
        process, record = scene.start(elsewhere(scene, [LOOK]))
        assert held.reached.wait(60)
        for one in (process.pid, *sorted(scene.watch.look() - {process.pid})):
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue
        run = scene.playbook.finish(process, record)
        observe(scene.simulator).until(lambda: not scene.watch.look(), 10)
    (name,) = scene.leaks(run)
    assert SHIPPED_FILE.fullmatch(name)


@pytest.mark.parametrize("place", ["task", pytest.param("play", marks=SLOW)])
def test_the_environment_of_a_task_elsewhere_shows_no_key(scene: Scene, gate: Callable[[], Gate], place: str) -> None:
    """Ansible puts `environment:` into the command line that it runs; credentials are passed on as arguments already."""
    scene.prepare("vars file", KEY)
    held, found = gate(), {}
    surroundings = {"environment": {"IC_API_KEY": "{{ mirroring_source_api_key }}", "IC_TIMEOUT": "33"}}
    task = {"name": "Look", INFO: {"instance": SOURCE}}
    plays = (
        elsewhere(scene, [{**task, **surroundings}]) if place == "task" else elsewhere(scene, [task], **surroundings)
    )
    run = scene.run(plays, during(scene, held, found)).worked()
    assert "IC_TIMEOUT=33" in run.output
    assert scene.leaks(run) == []
