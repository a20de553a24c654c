# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all workers of one ansible-playbook run share. Private to this collection: it may change at any time.

Ansible imports a same-named action plugin, and with it this module, in its parent process before it forks a worker for each
task. The anonymous memory map made here is therefore the same memory in all of them, and gone with the last of them: nothing
touches the disk. Access is guarded by POSIX record locks on an unlinked file, because those are released when their holder
is killed. Without fork every worker has a map of its own, which is slower and just as right.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
import struct
import tempfile
import time
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Token

SIZE = 4 * 1024 * 1024
_LENGTH = struct.Struct("<Q")
_MAP_BYTE = 0
_KEY_BYTES = 1 << 20
_LOCK_SECONDS = 5.0
_memory = mmap.mmap(-1, SIZE)


def _unlinked_file() -> int:
    """A descriptor of a file that has no name any more; it stays open as long as the process lives."""
    descriptor, path = tempfile.mkstemp(prefix="mirrorops-")
    os.unlink(path)
    return descriptor


_lock_file = _unlinked_file()


class SharedTokenStore:
    """Bearer tokens by the digest of key and endpoint, in memory that all workers see."""

    def get(self, key: str) -> Token | None:
        """The token under a key's digest, if there is one."""
        with _locked(_MAP_BYTE, _LOCK_SECONDS) as held:
            found = _load().get(key) if held else None
        return Token(*found) if isinstance(found, list) and len(found) == len(Token._fields) else None

    def put(self, key: str, token: Token) -> None:
        """Remembers a token. When the memory is full, the others are forgotten: they are fetched again when needed."""
        with _locked(_MAP_BYTE, _LOCK_SECONDS) as held:
            if held:
                _store({**_load(), key: list(token)}) or _store({key: list(token)})

    @contextlib.contextmanager
    def exclusive(self, key: str, seconds: float) -> t.Iterator[None]:
        """Held while a token is fetched; after so many seconds the caller goes on without, at worst fetching one more."""
        with _locked(1 + int(key[:8], 16) % _KEY_BYTES, seconds):
            yield


@contextlib.contextmanager
def _locked(byte: int, seconds: float) -> t.Iterator[bool]:
    deadline = time.monotonic() + seconds
    held = False
    while not held:
        try:
            fcntl.lockf(_lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
            held = True
        except OSError:
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
    try:
        yield held
    finally:
        if held:
            fcntl.lockf(_lock_file, fcntl.LOCK_UN, 1, byte)


def _load() -> dict[str, t.Any]:
    (length,) = _LENGTH.unpack_from(_memory, 0)
    if not 0 < length <= SIZE - _LENGTH.size:
        return {}
    try:
        content = json.loads(_memory[_LENGTH.size : _LENGTH.size + length])
    except ValueError:
        # A writer was killed half-way: what was in the memory can be fetched again.
        return {}
    return content if isinstance(content, dict) else {}


def _store(content: dict[str, t.Any]) -> bool:
    text = json.dumps(content).encode()
    if len(text) > SIZE - _LENGTH.size:
        return False
    _LENGTH.pack_into(_memory, 0, 0)
    _memory[_LENGTH.size : _LENGTH.size + len(text)] = text
    _LENGTH.pack_into(_memory, 0, len(text))
    return True
