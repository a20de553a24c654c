# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all workers of one ansible-playbook run share: tokens, and reads. Private to this collection: it may change at any time.

Ansible imports a same-named action plugin, and with it this module, in its parent process before it forks a worker for each
task. The table made here is therefore the same in all of them, and gone with the last of them. Without fork every worker has a
table of its own, which is slower and just as right.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
import zlib

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Read, Token
from ansible_collections.mirrorops.event_streams.plugins.plugin_utils._memory import Table

_table = Table()


class SharedTokenStore:
    """Bearer tokens by the digest of key and endpoint."""

    def get(self, key: str) -> Token | None:
        """The token under a key's digest, if there is one."""
        found = _parsed(_table.get(key))
        return Token(*found) if isinstance(found, list) and len(found) == len(Token._fields) else None

    def put(self, key: str, token: Token) -> None:
        """Remembers a token."""
        _table.put(key, json.dumps(token).encode())

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Held while a token is fetched; after so many seconds the caller goes on without, at worst fetching one more."""
        return _table.exclusive(key, seconds)


class SharedReadStore:
    """Answers to reads by the digest of who asked what. The generation of a read is the number of the table: each write raises it."""

    def generation(self) -> int:
        """The present generation; -1 when it cannot be told."""
        return _table.number()

    def get(self, key: str) -> Read | None:
        """The read under a key's digest, if there is one."""
        packed = _table.get(key)
        found = None if packed is None else _parsed(zlib.decompress(packed))
        return Read(*found) if isinstance(found, list) and len(found) == len(Read._fields) else None

    def put(self, key: str, read: Read) -> None:
        """Remembers a read, if its generation was known, and if it can be written down."""
        if read.generation < 0:
            return
        try:
            text = json.dumps(read)
        except (ValueError, RecursionError):
            return
        _table.put(key, zlib.compress(text.encode(), 1))

    def outdate(self) -> None:
        """Begins a new generation, because something was written or has changed by itself."""
        _table.raise_number()

    def give_up(self) -> None:
        """No read counts any more in this run, because something writes whose end nobody sees."""
        _table.end_number()

    def exclusive(self, key: str, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Held while something is read, so that one worker asks and the others wait, at most so many seconds."""
        return _table.exclusive(key, seconds)


def _parsed(value: bytes | None) -> t.Any:
    return None if value is None else json.loads(value)
