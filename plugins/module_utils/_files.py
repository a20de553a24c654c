# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are there whole or not at all. Private to this collection: it may change at any time."""

from __future__ import annotations

import contextlib
import os
import secrets

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import MirrorOpsError

USUAL = 0o666
"""The permissions of a file that is nobody's secret; less what the umask takes away."""


def replace_file(path: str, content: bytes, what: str, mode: int = USUAL) -> None:
    """Puts the content in place of what was there, whole or not at all; a link is replaced, not followed. ``what`` is what the file is
    called in messages, as "the page". Raises MirrorOpsError."""
    beside = os.path.join(os.path.dirname(path), f".new-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(beside, path)
    except OSError as error:
        raise not_written(path, what, error) from error
    finally:
        # Gone already, if all went well.
        with contextlib.suppress(OSError):
            os.unlink(beside)


def not_written(path: str, what: str, error: OSError) -> MirrorOpsError:
    """What to raise for a file that could not be written."""
    return MirrorOpsError(
        str(error.strerror or error),
        attempt=f"write {what} {path}",
        remedy=f"Is there space left, and may the directory be written to? Nothing but {what} is missing.",
    )
