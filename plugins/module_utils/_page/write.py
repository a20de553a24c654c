# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a page goes, and how it gets there. Private to this collection: it may change at any time."""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._files import USUAL, replace_file

REMEDY = "Give the path of a file, such as /tmp/pair.html, in a directory that is there and can be written to."


def check_path(path: str, *, look: bool = True) -> None:
    """Raises InvalidInput for a path at which no page can be written. Without ``look`` only what can be told without the file system
    is: in check mode an earlier task may not have made the directory."""
    if not os.path.isabs(path) or path.endswith("/") or "\0" in path:
        raise InvalidInput(f"page is {path!r}, which is no absolute path of a file", remedy=REMEDY)
    if not look:
        return
    folder = os.path.dirname(path)
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise InvalidInput(f"page is {path!r}, which cannot be used: {error.strerror}", remedy=REMEDY) from error
    if mode is not None and not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        what = "a directory" if stat.S_ISDIR(mode) else "something else than a file"
        raise InvalidInput(f"page is {path!r}, which is {what}", remedy=REMEDY)
    if not os.path.isdir(folder):
        raise InvalidInput(f"page is {path!r}, and there is no directory {folder!r}", remedy=REMEDY)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InvalidInput(f"page is {path!r}, and the directory {folder!r} cannot be written to", remedy=REMEDY)


def try_page(path: str, page: bytes, warn: t.Callable[[str], None], mode: int = USUAL) -> str | None:
    """Writes a page and returns its path; None after a warning if that fails, because what was found counts without it."""
    try:
        write_page(path, page, mode)
    except MirrorOpsError as error:
        warn(error.message)
        return None
    return path


def write_page(path: str, page: bytes, mode: int = USUAL) -> None:
    """Puts the page in place of what was there, whole or not at all; a link is replaced, not followed. Raises MirrorOpsError."""
    replace_file(path, page, "the page", mode)
