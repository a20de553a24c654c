# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory's options, checked before anything is sent. Pure, but for the environment that stands in for missing options.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import looks_like_crn, parse_crn
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._identity import OWN, completed
from ansible_collections.mirrorops.event_streams.plugins.module_utils._query import Query
from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import (
    AUTH,
    CLOUD,
    ArgSpec,
    Options,
    first_set,
)

IDENTITY = tuple(AUTH.options)
SECRETS = tuple(name for name, option in AUTH.options.items() if option.get("no_log"))

DEFAULT_ACCOUNT = "default"
REMEDY = "See ansible-doc -t inventory mirrorops.event_streams.instances."
STATES = ["active", "inactive", "failed", "provisioning", "pre_provisioning"]
SERVER_FILTERS = ("name", "guid", "resource_group_id", "resource_plan_id", "state")
"""What the Resource Controller can filter by (API §3.3); a region is not among them."""

_TEXT: dict[str, t.Any] = {"type": "str"}
_ACCOUNT: Options = {
    "name": {"type": "str", "required": True},
    **{
        name: {part: value for part, value in option.items() if part != "fallback"}
        for name, option in AUTH.options.items()
    },
}
_PAIR: Options = {
    **{name: {"type": "str", "required": True} for name in ("name", "source", "target")},
    "vars": {"type": "raw"},
}
_FILTERS: Options = {**dict.fromkeys((*SERVER_FILTERS, "region"), _TEXT), "state": {"type": "str", "choices": STATES}}
SPEC = ArgSpec(
    {
        "accounts": {"type": "list", "elements": "dict", "options": _ACCOUNT},
        "search_endpoint": {"type": "str", "fallback": (first_set, ["IBMCLOUD_GS_API_ENDPOINT"])},
        "admin_domains": {"type": "list", "elements": "str", "default": []},
        "strict_permissions": {"type": "bool", "default": True},
        "mode": {"type": "str", "choices": ["instances", "pairs"], "default": "instances"},
        "pairs_from": {"type": "str", "choices": ["declared", "tags", "observed"], "default": "declared"},
        "pairs": {"type": "list", "elements": "dict", "options": _PAIR},
        "tag_prefix": {"type": "str", "default": "mirroring"},
        "filters": {"type": "dict", "options": _FILTERS},
        "query": {"type": "str"},
        "hostname": {"type": "str", "choices": ["name", "guid"], "default": "name"},
        "vars_prefix": {"type": "str", "default": "event_streams_"},
    }
).merge(CLOUD)


class Declared(t.NamedTuple):
    """A pair as the user declares it."""

    name: str
    source: str
    target: str
    variables: dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class FleetOptions:
    """Everything that decides what the inventory looks like. ``params`` is what the clients look at, without credentials."""

    params: dict[str, t.Any]
    credentials: dict[str, dict[str, str | None]]
    strict_permissions: bool
    source: t.Literal["instances", "declared", "tags", "observed"]
    declared: tuple[Declared, ...]
    tag_prefix: str
    filters: dict[str, str]
    query: str | None
    hostname: t.Literal["name", "guid"]
    prefix: str

    def inputs(self) -> dict[str, t.Any]:
        """What must be the same for earlier findings to be used again, as plain data without any secret."""
        return {
            "accounts": [
                [name, *(value for option, value in identity.items() if option not in SECRETS)]
                for name, identity in self.credentials.items()
            ],
            "endpoints": [
                self.params[name]
                for name in ("iam_endpoint", "metadata_endpoint", "resource_controller_endpoint", "search_endpoint")
            ],
            "visibility": [self.params["visibility"], self.params["endpoint_region"]],
            "strict_permissions": self.strict_permissions,
            "source": self.source,
            "declared": [[one.name, one.source, one.target] for one in self.declared],
            "tag_prefix": self.tag_prefix,
            "filters": dict(self.filters),
            "query": self.query,
        }


def read_options(given: dict[str, t.Any], secrets: set[str]) -> FleetOptions:
    """Checks options as a file gives them, templates resolved. Adds what must never be shown to ``secrets``. Raises InvalidInput."""
    given = {name: _without_nulls(value) for name, value in given.items() if value is not None}
    secrets.update(secrets_in(given))
    try:
        checked = ArgumentSpecValidator(SPEC.options, **SPEC.rules()).validate(
            {**completed(given, SPEC.options, os.environ), **given}
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"an option has a value that cannot be converted: {error}", remedy=REMEDY) from None
    secrets.update(secret for secret in checked._no_log_values if secret.strip())
    if checked.error_messages:
        told = [
            f"there is no option {error.msg}" if isinstance(error, UnsupportedError) else error.msg
            for error in checked.errors.errors
        ]
        raise InvalidInput("; ".join(told), remedy=REMEDY)
    options = checked.validated_parameters
    filters = {name: value.strip() for name, value in (options["filters"] or {}).items() if value is not None}
    empty = sorted(name for name, value in filters.items() if not value)
    if empty:
        raise InvalidInput(
            f"filters has empty values: {', '.join(empty)}", remedy="Leave out what is not to be filtered by."
        )
    if "guid" in filters:
        filters["guid"] = filters["guid"].lower()
    if options["query"] is not None:
        Query(options["query"])
    return FleetOptions(
        params={
            name: options[name] for name in (*CLOUD.options, "search_endpoint", "admin_domains") if name not in IDENTITY
        },
        credentials=_credentials(options, given),
        strict_permissions=options["strict_permissions"],
        source=options["pairs_from"] if options["mode"] == "pairs" else "instances",
        declared=_declared(options, given),
        tag_prefix=_tag_prefix(options["tag_prefix"]),
        filters=filters,
        query=options["query"],
        hostname=options["hostname"],
        prefix=_prefix(options["vars_prefix"]),
    )


def _without_nulls(value: t.Any) -> t.Any:
    """An option's value without members that are null, which is as good as leaving them out."""
    if isinstance(value, dict):
        return {name: entry for name, entry in value.items() if entry is not None}
    return [_without_nulls(entry) for entry in value] if isinstance(value, list) else value


def secrets_in(value: t.Any) -> t.Iterator[str]:
    """Credentials in options of whatever shape, also where they do not belong."""
    if isinstance(value, dict):
        for name, entry in value.items():
            if name in SECRETS and isinstance(entry, str) and entry.strip():
                yield str(entry)
            else:
                yield from secrets_in(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from secrets_in(entry)


def _credentials(options: dict[str, t.Any], given: dict[str, t.Any]) -> dict[str, dict[str, str | None]]:
    """Who one is, by the account's name. Given accounts never fall back to the environment's key: that may be of another account."""
    accounts = options["accounts"]
    if accounts is None:
        return {DEFAULT_ACCOUNT: {name: options[name] for name in IDENTITY}}
    if not accounts:
        raise InvalidInput(
            "accounts is empty", remedy="List at least one account, or leave out accounts and export IC_API_KEY."
        )
    twice = sorted(name for name in IDENTITY if name in given)
    if twice:
        raise InvalidInput(
            f"accounts and {twice[0]} are both given", remedy=f"Move {twice[0]} into an entry of accounts."
        )
    found: dict[str, dict[str, str | None]] = {}
    for number, account in enumerate(accounts, 1):
        name = _named(account["name"], f"the name of account {number}")
        if name in found:
            raise InvalidInput(f"two accounts are named {name!r}", remedy="Give each account a name of its own.")
        chosen = [option for option in OWN.bases if (account[option] or "").strip()]
        if len(chosen) != 1:
            told = f"both {' and '.join(chosen[:2])}" if chosen else f"none of {', '.join(OWN.bases)}"
            raise InvalidInput(
                f"account {name!r} has {told}", remedy="Give each account exactly one of them; is a template empty?"
            )
        found[name] = {
            option: account[option] if option in chosen or option not in OWN.bases else None for option in IDENTITY
        }
    return found


def _declared(options: dict[str, t.Any], given: dict[str, t.Any]) -> tuple[Declared, ...]:
    wanted = options["mode"] == "pairs" and options["pairs_from"] == "declared"
    pairs = options["pairs"]
    if options["mode"] != "pairs" and "pairs_from" in given:
        raise InvalidInput(
            "pairs_from is given without mode: pairs", remedy="Add mode: pairs, or leave out pairs_from."
        )
    if not wanted and pairs is not None:
        raise InvalidInput(
            "pairs is used with mode: pairs and pairs_from: declared only", remedy="Leave out pairs, or set these."
        )
    if wanted and not pairs:
        raise InvalidInput(
            "no pairs are declared", remedy="List them in pairs, each with name, source and target; or set pairs_from."
        )
    found: dict[str, Declared] = {}
    for number, pair in enumerate(pairs or (), 1):
        name = _named(pair["name"], f"the name of pair {number}")
        if name in found:
            raise InvalidInput(f"two pairs are named {name!r}", remedy="Give each pair a name of its own.")
        sides = [_named(pair[side], f"{side} of pair {name!r}") for side in ("source", "target")]
        for side, text in zip(("source", "target"), sides, strict=True):
            if looks_like_crn(text):
                parse_crn(text, f"{side} of pair {name!r}")
        if sides[0] == sides[1]:
            raise InvalidInput(
                f"source and target of pair {name!r} are both {sides[0]!r}", remedy="Give two different instances."
            )
        variables = _variables(_raw(given["pairs"], number - 1).get("vars"), name, options["vars_prefix"])
        found[name] = Declared(name, sides[0], sides[1], variables)
    return tuple(found.values())


def _raw(pairs: t.Any, index: int) -> dict[str, t.Any]:
    """A pair as it was given: the check copies values, and copies need not be templates any more."""
    given = pairs[index] if isinstance(pairs, list) else None
    return given if isinstance(given, dict) else {}


def _variables(variables: t.Any, pair: str, prefix: str) -> dict[str, t.Any]:
    """Further variables of a pair, as they were given, so that templates in them stay what they are."""
    if variables is None:
        return {}
    if not isinstance(variables, dict):
        raise InvalidInput(
            f"vars of pair {pair!r} is not a dictionary", remedy="Give names and values, such as mirroring_topics."
        )
    for name in variables:
        if not isinstance(name, str) or not name.isidentifier():
            raise InvalidInput(f"vars of pair {pair!r} has {name!r}, which is no name of a variable", remedy=REMEDY)
        if name in ("mirroring_source", "mirroring_target") or (prefix and name.startswith(prefix)):
            raise InvalidInput(
                f"vars of pair {pair!r} has {name}, which the inventory sets itself",
                remedy="Give the instances as source and target of the pair, and other variables other names.",
            )
    return dict(variables)


def _named(text: str | None, what: str) -> str:
    if not text or not text.strip():
        raise InvalidInput(f"{what} is empty", remedy="Give it a value; is a template empty?")
    return str(text.strip())


def _tag_prefix(prefix: str) -> str:
    return _named(prefix, "tag_prefix").rstrip(":")


def _prefix(prefix: str) -> str:
    if not f"{prefix}x".isidentifier():
        raise InvalidInput(
            f"vars_prefix {prefix!r} cannot begin the name of a variable", remedy="Use letters, digits and underscores."
        )
    return prefix
