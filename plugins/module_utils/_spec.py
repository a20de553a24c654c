# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument spec objects and the option groups that modules share. Private to this collection: it may change at any time."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.errors import AnsibleFallbackNotFound

Options = dict[str, dict[str, t.Any]]


class ArgSpec:
    """Options together with the rules between them; specs are merged, never copied by hand."""

    def __init__(
        self,
        options: Options,
        *,
        required_if: t.Sequence[tuple[str, t.Any, tuple[str, ...]]] = (),
        required_one_of: t.Sequence[tuple[str, ...]] = (),
        mutually_exclusive: t.Sequence[tuple[str, ...]] = (),
        required_together: t.Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.options = options
        self.required_if = list(required_if)
        self.required_one_of = list(required_one_of)
        self.mutually_exclusive = list(mutually_exclusive)
        self.required_together = list(required_together)

    def merge(self, *others: ArgSpec) -> ArgSpec:
        """A new spec with the options and rules of all; an option may be defined once only."""
        merged = ArgSpec(
            dict(self.options),
            required_if=self.required_if,
            required_one_of=self.required_one_of,
            mutually_exclusive=self.mutually_exclusive,
            required_together=self.required_together,
        )
        for other in others:
            twice = sorted(set(merged.options) & set(other.options))
            if twice:
                raise ValueError(f"options defined twice: {', '.join(twice)}")
            merged.options.update(other.options)
            merged.required_if += other.required_if
            merged.required_one_of += other.required_one_of
            merged.mutually_exclusive += other.mutually_exclusive
            merged.required_together += other.required_together
        return merged

    def rules(self) -> dict[str, t.Any]:
        """The rules as keyword arguments of AnsibleModule and of ArgumentSpecValidator alike."""
        return {
            "required_if": self.required_if,
            "required_one_of": self.required_one_of,
            "mutually_exclusive": self.mutually_exclusive,
            "required_together": self.required_together,
        }

    def environment_names(self) -> dict[str, tuple[str, ...]]:
        """The environment variables that each option falls back to, by option."""
        return {
            name: tuple(definition["fallback"][1])
            for name, definition in self.options.items()
            if "fallback" in definition
        }


def first_set(*names: str) -> str:
    """The first of the environment variables that is set and not empty; a fallback strategy for argument specs."""
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return value
    raise AnsibleFallbackNotFound


def _from_environment(*names: str) -> tuple[t.Callable[..., str], list[str]]:
    return (first_set, list(names))


API_KEY = ("IC_API_KEY", "IBMCLOUD_API_KEY")
IAM_TOKEN = ("IC_IAM_TOKEN", "IBMCLOUD_IAM_TOKEN")
PROFILE = ("IC_IAM_PROFILE_ID", "IBMCLOUD_IAM_PROFILE_ID", "IC_IAM_PROFILE_NAME", "IBMCLOUD_IAM_PROFILE_NAME")
_COMPUTE_RESOURCE = {"type": "str", "choices": ["container", "vpc"]}

AUTH = ArgSpec(
    {
        "ibmcloud_api_key": {"type": "str", "no_log": True, "fallback": _from_environment(*API_KEY)},
        "iam_token": {"type": "str", "no_log": True, "fallback": _from_environment(*IAM_TOKEN)},
        "compute_resource": _COMPUTE_RESOURCE,
        "cr_token_file": {"type": "path"},
        "iam_profile": {"type": "str", "fallback": _from_environment(*PROFILE)},
    }
)
"""Whose rights are used (API §1.4, §1.7)."""

SOURCE_AUTH = ArgSpec(
    {
        "source_api_key": {"type": "str", "no_log": True, "fallback": _from_environment(*API_KEY)},
        "source_iam_token": {"type": "str", "no_log": True, "fallback": _from_environment(*IAM_TOKEN)},
        "source_compute_resource": _COMPUTE_RESOURCE,
        "source_iam_profile": {"type": "str", "fallback": _from_environment(*PROFILE)},
    }
)
"""A second identity, for a mirroring source in another account."""

ENDPOINTS = ArgSpec(
    {
        "visibility": {
            "type": "str",
            "choices": ["public", "private", "public-and-private"],
            "default": "public",
            "fallback": _from_environment("IC_VISIBILITY", "IBMCLOUD_VISIBILITY"),
        },
        "endpoint_region": {"type": "str", "fallback": _from_environment("IC_REGION", "IBMCLOUD_REGION")},
        "iam_endpoint": {"type": "str", "fallback": _from_environment("IBMCLOUD_IAM_API_ENDPOINT")},
        "metadata_endpoint": {
            "type": "str",
            "default": "http://169.254.169.254",
            "fallback": _from_environment("IBMCLOUD_CR_VPC_URL"),
        },
        "resource_controller_endpoint": {
            "type": "str",
            "fallback": _from_environment("IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT"),
        },
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "request_timeout": {
            "type": "float",
            "default": 60,
            "fallback": _from_environment("IC_TIMEOUT", "IBMCLOUD_TIMEOUT"),
        },
        "retry_timeout": {"type": "float", "default": 120},
    }
)
"""Where the platform's APIs are and how they are talked to (API §1.7, §1.8)."""

CLOUD = AUTH.merge(ENDPOINTS)

MONITORING = ArgSpec(
    {
        "monitoring_instance": {"type": "str"},
        "monitoring_endpoint": {"type": "str", "fallback": _from_environment("IBMCLOUD_MONITORING_API_ENDPOINT")},
        "metric_names": {"type": "dict", "default": {}},
    }
)
"""Where metrics are (API §7)."""

REUSE = ArgSpec({"max_age": {"type": "float", "default": 0}})
"""How old a read of an earlier task may be to be used again; seconds, fractions allowed."""

ROLE = ArgSpec({"role": {"type": "str"}, "side": {"type": "str", "choices": ["source", "target"], "default": "target"}})
"""Whose variables give what is not given; the action takes it up, no module looks at it."""

ADMIN = ArgSpec(
    {
        "admin_url": {"type": "str"},
        "admin_domains": {"type": "list", "elements": "str", "default": []},
    }
)
"""Where the target's administration REST API is (API §4.1)."""

SOURCE_ADMIN = ArgSpec({"source_admin_url": {"type": "str"}})

WAIT = ArgSpec(
    {
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 10800},
        "poll_interval": {"type": "float", "default": 30},
    }
)
"""How long an operation may take; seconds, fractions allowed."""

_RENAME = {
    "type": "dict",
    "options": {name: {"type": "str"} for name in ("add_prefix", "remove_prefix", "add_suffix", "remove_suffix")},
}


def _transform(*types: str) -> dict[str, t.Any]:
    return {
        "type": "dict",
        "options": {
            "type": {"type": "str", "choices": list(types), "required": True},
            "rename": _RENAME,
        },
        "required_if": [("type", "rename", ("rename",))],
    }


ALIASES = ArgSpec({"source_alias": {"type": "str"}, "target_alias": {"type": "str"}})

TRANSFORMS = ArgSpec(
    {
        "topic_name_transform": _transform("rename", "use_alias", "none"),
        "group_id_transform": _transform("rename", "none"),
        "schemas": {"type": "str", "choices": ["proxied", "read-only", "inactive"]},
    }
)
"""What can be set only while mirroring is being enabled (API §5.1)."""
