# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's run(call) inside the controller's worker, or hands the task over to the ordinary module.

Private to this collection: it may change at any time. In process when the connection is local, without become and async.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import re
import signal
import sys
import types
import typing as t

import ansible.template
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import (
    Call,
    Result,
    carry_out,
    failed,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import (
    Abandoned,
    InvalidInput,
    MirrorOpsError,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import OWN, SOURCE, completed, has_base
from ansible_collections.mirrorops.event_streams.plugins.module_utils._secrets import SECRET_VARIABLES
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import ArgSpec
from ansible_collections.mirrorops.event_streams.plugins.module_utils._token import read_api_key
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._role import (
    beside_variables,
    called_in_role,
    identity_of_target,
    is_plain,
    missing,
    options_of_role,
    told_by_variables,
    wants_failback,
)
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._shared import SharedReadStore, SharedTokenStore

# From ansible-core 2.19 on, only texts that are trusted are templates.
trust_as_template: t.Callable[[str], str] = getattr(ansible.template, "trust_as_template", str)
display = Display()
OMIT_PLACEHOLDER = "__omit_place_holder__"
SECRET_OPTIONS = ("ibmcloud_api_key", "source_api_key")
OF_THE_MACHINE = ("endpoint_region", "metadata_endpoint")
"""What the environment says of the machine on which a task runs, so that of the controller means nothing elsewhere."""
PR_SET_PDEATHSIG = 1
_PLAIN = re.compile(r"[A-Za-z0-9._~+/=:@-]+")


class InProcessAction(ActionBase):
    """Base of all actions of this collection; a subclass only says which module it stands for."""

    module: t.ClassVar[types.ModuleType]
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Ansible's entry point."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if result.get("skipped"):
            return result
        spec: ArgSpec = self.module.SPEC
        arguments = self._arguments(spec, task_vars or {})
        refuse_placeholders(arguments)
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        if "role" in self._task.args and (reason := self._needless(arguments, task_vars or {})):
            return {**result, "skipped": True, "skip_reason": reason}
        with applied({str(name): str(value) for name, value in environment.items()}):
            arguments = self._identified(spec, arguments, task_vars or {})
            if self._in_process():
                result.update(self._run_here(spec, arguments, task_vars or {}))
            else:
                result.update(self._hand_over(spec, arguments, task_vars))
        return result

    def _arguments(self, spec: ArgSpec, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """What the task gives, and what the variables of its role do."""
        arguments = dict(self._task.args)
        role = arguments.pop("role", None) if "role" in spec.options else None
        if not role:
            return arguments
        side = str(arguments.pop("side", "target"))
        found = options_of_role(str(role), side, spec.options, task_vars, self._template(task_vars))
        given = {name for name, value in found.items() if value != ""} | arguments.keys()
        lacking = missing(str(role), side, spec.options, given)
        if lacking:
            raise AnsibleActionFail(
                f"The role {role} needs {' and '.join(lacking)}: set it to the CRN, the GUID or the unique name of the instance."
            )
        return {**found, **beside_variables(arguments, found)}

    def _identified(self, spec: ArgSpec, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """With who one is, as far as the task does not say: by the environment; in a role, for the source, else as for the target."""
        role, side = self._task.args.get("role"), self._task.args.get("side")
        if role and side == "source" and not has_base(os.environ) and not any(map(arguments.get, OWN.bases)):
            target = identity_of_target(str(role), spec.options, task_vars, self._template(task_vars))
            own = {option: arguments[option] for option in OWN if arguments.get(option)}
            arguments = {**arguments, **target, **own}
        machines = [arguments.get(one.compute_resource) for one in (OWN, SOURCE)]
        if role and "container" not in machines:
            # For other tasks of the role, out of module_defaults.
            arguments = {option: value for option, value in arguments.items() if option != "cr_token_file"}
        return {**completed(arguments, spec.options, os.environ), **arguments}

    def _template(self, task_vars: dict[str, t.Any]) -> t.Callable[[str, t.Any], t.Any]:
        """A way to make the value of a variable of what is written in it, as the role's YAML would with a reference to it."""
        omitted = task_vars.get("omit")

        def template(name: str, value: t.Any) -> t.Any:
            if not is_plain(value):
                value = self._templar.template({"value": trust_as_template(f"{{{{ {name} }}}}")}).get("value")
            return None if isinstance(value, str) and value == omitted else value

        return template

    def _needless(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> str:
        """Why a role's task has nothing to do; empty if it has. A selection that nobody asks for is left alone, and the authorization to
        fail back is made only if it is wanted."""
        options = self.module.SPEC.options
        if options.get("topics", {}).get("required") and "topics" not in arguments:
            return "No topics are asked for."
        if "source_service_instance_id" not in options or "source_service_instance_id" in self._task.args:
            return ""
        try:
            wanted = wants_failback(self._task.args["role"], task_vars, self._template(task_vars))
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        if self._task.args.get("side") == "target" and not wanted:
            return "The authorization to fail back is not asked for."
        return ""

    def _compute_environment_string(self, raw_environment_out: dict[str, t.Any] | None = None) -> str:
        """What Ansible puts before the command line of an ordinary module: without credentials, because everybody on that machine can
        read it. ``_hand_over`` passes them as arguments instead."""
        environment: dict[str, t.Any] = {}
        super()._compute_environment_string(environment)
        if raw_environment_out is not None:
            raw_environment_out.update(environment)
        visible = {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}
        return t.cast(str, self._connection._shell.env_prefix(**visible))

    def _in_process(self) -> bool:
        transport = str(getattr(self._connection, "transport", ""))
        return (
            transport in ("local", "ansible.builtin.local") and not self._connection.become and not self._task.async_val
        )

    def _hand_over(self, spec: ArgSpec, arguments: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> Result:
        """Runs the ordinary module elsewhere. The controller's environment does not reach it, so what options would take
        from there is passed as arguments."""
        for option, names in spec.environment_names().items():
            if option in OF_THE_MACHINE:
                continue
            value = next((os.environ[name] for name in names if os.environ.get(name)), None)
            if option not in arguments and value is not None:
                arguments[option] = value
        for option in SECRET_OPTIONS:
            if isinstance(arguments.get(option), str) and arguments[option].startswith("@"):
                try:
                    arguments[option] = read_api_key(arguments[option], option)
                except MirrorOpsError as error:
                    raise AnsibleActionFail(error.message) from error
        name = f"mirrorops.event_streams.{self.module.__name__.rpartition('.')[2]}"
        reads = SharedReadStore()
        if not self._task.check_mode:
            # It may write, and nobody here sees whether it does; of an asynchronous one, not even when.
            reads.outdate()
        answer = self._execute_module(
            module_name=name, module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
        )
        if not self._task.check_mode:
            if self._task.async_val:
                reads.give_up()
            reads.outdate()
        return t.cast(Result, answer)

    def _run_here(self, spec: ArgSpec, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> Result:
        try:
            checked = ArgumentSpecValidator(spec.options, **spec.rules()).validate(arguments)
        except (TypeError, ValueError, OverflowError) as error:
            given = {str(arguments.get(name)) for name, option in spec.options.items() if option.get("no_log")}
            raise AnsibleActionFail(
                remove_values(f"An option has a value that cannot be converted: {error}", given - {"None", ""})
            ) from None
        secrets: set[str] = {secret for secret in checked._no_log_values if secret.strip()}
        for warning in checked._warnings:
            display.warning(f"Both option {warning['option']} and its alias {warning['alias']} are set.")
        for deprecation in checked._deprecations:
            display.deprecated(
                deprecation.get("msg") or f"Alias {deprecation.get('name')} is deprecated.",
                version=deprecation.get("version"),
                date=deprecation.get("date"),
                collection_name=deprecation.get("collection_name"),
            )
        params = checked.validated_parameters
        warnings: list[str] = []
        guard = ParentGuard()
        call = Call(
            params=params,
            check_mode=bool(self._task.check_mode),
            tokens=SharedTokenStore(),
            reads=SharedReadStore(),
            progress=self._line(secrets, display.display),
            trace=self._line(secrets, display.vvv),
            warn=warnings.append,
            check_wanted=guard.check,
            secrets=secrets,
        )
        with guard:
            result = (
                {"failed": True, "msg": self._refusal(checked.error_messages, task_vars)}
                if checked.error_messages
                else self._call(call)
            )
        if warnings:
            result["warnings"] = warnings
        if "role" not in self._task.args or display.verbosity > 2:
            # What a role publishes is kept for each pair of a fleet, and Ansible shows this only from -vvv on.
            result["invocation"] = {"module_args": told_arguments(spec, params)}
        return result if is_free_of(secrets, result) else t.cast(Result, remove_values(result, secrets))

    def _refusal(self, errors: list[str], task_vars: dict[str, t.Any]) -> str:
        text = "; ".join(errors)
        role, side = self._task.args.get("role"), str(self._task.args.get("side", "target"))
        return told_by_variables(str(role), side, text, task_vars) if role else text

    def _call(self, call: Call) -> Result:
        try:
            return {"changed": False, **carry_out(self.module.run, call)}
        except MirrorOpsError as error:
            role, side = self._task.args.get("role"), str(self._task.args.get("side", "target"))
            if role and isinstance(error, InvalidInput):
                error.remedy = f"{error.remedy} {called_in_role(str(role), side, error.reason)}".strip()
            return {"failed": True, **failed(error, call)}

    def _line(self, secrets: set[str], show: t.Callable[[str], None]) -> t.Callable[[str], None]:
        """A way to show a line at once: without secrets, and not at all when the task says no_log."""

        def write(text: str) -> None:
            if not self._task.no_log:
                show(str(remove_values(text, secrets)))

        return write


class ParentGuard:
    """Ends this worker with its parent: nobody would see the result, and another run may already be at work.

    Where the platform can signal a parent's death it does; everywhere ``check()`` looks before each request and wait.
    """

    def __init__(self) -> None:
        parent = multiprocessing.parent_process()
        self._parent = None if parent is None else parent.pid
        if self._parent is not None and self._parent != os.getppid() and _exists(self._parent):
            # Not forked by its parent but by a helper of it: then that helper is what to watch.
            self._parent = os.getppid()

    def __enter__(self) -> None:
        self._signal(signal.SIGKILL)

    def __exit__(self, *exc: object) -> None:
        self._signal(0)

    def check(self) -> None:
        """Raises Abandoned when the parent has ended."""
        if self._parent is not None and os.getppid() != self._parent:
            raise Abandoned("the run that started this task has ended, so nothing more is sent")

    def _signal(self, number: int) -> None:
        if self._parent is not None and sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def applied(environment: dict[str, str]) -> t.Iterator[None]:
    """The task's ``environment:`` in this process, for as long as the block runs: fallbacks, proxies and CA bundles."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def is_free_of(secrets: t.Collection[str], result: Result) -> bool:
    """Whether a result certainly holds none of the secrets: a quick look that spares taking it apart. A secret with characters that
    are written differently inside a text is never certain."""
    text = repr(result)
    return all(_PLAIN.fullmatch(secret) and secret not in text for secret in secrets)


def told_arguments(spec: ArgSpec, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The parameters that are not at their defaults: results of a fleet are kept for each pair."""
    return {
        name: shown(spec, name, value)
        for name, value in params.items()
        if value not in (None, "") and value != spec.options.get(name, {}).get("default")
    }


def shown(spec: ArgSpec, name: str, value: t.Any) -> t.Any:
    """A parameter as results show it."""
    secret = spec.options.get(name, {}).get("no_log") and value
    return "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" if secret else value


def refuse_placeholders(arguments: t.Any, path: str = "") -> None:
    """Raises AnsibleActionFail where a nested omit was left standing as its placeholder text."""
    if isinstance(arguments, dict):
        for key, value in arguments.items():
            refuse_placeholders(value, f"{path}.{key}" if path else str(key))
    elif isinstance(arguments, (list, tuple)):
        for number, value in enumerate(arguments):
            refuse_placeholders(value, f"{path}[{number}]")
    elif isinstance(arguments, str) and OMIT_PLACEHOLDER in arguments:
        raise AnsibleActionFail(
            f"{path} contains an omit that cannot be left out there; leave out the whole option instead."
        )
