# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of a role to the options of its task. Private to this collection: it may change at any time.

A task that names its role takes the options that it does not give from ``<role>_<noun>``, else from the pair variable
``mirroring_<noun>``. In a role's own YAML that would be a template for each option, which Ansible compiles anew for each option, task
and host: most of what a run without changes costs, to find that nearly all of them are not set.
"""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import OWN as OWN_IDENTITY
from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import SOURCE as SOURCE_IDENTITY

Template = t.Callable[[str, t.Any], t.Any]

NOUNS = {
    **{
        noun: noun
        for noun in (
            "topics",
            "topic_name_transform",
            "group_id_transform",
            "schemas",
            "failback",
            "recreate",
            "force",
            "throughput",
            "wait",
            "wait_timeout",
            "poll_interval",
            "authorization_timeout",
            "settle_timeout",
            "topics_timeout",
            "max_age",
            "metric_names",
            "headroom_window",
            "max_lag",
            "wait_for_lag",
            "page",
            "mode",
            "confirm",
            "resume",
            "accept_unknown_loss",
            "remove_authorization",
        )
    },
    "folder": "records",
    "accepted_lag": "max_lag",
    "instance": "{side}",
    "target": "{side}",
    "source": "{other}",
    "target_alias": "{side}_alias",
    "source_alias": "{other}_alias",
    "ibmcloud_api_key": "{side}_api_key",
    "compute_resource": "{side}_compute_resource",
    "iam_profile": "{side}_iam_profile",
    "source_api_key": "{other}_api_key",
    "source_compute_resource": "{other}_compute_resource",
    "source_iam_profile": "{other}_iam_profile",
    "admin_url": "{side}_admin_url",
    "source_admin_url": "{other}_admin_url",
    "monitoring_instance": "{side}_monitoring_instance",
    "source_monitoring_instance": "{other}_monitoring_instance",
    "delete": "topics",
    "delete_matching": "matching",
}
"""The options that a role takes from variables, and what they are called there. No others are: a variable that happens to be called
mirroring_state is nobody's wish to disable mirroring. Of a pair that is turned round, the source is the one that mirrors: with it as the
side, everything is taken the other way round."""

OWN = frozenset(
    {
        "mode",
        "confirm",
        "resume",
        "accept_unknown_loss",
        "remove_authorization",
        "accepted_lag",
        "delete",
        "delete_matching",
    }
)
"""What only the role's own variable gives: what cannot be undone is nothing that a pair always wants."""

OF_SOURCE = (
    "source_api_key",
    "source_iam_token",
    "source_compute_resource",
    "source_iam_profile",
    "source_admin_url",
    "source_monitoring_instance",
)
"""What nobody looks at, and so is not worked out either, where the source is gone: it may be kept in a place that is gone with it."""

ONE_WAY = ("topic_name_transform", "group_id_transform", "schemas")
"""What variables say of a pair's own direction only: names that are changed on the way there are not to be changed likewise on the way
back."""

OTHER = {"source": "target", "target": "source"}

DEFAULTS: dict[str, t.Any] = {"max_age": 300, "wait": True, "folder": "~/mirroring-records"}
"""What holds in a role where the module itself has another default."""


def options_of_role(
    role: str,
    side: str,
    options: t.Container[str],
    variables: t.Mapping[str, t.Any],
    template: Template,
) -> dict[str, t.Any]:
    """The options of a module that a role's variables give; a variable that is null or omitted counts as not set.

    ``side`` is whose identity the module's own is, and which instance is its target; for an authorization, which one is read.
    ``template(name, value)`` makes the value of a variable of what is written in it, None if that is omitted.
    """
    found: dict[str, t.Any] = {}
    gone = _given(role, side, "mode", variables, template)[1] == "unplanned"
    for option in NOUNS:
        if option not in options or (option in ONE_WAY and side == "source") or (option in OF_SOURCE and gone):
            continue
        _name, value = _given(role, side, option, variables, template)
        if value is not None:
            found[option] = value
        elif option in DEFAULTS:
            found[option] = DEFAULTS[option]
    if gone:
        # What is nothing is not looked for in the environment either, which has no machine.
        found |= {
            option: "" for option in OF_SOURCE if option in options and option != SOURCE_IDENTITY.compute_resource
        }
    return {
        **_of_earlier_roles(options, variables, found.get("source"), found.get("target")),
        **_of_instances(role, side, options, variables),
        **found,
    }


def identity_of_target(
    role: str, options: t.Container[str], variables: t.Mapping[str, t.Any], template: Template
) -> dict[str, t.Any]:
    """The options of who one is, as the variables of the target's side give them."""
    wanted = [option for option in OWN_IDENTITY if option in options and option in NOUNS]
    found = {option: _given(role, "target", option, variables, template)[1] for option in wanted}
    return {option: value for option, value in found.items() if value is not None}


def beside_variables(arguments: t.Mapping[str, t.Any], found: t.Container[str]) -> dict[str, t.Any]:
    """The arguments of a role's task without what its variables say of who one is. No role writes that into a task, so it comes out of
    ``module_defaults``, which hold for more than one pair; and identities are never mixed."""
    beaten: set[str] = set()
    for side in (OWN_IDENTITY, SOURCE_IDENTITY):
        beaten |= {option for option in side if option in found}
        beaten |= set(side) if any(option in found for option in side.bases) else set()
    return {option: value for option, value in arguments.items() if option not in beaten}


def called_in_role(role: str, side: str, text: str) -> str:
    """What an option of an identity, with which a message begins, is called in a role; empty if it begins otherwise."""
    option = text.partition(" ")[0]
    if option not in (*OWN_IDENTITY, *SOURCE_IDENTITY) or option not in NOUNS:
        return ""
    own, of_pair = _names(role, side, option)
    return f"Here {option} is {of_pair} (or {own})."


def missing(role: str, side: str, options: t.Container[str], given: t.Container[str]) -> list[str]:
    """The variables, as ``<of the pair> (or <own>)``, of which a role needs one to know its instances, and neither is set."""
    needed = [option for option in ("source", "target", "instance") if option in options and option not in given]
    names = [_names(role, side, option) for option in needed]
    return [f"{of_pair} (or {own})" for own, of_pair in names]


def wants_failback(role: str, variables: t.Mapping[str, t.Any], template: Template) -> bool:
    """Whether the authorization to fail back is wanted. Raises ValueError for a value that means neither yes nor no."""
    name, value = _given(role, "source", "failback", variables, template)
    try:
        return bool(boolean(value)) if value is not None else False
    except TypeError:
        raise ValueError(f"{name} is {value!r}: set it to true or false.") from None


def told_by_variables(role: str, side: str, text: str, variables: t.Mapping[str, t.Any]) -> str:
    """What is wrong with options, with the variables that gave them, because whoever uses a role knows only those."""
    named = re.findall(r"argument '(\w+)'|value of (\w+) must|option '(\w+)'", text)
    options = dict.fromkeys(filter(None, (name for names in named for name in names)))
    given = {
        option: next((name for name in _names(role, side, option) if variables.get(name) is not None), None)
        for option in options
        if option in NOUNS
    }
    told = [f"{option} is given by {name}" for option, name in given.items() if name]
    return f"{text}. Here {', '.join(told)}." if told else text


def _given(
    role: str, side: str, option: str, variables: t.Mapping[str, t.Any], template: Template
) -> tuple[str, t.Any]:
    """The variable that gives an option, and its value; None if none does."""
    names = _names(role, side, option)
    values = ((name, template(name, variables[name])) for name in names if name in variables)
    return next((one for one in values if one[1] is not None), (names[-1], None))


def _names(role: str, side: str, option: str) -> tuple[str, ...]:
    """The variables that can give an option of a role's task; the first goes before."""
    called = NOUNS[option].format(side=side, other=OTHER[side])
    own = f"{role}_{called}"
    return (own,) if option in OWN else (own, f"mirroring_{called}")


def is_plain(value: t.Any) -> bool:
    """Whether a value means just what is written: no template, no vault, and no text that some versions of Ansible read as a list."""
    if value is None or isinstance(value, (bool, int, float)):
        return True
    if isinstance(value, str):
        return not any(mark in value for mark in ("{{", "{%", "{#")) and not value.lstrip().startswith(("[", "{"))
    return isinstance(value, list) and all(map(is_plain, value))


def _of_earlier_roles(
    options: t.Container[str], variables: t.Mapping[str, t.Any], source: t.Any, target: t.Any
) -> dict[str, t.Any]:
    """The options that tell what earlier roles of the run did, if it was for this very pair: how old the authorization is, what check
    mode would have changed, and whether an update is under way that nobody waits for."""
    bound, enabled = (_for_pair(variables.get(f"{role}_result"), source, target) for role in ("bindings", "enable"))
    found: dict[str, t.Any] = {}
    if "authorized_at" in options and bound.get("authorized_at"):
        found["authorized_at"] = bound["authorized_at"]
    if "assume_changes" in options:
        changed = enabled.get("changed") or enabled.get("waiting") or bound.get("changed")
        found |= {"assume_changes": bool(changed), "update_pending": bool(enabled.get("waiting"))}
    return found


def _of_instances(
    role: str, side: str, options: t.Container[str], variables: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """The options of an authorization to read the instance of ``side``, from both instances as the role has found them. IAM's source is
    who asks for access, so here the other side (API §2.1)."""
    if "source_service_instance_id" not in options:
        return {}
    found = {one: variables.get(f"__{role}_{one}", {}).get("instances") for one in ("source", "target")}
    if not all(found.values()):
        return {}
    asked, asking = found[side][0], found["target" if side == "source" else "source"][0]
    return {
        "account_id": asked["account_id"],
        "source_service_account": asking["account_id"],
        "source_service_instance_id": asking["guid"],
        "source_resource_group_id": asking["resource_group_id"],
        "target_service_instance_id": asked["guid"],
        "target_resource_group_id": asked["resource_group_id"],
    }


def _for_pair(result: t.Any, source: t.Any, target: t.Any) -> t.Mapping[str, t.Any]:
    """A role's result, empty if it is about another pair."""
    same = isinstance(result, dict) and result.get("requested") == {"source": source, "target": target}
    return result if same else {}
