# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as services write them. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import datetime
import email.utils
import re

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def parse_time(text: str | None) -> float | None:
    """Seconds since the epoch out of an ISO 8601 time, with any number of decimals; without a zone it is UTC. None if it is none."""
    found = _STAMP.fullmatch(text.strip()) if text else None
    if not found:
        return None
    zone = (found[3] or "Z").replace("Z", "+0000").replace(":", "")
    try:
        whole = datetime.datetime.fromisoformat(f"{found[1]}{zone[:3]}:{zone[3:]}").astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
    return whole.timestamp() + float(found[2] or 0)


def parse_http_date(text: str | None) -> float | None:
    """Seconds since the epoch out of the header Date. None if it is none."""
    try:
        return email.utils.parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def format_time(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the second."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_words(seconds: float) -> str:
    """How long something took, for people, to the second."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
