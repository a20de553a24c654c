# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import pathlib
import signal
import types
import typing as t

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors, _libraries
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import CLOUD, ROLE, SOURCE_AUTH, ArgSpec
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils import _action
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._action import (
    InProcessAction,
    ParentGuard,
    applied,
    refuse_placeholders,
    shown,
)
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._shared import SharedTokenStore
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import KEY

FORK = multiprocessing.get_context("fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
LONG = 30.0
ROOT = pathlib.Path(__file__).resolve().parents[4]
PLACEHOLDER = "__omit_place_holder__0123456789abcdef"
SPEC = ArgSpec(
    {
        "name": {"type": "str"},
        "number": {"type": "int"},
        "topics": {"type": "list", "elements": "str"},
        "wait_timeout": {"type": "float", "default": 5},
    }
).merge(CLOUD, ROLE, SOURCE_AUTH)


class Recorder:
    """Stands in for Ansible's display."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.verbosity = 0

    def display(self, text: str) -> None:
        self.lines.append(text)

    def vvv(self, text: str) -> None:
        self.lines.append(f"vvv {text}")


class Task:
    """The parts of a task, a connection and a templar that actions look at."""

    def __init__(self, **settings: t.Any) -> None:
        self.args: dict[str, t.Any] = {}
        self.async_val = 0
        self.check_mode = False
        self.no_log = False
        self.environment: t.Any = None
        self.diff = False
        self.delegate_to = None
        self.__dict__.update(settings)


class Action(InProcessAction):
    """An action for a module of the test; what would leave this process is only written down."""

    handed_over: list[dict[str, t.Any]]

    def _execute_module(self, **settings: t.Any) -> dict[str, t.Any]:
        self.handed_over.append(settings)
        return {"changed": False, "handed": "over"}


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(_action, "display", recorder)
    return recorder


def make_action(
    run: t.Callable[[Call], dict[str, t.Any]],
    args: dict[str, t.Any],
    *,
    transport: str = "local",
    become: t.Any = None,
    **settings: t.Any,
) -> Action:
    action = Action.__new__(Action)
    action.handed_over = []
    action.module = types.SimpleNamespace(  # type: ignore[misc, assignment]
        __name__="ansible_collections.mirrorops.event_streams.plugins.modules.thing", SPEC=SPEC, run=run
    )
    shell = types.SimpleNamespace(tmpdir=None, env_prefix=lambda **names: "")
    action._connection = types.SimpleNamespace(transport=transport, become=become, _shell=shell)
    action._task = Task(args=args, **settings)
    action._templar = types.SimpleNamespace(template=lambda value, **more: value)
    action._play_context = types.SimpleNamespace(check_mode=False)
    action._supports_check_mode = True
    action._supports_async = True
    return action


def perform(
    run: t.Callable[[Call], dict[str, t.Any]], args: dict[str, t.Any] | None = None, **settings: t.Any
) -> t.Any:
    return make_action(run, {"ibmcloud_api_key": KEY, **(args or {})}, **settings).run(None, {})


def nothing(call: Call) -> dict[str, t.Any]:
    return {}


def test_the_modules_own_run_is_called(display: Recorder) -> None:
    seen: list[Call] = []

    def run(call: Call) -> dict[str, t.Any]:
        seen.append(call)
        call.warn("mind the gap")
        return {"value": 1}

    result = perform(run, {"name": "n", "number": "7"}, check_mode=True)
    (call,) = seen
    assert (call.params["name"], call.params["number"], call.params["request_timeout"]) == ("n", 7, 60)
    assert call.check_mode is True
    assert isinstance(call.tokens, SharedTokenStore)
    assert (result["changed"], result["value"], result["warnings"]) == (False, 1, ["mind the gap"])
    arguments = result["invocation"]["module_args"]
    assert (arguments["name"], arguments["number"]) == ("n", 7)
    assert arguments["ibmcloud_api_key"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert KEY not in repr(result)


@pytest.mark.parametrize(
    ("args", "told"),
    [({"number": "x"}, "number"), ({"surprise": 1}, "surprise"), ({"visibility": "none"}, "visibility")],
)
def test_bad_arguments_never_reach_it(args: dict[str, t.Any], told: str, display: Recorder) -> None:
    result = perform(lambda call: 1 / 0, args)  # type: ignore[arg-type, return-value]
    assert result["failed"] is True
    assert told in result["msg"]
    assert "ZeroDivision" not in result["msg"]


def test_a_value_that_cannot_be_converted_shows_no_secret(display: Recorder) -> None:
    def convert(value: t.Any) -> t.Any:
        raise OverflowError(f"{value} is too large beside {KEY}")

    spec = SPEC.merge(ArgSpec({"size": {"type": convert}}))
    action = make_action(nothing, {"ibmcloud_api_key": KEY, "size": 1})
    action.module.SPEC = spec  # type: ignore[attr-defined]
    with pytest.raises(AnsibleActionFail, match="cannot be converted: 1 is too large") as caught:
        action.run(None, {})
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("settings", "here"),
    [
        ({}, True),
        ({"transport": "ansible.builtin.local"}, True),
        ({"transport": "ssh"}, False),
        ({"transport": "docker"}, False),
        ({"become": object()}, False),
        ({"async_val": 60}, False),
    ],
)
def test_where_it_runs(settings: dict[str, t.Any], here: bool, display: Recorder) -> None:
    action = make_action(nothing, {"ibmcloud_api_key": KEY}, **settings)
    action.run(None, {})
    assert len(action.handed_over) == (0 if here else 1)


def test_handing_over_takes_the_environment_along(monkeypatch: pytest.MonkeyPatch, display: Recorder) -> None:
    monkeypatch.setenv("IC_API_KEY", "")
    monkeypatch.setenv("IBMCLOUD_API_KEY", KEY)
    monkeypatch.setenv("IC_TIMEOUT", "7")
    monkeypatch.setenv("IBMCLOUD_IAM_API_ENDPOINT", "https://environment.example.com")
    given = {"name": "n", "iam_endpoint": "https://given.example.com", "iam_token": None}
    monkeypatch.setenv("IC_IAM_TOKEN", "not for the task's own identity: an explicit null wins")
    monkeypatch.setenv("IC_REGION", "of the controller, not of where the task runs")
    action = make_action(nothing, given, transport="ssh", async_val=5)
    result = action.run(None, {"some": "vars"})
    assert result["handed"] == "over"
    assert action.handed_over == [
        {
            "module_name": "mirrorops.event_streams.thing",
            "module_args": {
                **given,
                "ibmcloud_api_key": KEY,
                "iam_profile": "",
                "source_api_key": KEY,
                "source_iam_token": "not for the task's own identity: an explicit null wins",
                "source_iam_profile": "",
                "request_timeout": "7",
            },
            "task_vars": {"some": "vars"},
            "wrap_async": 5,
        }
    ]
    assert given == {"name": "n", "iam_endpoint": "https://given.example.com", "iam_token": None}


def test_handing_over_reads_key_files_on_the_controller(tmp_path: pathlib.Path, display: Recorder) -> None:
    (tmp_path / "key.json").write_text(f'{{"apikey": "{KEY}"}}')
    action = make_action(nothing, {"ibmcloud_api_key": f"@{tmp_path}/key.json"}, transport="ssh")
    action.run(None, {})
    assert action.handed_over[0]["module_args"]["ibmcloud_api_key"] == KEY
    broken = make_action(nothing, {"source_api_key": f"@{tmp_path}/none"}, transport="ssh")
    with pytest.raises(AnsibleActionFail, match="source_api_key names a file that cannot be read"):
        broken.run(None, {})
    assert broken.handed_over == []


def test_a_task_takes_the_arguments_of_its_role(display: Recorder) -> None:
    """What the task gives goes before them; what is omitted or null counts as not set."""
    seen: list[Call] = []

    def run(call: Call) -> dict[str, t.Any]:
        seen.append(call)
        return {}

    variables = {
        "omit": PLACEHOLDER,
        "setup_topics": "{{ topics }}",
        "mirroring_topics": ["^other$"],
        "setup_wait_timeout": "{{ nothing | default(omit) }}",
        "mirroring_wait_timeout": None,
        "mirroring_source_api_key": KEY,
        "mirroring_name": "not an argument of any role",
    }
    action = make_action(run, {"role": "setup", "number": 1, "ibmcloud_api_key": KEY})
    asked: list[t.Any] = []
    templated = {"{{ setup_topics }}": ["^a$"], "{{ mirroring_max_age }}": PLACEHOLDER}

    def template(value: dict[str, t.Any]) -> dict[str, t.Any]:
        asked.append(value["value"])
        return {} if value["value"] == "{{ setup_wait_timeout }}" else {"value": templated[value["value"]]}

    action._templar = types.SimpleNamespace(template=template)
    result = action.run(None, variables)
    params = seen[0].params
    assert (params["topics"], params["wait_timeout"], params["number"], params["name"]) == (["^a$"], 5.0, 1, None)
    assert params["source_api_key"] == KEY
    assert asked == ["{{ setup_topics }}", "{{ setup_wait_timeout }}"], "what is written plainly needs no template"
    assert KEY not in repr(result)


def test_the_arguments_of_the_role_are_handed_over_too(display: Recorder) -> None:
    action = make_action(nothing, {"role": "setup"}, transport="ssh")
    action.run(None, {"mirroring_topics": ["^a$"], "mirroring_target_api_key": KEY})
    (handed,) = action.handed_over
    assert handed["module_args"]["topics"] == ["^a$"]
    assert handed["module_args"]["ibmcloud_api_key"] == KEY
    assert "role" not in handed["module_args"]


def test_the_environment_of_the_task_is_applied_and_taken_back(
    monkeypatch: pytest.MonkeyPatch, display: Recorder
) -> None:
    monkeypatch.setenv("IC_VISIBILITY", "private")
    monkeypatch.setenv("KEEP", "me")
    before = dict(os.environ)
    seen: dict[str, t.Any] = {}

    def run(call: Call) -> dict[str, t.Any]:
        seen.update(call.params, proxy=os.environ["HTTPS_PROXY"], keep=os.environ["KEEP"], number=os.environ["NUMBER"])
        os.environ["LEFT"] = "behind"
        raise ValueError("also after an error")

    environment = [{"IC_VISIBILITY": "public-and-private", "NUMBER": 7}, {}, {"HTTPS_PROXY": "http://proxy:1"}]
    perform(run, environment=environment)
    assert seen["visibility"] == "public-and-private"
    assert (seen["proxy"], seen["keep"], seen["number"]) == ("http://proxy:1", "me", "7")
    assert dict(os.environ) == before


def test_the_environment_of_the_task_is_handed_over_too(display: Recorder) -> None:
    action = make_action(nothing, {}, transport="ssh", environment=[{"IC_API_KEY": KEY}])
    action.run(None, {})
    assert action.handed_over[0]["module_args"]["ibmcloud_api_key"] == KEY
    assert "IC_API_KEY" not in os.environ


def test_applied_restores_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.delenv("TWO", raising=False)
    with pytest.raises(KeyError), applied({"ONE": "x", "TWO": "y"}):
        assert (os.environ["ONE"], os.environ["TWO"]) == ("x", "y")
        del os.environ["ONE"]
        raise KeyError
    assert os.environ["ONE"] == "1"
    assert "TWO" not in os.environ


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"name": PLACEHOLDER}, "name"),
        ({"transform": {"rename": {"add_prefix": PLACEHOLDER}}}, "transform.rename.add_prefix"),
        ({"topics": ["^a$", f"^{PLACEHOLDER}$"]}, r"topics\[1\]"),
        ({"topics": [{"x": (1, PLACEHOLDER)}]}, r"topics\[0\]\.x\[1\]"),
    ],
)
def test_placeholders_are_refused(arguments: dict[str, t.Any], path: str, display: Recorder) -> None:
    with pytest.raises(AnsibleActionFail, match=f"^{path} contains an omit"):
        refuse_placeholders(arguments)
    with pytest.raises(AnsibleActionFail, match="contains an omit"):
        perform(nothing, arguments)


def test_anything_else_is_no_placeholder() -> None:
    refuse_placeholders({"a": None, "b": [1, True, "omit", {"c": ""}], "d": 2.5})


class Tagged(str):
    """A text as ansible-core 2.19 hands it over: of a class of its own."""


def test_texts_of_other_classes_are_texts(display: Recorder) -> None:
    with pytest.raises(AnsibleActionFail):
        refuse_placeholders({"a": Tagged(PLACEHOLDER)})
    assert perform(lambda call: {"value": call.params["name"]}, {"name": Tagged("n")})["value"] == "n"


def chatty(call: Call) -> dict[str, t.Any]:
    call.secrets.add("fresh-token")
    call.progress(f"working with {KEY} and fresh-token")
    call.trace("GET /x fresh-token")
    return {"key": KEY, "nested": [{"token": "it is fresh-token!"}]}


def test_no_secret_is_shown(display: Recorder) -> None:
    result = perform(chatty)
    assert len(display.lines) == 2
    assert display.lines[0].startswith("working with ")
    assert display.lines[1].startswith("vvv GET /x ")
    for secret in (KEY, "fresh-token"):
        assert secret not in repr(result)
        assert secret not in repr(display.lines)


def test_no_log_silences_lines(display: Recorder) -> None:
    perform(chatty, no_log=True)
    assert display.lines == []


def test_an_error_of_ours(display: Recorder) -> None:
    def run(call: Call) -> dict[str, t.Any]:
        call.changed = True
        raise _errors.NotFound(f"no {KEY}", attempt="find it", status=404, remedy="Look.")

    result = perform(run)
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["msg"].startswith("Failed to find it: no ")
    assert result["failure"]["kind"] == "not_found"
    assert "exception" not in result
    assert KEY not in repr(result)


def test_an_unexpected_error_shows_no_secret(display: Recorder) -> None:
    def run(call: Call) -> dict[str, t.Any]:
        key = call.params["ibmcloud_api_key"]
        raise RuntimeError(f"cannot parse {key}")

    result = perform(run)
    assert (result["failed"], result["changed"]) == (True, False)
    assert "Unexpected RuntimeError: cannot parse" in result["msg"]
    assert "report it" in result["msg"]
    assert "Traceback" in result["exception"]
    assert KEY not in repr(result)


def test_a_missing_library(display: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_libraries._MISSING, "requests", "Traceback: none")
    result = perform(lambda call: 1 / 0)  # type: ignore[arg-type, return-value]
    assert "pip install requests" in result["msg"]
    assert result["failure"]["kind"] == "library_missing"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ibmcloud_api_key", "k", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        ("ibmcloud_api_key", None, None),
        ("ibmcloud_api_key", "", ""),
        ("name", "n", "n"),
        ("unheard_of", "n", "n"),
    ],
)
def test_parameters_as_results_show_them(name: str, value: t.Any, expected: t.Any) -> None:
    assert shown(SPEC, name, value) == expected


def test_every_module_has_an_action_of_its_name() -> None:
    """Routing an action to a module of another name costs a fresh import of requests in every worker."""
    names = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"__init__"}
    assert names == {path.stem for path in (ROOT / "plugins" / "action").glob("*.py")} - {"__init__"}
    for name in names:
        action = importlib.import_module(f"ansible_collections.mirrorops.event_streams.plugins.action.{name}")
        module = importlib.import_module(f"ansible_collections.mirrorops.event_streams.plugins.modules.{name}")
        assert action.ActionModule.module is module
        assert issubclass(action.ActionModule, InProcessAction)


def test_the_guard_has_nothing_to_watch_without_a_parent() -> None:
    guard = ParentGuard()
    guard._parent = None
    with guard:
        guard.check()


def guarded(pipe: t.Any, armed: bool) -> None:
    """In the worker: says who it is, and once its parent is gone, whether the guard noticed."""
    guard = ParentGuard()
    guard.check()
    if armed:
        guard.__enter__()
    pipe.send(os.getpid())
    while os.getppid() == guard._parent:
        signal.sigtimedwait([], 0.02)
    try:
        guard.check()
        pipe.send("went on")
    except _errors.Abandoned:
        pipe.send("abandoned")


def parent(pipe: t.Any, armed: bool) -> None:
    """In between: starts the worker and waits to be killed."""
    FORK.Process(target=guarded, args=(pipe, armed)).start()
    signal.pause()


@pytest.mark.parametrize("armed", [False, True])
def test_a_worker_ends_with_its_parent(armed: bool) -> None:
    here, there = FORK.Pipe()
    middle = FORK.Process(target=parent, args=(there, armed), daemon=False)
    middle.start()
    there.close()
    worker = 0
    try:
        assert here.poll(LONG)
        worker = here.recv()
        assert middle.pid
        os.kill(middle.pid, signal.SIGKILL)
        middle.join(LONG)
        assert here.poll(LONG), "the worker lives on and is silent"
        if armed:
            with pytest.raises(EOFError):
                pytest.fail(f"the worker was not killed: {here.recv()}")
        else:
            assert here.recv() == "abandoned"
    finally:
        if middle.is_alive():
            middle.kill()
        if worker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


def disarmed(pipe: t.Any) -> None:
    with ParentGuard():
        pass
    guarded(pipe, False)


def parent_of_disarmed(pipe: t.Any) -> None:
    FORK.Process(target=disarmed, args=(pipe,)).start()
    signal.pause()


def test_the_signal_is_taken_back_after_the_task() -> None:
    """A worker may go on with Ansible's own business then."""
    here, there = FORK.Pipe()
    middle = FORK.Process(target=parent_of_disarmed, args=(there,), daemon=False)
    middle.start()
    there.close()
    assert here.poll(LONG)
    worker = here.recv()
    assert middle.pid
    os.kill(middle.pid, signal.SIGKILL)
    middle.join(LONG)
    assert here.poll(LONG)
    assert here.recv() == "abandoned"
    assert worker != middle.pid


@pytest.mark.parametrize(
    ("secret", "result", "free"),
    [
        ("abc-123", {"a": ["x", {"b": "nothing"}]}, True),
        ("abc-123", {"a": [{"b": "with abc-123 inside"}]}, False),
        ("abc-123", {"abc-123": 1}, False),
        ("it's", {"a": "nothing"}, False),
        ("\u00e4\\", {"a": "nothing"}, False),
    ],
)
def test_a_quick_look_for_secrets_never_misses_one(secret: str, result: dict[str, t.Any], free: bool) -> None:
    """What it is not sure of is taken apart."""
    assert _action.is_free_of({secret}, result) is free


def test_only_arguments_that_are_not_at_their_defaults_are_told(display: Recorder) -> None:
    result = perform(nothing, {"name": "n", "wait_timeout": 5})
    told = result["invocation"]["module_args"]
    assert told == {"name": "n", "ibmcloud_api_key": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}


@pytest.mark.parametrize(("verbosity", "told"), [(0, False), (2, False), (3, True)])
def test_the_arguments_of_a_roles_task_are_told_from_vvv_on(verbosity: int, told: bool, display: Recorder) -> None:
    display.verbosity = verbosity
    variables = {"mirroring_source": "a", "mirroring_target": "b"}
    result = make_action(nothing, {"role": "setup", "ibmcloud_api_key": KEY}).run(None, variables)
    assert ("invocation" in result) is told
    assert "invocation" in perform(nothing)


def test_what_is_wrong_with_a_roles_variable_is_told_by_its_name(display: Recorder) -> None:
    variables = {"mirroring_source": "a", "mirroring_target": "b", "mirroring_wait_timeout": "soon"}
    result = make_action(nothing, {"role": "setup", "ibmcloud_api_key": KEY}).run(None, variables)
    assert result["failed"]
    assert "wait_timeout is given by mirroring_wait_timeout" in result["msg"]
