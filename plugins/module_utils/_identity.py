# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose rights are used: what a task gives, and what the environment does (API §1.7). Pure. Private to this collection: it may change
at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._spec import API_KEY, IAM_TOKEN, PROFILE


class Side(t.NamedTuple):
    """The options that describe one identity: what a token is given for, and the trusted profile on top of it."""

    api_key: str
    token: str
    compute_resource: str
    profile: str

    @property
    def bases(self) -> tuple[str, str, str]:
        """What a token is given for."""
        return self.api_key, self.token, self.compute_resource


OWN = Side("ibmcloud_api_key", "iam_token", "compute_resource", "iam_profile")
SOURCE = Side("source_api_key", "source_iam_token", "source_compute_resource", "source_iam_profile")


def completed(
    given: t.Mapping[str, t.Any], options: t.Container[str], environment: t.Mapping[str, str]
) -> dict[str, str]:
    """The options of identities that a task does not give, as the environment has them; empty ones where it must not be asked.

    Identities are never mixed: beside a key or a token that is given, nothing of the environment counts. Its trusted profile belongs to
    its own key or token, and to the machine. What is given and empty is meant to be nothing.
    """
    filled: dict[str, str] = {}
    for side in (OWN, SOURCE):
        if side.api_key not in options:
            continue
        key, token, profile = (_first(environment, names) for names in (API_KEY, IAM_TOKEN, PROFILE))
        if any(given.get(option) for option in side.bases):
            key = token = ""
            profile = profile if given.get(side.compute_resource) else ""
        elif not key and not token:
            profile = ""
        found = {side.api_key: key, side.token: token, side.profile: profile}
        filled |= {option: value for option, value in found.items() if option not in given}
    return filled


def has_base(environment: t.Mapping[str, str]) -> bool:
    """Whether the environment has a key or a token."""
    return bool(_first(environment, API_KEY) or _first(environment, IAM_TOKEN))


def _first(environment: t.Mapping[str, str], names: t.Sequence[str]) -> str:
    return next(filter(None, (environment.get(name, "").strip() for name in names)), "")
