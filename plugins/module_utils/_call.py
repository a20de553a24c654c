# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module's run() receives, and the module-side main(). Private to this collection: it may change at any time.

A module is a spec and a function ``run(call) -> result``. The function neither knows nor cares whether it runs as an
ordinary module (``run_as_module`` below) or inside the controller's worker (``plugin_utils/_action.py``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import (
    Defect,
    InvalidInput,
    MirrorOpsError,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._libraries import require_requests
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ArgSpec
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time

Result = dict[str, t.Any]


class Clock(t.Protocol):
    """Time as this collection sees it, so that tests can bring their own."""

    def monotonic(self) -> float:
        """Seconds that never step back; for deadlines and token lifetimes."""

    def time(self) -> float:
        """Seconds since the epoch; only to compare with times that a service wrote."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


class SystemClock:
    """The machine's own time. Its monotonic clock is the same in all processes of a machine."""

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


class Token(t.NamedTuple):
    """A bearer token; times on the monotonic clock, in seconds."""

    value: str
    refresh_at: float
    expires_at: float


class TokenStore(t.Protocol):
    """Where tokens live between the requests (and, in process, between the tasks) of a run."""

    def get(self, key: str) -> Token | None:
        """The token under a key's digest, if there is one."""

    def put(self, key: str, token: Token) -> None:
        """Remembers a token."""

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Held while a token is fetched, so that one process asks and the others wait, at most so many seconds."""


class PrivateTokenStore:
    """Tokens of one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def get(self, key: str) -> Token | None:
        """The token under a key's digest, if there is one."""
        return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        """Remembers a token."""
        self._tokens[key] = token

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Nothing to hold: there is nobody else."""
        return contextlib.nullcontext()


class Read(t.NamedTuple):
    """The answer to a read; when it was asked for, in seconds on the monotonic clock, and in which generation. ``headers`` are those
    that tell whether a list goes on."""

    generation: int
    at: float
    status: int
    headers: dict[str, str]
    body: t.Any
    transaction_id: str | None


class ReadStore(t.Protocol):
    """Answers that a later task of the same run may use again. Whatever is written begins a new generation, in which no earlier read
    counts."""

    def generation(self) -> int:
        """The present generation."""

    def get(self, key: str) -> Read | None:
        """The read under a digest of who asked what, if there is one, of whatever age and generation."""

    def put(self, key: str, read: Read) -> None:
        """Remembers a read."""

    def outdate(self) -> None:
        """Begins a new generation, because something was written or has changed by itself."""

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Held while something is read, so that one process asks and the others wait, at most so many seconds."""


class PrivateReadStore:
    """Reads of one process."""

    def __init__(self) -> None:
        self._generation = 0
        self._reads: dict[str, Read] = {}

    def generation(self) -> int:
        """The present generation."""
        return self._generation

    def get(self, key: str) -> Read | None:
        """The read under a digest of who asked what, if there is one."""
        return self._reads.get(key)

    def put(self, key: str, read: Read) -> None:
        """Remembers a read."""
        self._reads[key] = read

    def outdate(self) -> None:
        """Begins a new generation."""
        self._generation += 1

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Nothing to hold: there is nobody else."""
        return contextlib.nullcontext()


class Write(t.NamedTuple):
    """A request that was to write something: when, in seconds since the epoch, and the status of the answer, None if there was none. Its
    transaction id is the one that the answer shows, else the one that was sent."""

    at: float
    method: str
    path: str
    status: int | None
    transaction_id: str | None


def _nothing(*args: t.Any) -> None:
    return None


@dataclasses.dataclass
class Call:
    """One task: validated parameters and the ways to the outside.

    ``progress`` shows a line while a task runs (in process only), ``trace`` one line per HTTP request (``-vvv``),
    ``check_wanted`` raises Abandoned when nobody waits for the result any more, ``secrets`` collects values that must
    not be shown besides the parameters that are marked as secret. ``changed`` becomes true with the first write that was, or may
    have been, accepted, so that a failure afterwards tells the truth. ``writes`` are the requests that were to write something.
    """

    params: dict[str, t.Any]
    check_mode: bool = False
    clock: Clock = dataclasses.field(default_factory=SystemClock)
    tokens: TokenStore = dataclasses.field(default_factory=PrivateTokenStore)
    reads: ReadStore = dataclasses.field(default_factory=PrivateReadStore)
    progress: t.Callable[[str], None] = _nothing
    warn: t.Callable[[str], None] = _nothing
    trace: t.Callable[[str], None] = _nothing
    check_wanted: t.Callable[[], None] = _nothing
    secrets: set[str] = dataclasses.field(default_factory=set)
    changed: bool = False
    writes: list[Write] = dataclasses.field(default_factory=list)
    started_at: float = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.clock.time()

    def evidence(self) -> Result:
        """What the task did, for records: times of day, and what was sent with which transaction ids."""
        writes = [{**one._asdict(), "at": format_time(one.at)} for one in self.writes]
        return {
            "started_at": format_time(self.started_at),
            "ended_at": format_time(self.clock.time()),
            "writes": writes,
        }


Run = t.Callable[[Call], Result]


def carry_out(run: Run, call: Call) -> Result:
    """Runs a module's body. Raises MirrorOpsError and nothing else: what nobody foresaw becomes a Defect, because the text of an
    unhandled exception could hold the key. This is the one broad except of the collection."""
    try:
        require_requests()
        check_texts(call.params)
        return _without_equal_halves(run(call))
    except MirrorOpsError as error:
        if not isinstance(error, InvalidInput):
            error.instance = error.instance or subject(call.params)
        raise
    except Exception as error:  # pylint: disable=broad-exception-caught
        raise Defect(
            f"Unexpected {type(error).__name__}: {error}",
            instance=subject(call.params),
            details={"traceback": traceback.format_exc()},
        ) from error


def _without_equal_halves(result: Result) -> Result:
    """A diff that shows nothing is empty: results of a fleet are kept for each pair."""
    diff = result.get("diff")
    return {**result, "diff": {"before": {}, "after": {}}} if diff and diff["before"] == diff["after"] else result


def check_texts(params: dict[str, t.Any]) -> None:
    """Raises InvalidInput for text that is no Unicode (half of a surrogate pair), because no request can carry it."""
    for name, value in params.items():
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{name} has characters that are no Unicode", remedy="Is its file, or the terminal, really in UTF-8?"
            ) from error


def subject(params: dict[str, t.Any]) -> str | None:
    """What a task is about, for errors that come from elsewhere than an instance; None if its options do not say."""
    named = params.get("target") or params.get("instance")
    asks, asked = params.get("source_service_instance_id"), params.get("target_service_instance_id")
    if not named and asks and asked:
        return f"{asks} reading {asked}"
    return named


def run_as_module(spec: ArgSpec, run: Run) -> t.NoReturn:
    """The body of every module's main(): validates, runs, and leaves through the one exit of Ansible's modules."""
    module = AnsibleModule(argument_spec=spec.options, supports_check_mode=True, **spec.rules())
    requests_made: list[str] = []
    call = Call(
        params=module.params,
        check_mode=module.check_mode,
        warn=module.warn,
        trace=requests_made.append,
        secrets=module.no_log_values,
    )
    verbose: Result = {"http_trace": requests_made} if module._verbosity >= 3 else {}
    try:
        result = carry_out(run, call)
    except MirrorOpsError as error:
        module.fail_json(**failed(error, call), **verbose)
    module.exit_json(**result, **verbose)


def failed(error: MirrorOpsError, call: Call) -> Result:
    """The result of a task that failed."""
    result: Result = {
        "changed": call.changed,
        "msg": error.message,
        "failure": error.failure(),
        "evidence": call.evidence(),
    }
    trace = result["failure"].pop("traceback", None)
    return {**result, "exception": trace} if trace else result
