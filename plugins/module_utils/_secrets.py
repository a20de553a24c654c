# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not be written anywhere. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import typing as t

MASK = "********"
SECRET_VARIABLES = tuple(
    f"{prefix}_{name}"
    for prefix in ("IC", "IBMCLOUD", "BM", "BLUEMIX")
    for name in ("API_KEY", "IAM_TOKEN", "IAM_REFRESH_TOKEN", "CR_TOKEN")
)
"""Environment variables that hold credentials: those that options fall back to, and those of the vendor's other tools."""


def masking(secrets: t.Iterable[str]) -> t.Callable[[str], str]:
    """A way to mask every one of the secrets in a text: nobody masks a file, as Ansible does with results. Of two secrets of which one is
    part of the other, the longer one goes first."""
    hidden = sorted(filter(str.strip, secrets), key=len, reverse=True)

    def masked(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, MASK)
        return text

    return masked
