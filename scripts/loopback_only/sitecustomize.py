# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that has this directory in PYTHONPATH reaches this machine only. A rehearsal runs Ansible so."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

HOST_FIRST = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
ADDRESS_SECOND = ("socket.connect", "socket.sendto", "socket.sendmsg")


def is_loopback(host: Any) -> bool:
    """Tell whether a host is this machine; no name but one is looked up to find out."""
    text = host.decode(errors="replace") if isinstance(host, (bytes, bytearray)) else str(host)
    if text in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what would leave the machine; an audit hook."""
    host = None
    if event in HOST_FIRST:
        host = arguments[0]
    elif event in ADDRESS_SECOND and isinstance(arguments[1], tuple) and isinstance(arguments[1][0], (str, bytes)):
        host = arguments[1][0]
    if host is not None and not is_loopback(host):
        raise PermissionError(f"a rehearsal does not leave this machine, so {host!r} is not reached")


sys.addaudithook(watch)
