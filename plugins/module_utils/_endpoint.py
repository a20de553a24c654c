# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints: which URLs credentials may be sent to. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_PLAIN = re.compile(r"[!-\[\]-~]+")


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def check_endpoint(url: str, option: str) -> str:
    """A base URL without trailing slash. Raises InvalidInput unless it is https, or http on a loopback address."""
    remedy = "Give a URL such as https://proxy.example.com/iam; plain http is accepted for loopback addresses only."
    try:
        parts = urllib.parse.urlsplit(url.strip())
        parts.port  # noqa: B018  # raises for a port that is none
    except ValueError as error:
        raise _errors.InvalidInput(f"{option} is not a URL: {error}", remedy=remedy) from error
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.fullmatch(parts.hostname or "")
        or not _PLAIN.fullmatch(url.strip())
        or ("[" in parts.netloc) != (":" in (parts.hostname or ""))
        or parts.port == 0
    ):
        raise _errors.InvalidInput(f"{option} is not an http(s) URL: {url!r}", remedy=remedy)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise _errors.InvalidInput(f"{option} must have neither user, password, query nor fragment", remedy=remedy)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _errors.InvalidInput(f"{option} would send credentials unencrypted to {parts.hostname}", remedy=remedy)
    return url.strip().rstrip("/")
