# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table of bytes in memory that a process shares with those it forks. Private to this collection: it may change at any time.

The memory map is anonymous: nothing touches the disk, and what was never written takes no room. Access is guarded by POSIX record
locks on an unlinked file, because those are released when their holder is killed. Values carry a checksum, so one that its writer
did not finish is as good as none.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import tempfile
import time
import typing as t
import zlib

SIZE = 64 * 1024 * 1024
PLACES = 1 << 14
MOST_USED = PLACES * 3 // 4
ROOM = 256
LOCK_SECONDS = 5.0
_NUMBER = struct.Struct("<Q")
_HEAD = struct.Struct("<QQ")
_PLACE = struct.Struct("<32sQQQL")
_PLACES = _NUMBER.size + _HEAD.size
_DATA = _PLACES + PLACES * _PLACE.size
NO_MORE = 2**64 - 1
_TABLE_BYTE = 0
_KEY_BYTES = 1 << 20


def _unlinked_file() -> int:
    """A descriptor of a file that has no name any more; it stays open as long as the process lives."""
    descriptor, path = tempfile.mkstemp(prefix="mirrorops-")
    os.unlink(path)
    return descriptor


class Table:
    """Values of bytes by SHA-256 digests (64 hexadecimal digits), and one number that everybody may raise.

    When it is full, everything in it is forgotten. A process that does not get hold of it in time finds nothing, and writes nothing.
    """

    def __init__(self, size: int = SIZE, lock_seconds: float = LOCK_SECONDS) -> None:
        self._size = size
        self._lock_seconds = lock_seconds
        self._memory = mmap.mmap(-1, size)
        self._lock_file = _unlinked_file()

    def get(self, key: str) -> bytes | None:
        """The value under a key, if there is a whole one."""
        with self._locked(_TABLE_BYTE, self._lock_seconds) as held:
            if not held:
                return None
            _found, offset, _room, length, checksum = self._place(bytes.fromhex(key))[1]
            value = self._memory[offset : offset + length] if self._fits(offset, length) else b""
        return value if length and len(value) == length and zlib.crc32(value) == checksum else None

    def put(self, key: str, value: bytes) -> None:
        """Keeps a value; one that is larger than the table is not kept."""
        with self._locked(_TABLE_BYTE, self._lock_seconds) as held:
            if held and _DATA + len(value) <= self._size:
                self._put(bytes.fromhex(key), value)

    def number(self) -> int:
        """The number; -1 when it cannot be told, or when there is none any more."""
        with self._locked(_TABLE_BYTE, self._lock_seconds) as held:
            number = self._number() if held else NO_MORE
        return -1 if number == NO_MORE else number

    def raise_number(self) -> None:
        """Makes the number one that it has never been."""
        with self._locked(_TABLE_BYTE, self._lock_seconds):
            # Also without the lock: nothing else writes here, and one that two have raised to the same is another one than before.
            self._memory[: _NUMBER.size] = _NUMBER.pack(min(self._number() + 1, NO_MORE))

    def end_number(self) -> None:
        """From now on there is no number."""
        with self._locked(_TABLE_BYTE, self._lock_seconds):
            self._memory[: _NUMBER.size] = _NUMBER.pack(NO_MORE)

    @contextlib.contextmanager
    def exclusive(self, key: str, seconds: float) -> t.Iterator[None]:
        """Held for a key; after so many seconds the caller goes on without. Keys seldom get in each other's way."""
        with self._locked(1 + int(key[:8], 16) % _KEY_BYTES, seconds):
            yield

    def _put(self, key: bytes, value: bytes) -> None:
        used, end = self._head()
        where, (found, offset, room, _length, _checksum) = self._place(key)
        if found != key or room < len(value) or not self._fits(offset, room):
            wanted = -(-max(len(value), 1) // ROOM) * ROOM
            offset, room = max(end, _DATA), min(wanted, self._size - _DATA)
            if offset + room > self._size or (found != key and used >= MOST_USED):
                self._memory[_NUMBER.size : _DATA] = bytes(_DATA - _NUMBER.size)
                used, offset = 0, _DATA
                where = self._place(key)[0]
                found = b""
            self._memory[_NUMBER.size : _PLACES] = _HEAD.pack(used + (found != key), offset + room)
        self._memory[offset : offset + len(value)] = value
        place = _PLACE.pack(key, offset, room, len(value), zlib.crc32(value))
        self._memory[where : where + _PLACE.size] = place

    def _number(self) -> int:
        return t.cast(int, _NUMBER.unpack(self._memory[: _NUMBER.size])[0])

    def _head(self) -> tuple[int, int]:
        """How many places are used, and where the values end."""
        return t.cast("tuple[int, int]", _HEAD.unpack(self._memory[_NUMBER.size : _PLACES]))

    def _place(self, key: bytes) -> tuple[int, tuple[bytes, int, int, int, int]]:
        """Where a key's place is, or would be, and what is there."""
        index = int.from_bytes(key[:8], "little") % PLACES
        for _dummy in range(PLACES):
            where = _PLACES + index * _PLACE.size
            place = _PLACE.unpack(self._memory[where : where + _PLACE.size])
            if place[0] == key or not any(place[0]):
                break
            index = (index + 1) % PLACES
        return where, place

    def _fits(self, offset: int, length: int) -> bool:
        return offset >= _DATA and offset + length <= self._size

    @contextlib.contextmanager
    def _locked(self, byte: int, seconds: float) -> t.Iterator[bool]:
        deadline = time.monotonic() + seconds
        held = False
        while not held:
            try:
                fcntl.lockf(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
                held = True
            except OSError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)
        try:
            yield held
        finally:
            if held:
                fcntl.lockf(self._lock_file, fcntl.LOCK_UN, 1, byte)
