# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Third-party libraries, imported where they may be missing. Private to this collection: it may change at any time."""

from __future__ import annotations

import traceback
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import MirrorOpsError

_MISSING: dict[str, str] = {}

try:
    import requests
except ImportError:
    _MISSING["requests"] = traceback.format_exc()
    requests = t.cast(t.Any, None)

try:
    import urllib3
except ImportError:
    urllib3 = t.cast(t.Any, None)


class LibraryMissing(MirrorOpsError):
    """A Python library that a task needs is not installed for its interpreter."""

    kind = "library_missing"


def require_requests() -> None:
    """Raises LibraryMissing unless ``requests`` can be imported."""
    if "requests" in _MISSING:
        raise _missing("requests", _MISSING["requests"])


def load_jmespath() -> t.Any:
    """The library ``jmespath``, imported where there is a query, because everything else has to be in every worker. Raises LibraryMissing."""
    try:
        import jmespath
    except ImportError as error:
        raise _missing("jmespath", traceback.format_exc()) from error
    return jmespath


def _missing(name: str, trace: str) -> LibraryMissing:
    return LibraryMissing(
        missing_required_lib(name),
        remedy=f"Install it for the Python that runs the task, for instance with: python3 -m pip install {name}",
        details={"exception": trace},
    )


__all__ = ["LibraryMissing", "load_jmespath", "requests", "require_requests", "urllib3"]
