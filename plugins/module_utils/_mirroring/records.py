# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder in which records are: where they go, and how they are found again. Private to this collection: it may change at any time."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import secrets
import socket
import stat
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import (
    InvalidInput,
    MirrorOpsError,
    parse_json,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._files import not_written, replace_file
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import Pick
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record import (
    ACTED,
    FORMAT,
    OUTCOMES,
    SIDES,
    Record,
    Who,
)

LARGEST = 1 << 20
"""No record has more bytes."""

LONGEST_AGO = 86400.0
"""Seconds after which nobody goes on with a run just because of its record."""

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
TRIES = 1000
REMEDY = (
    "Give the absolute path of a directory, such as /srv/records, that is there or can be made, and can be written to. Roles take it from "
    "mirroring_records."
)
_NAME = re.compile(r"\d{8}T\d{6}Z-[A-Za-z0-9._-]+-[0-9a-f]{4}\.json")


def who_runs() -> Who:
    """The login that this process has, its number where it has no name (as in containers), and the name of the machine."""
    number = os.getuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = str(number)
    return Who(user, socket.gethostname())


def check_folder(folder: str, *, look: bool = True) -> str:
    """The path of the folder, made plain. Raises InvalidInput for one in which no record can be written; without ``look`` only
    permissions are not looked at: in check mode an earlier task may not have made a directory."""
    if not os.path.isabs(folder) or "\0" in folder:
        raise InvalidInput(f"folder is {folder!r}, which is no absolute path", remedy=REMEDY)
    folder = os.path.normpath(folder)
    there = next(path for path in (folder, *_above(folder)) if os.path.lexists(path))
    if not os.path.isdir(there):
        where = "" if there == folder else f", and {there!r}"
        raise InvalidInput(f"folder is {folder!r}{where}, which is something else than a directory", remedy=REMEDY)
    if look and not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInput(f"folder is {folder!r}, and the directory {there!r} cannot be written to", remedy=REMEDY)
    return folder


def check_record(path: str, folder: str) -> str:
    """The path of a record, made plain. Raises InvalidInput for one that is elsewhere, or no record by its name."""
    plain = os.path.normpath(path)
    if os.path.dirname(plain) != folder or not _NAME.fullmatch(os.path.basename(plain)):
        raise InvalidInput(
            f"record is {path!r}, which is no record in {folder!r}",
            remedy="Give what the task with state begun returned as json, and the same folder.",
        )
    return plain


def create(folder: str, stem: str, record: Record) -> str:
    """Writes a new record, in a folder that is made if it is missing, and returns its path. Raises MirrorOpsError."""
    try:
        _make(folder)
        path = _reserved(folder, stem)
    except OSError as error:
        failure = not_written(os.path.join(folder, stem), "the record", error)
        failure.remedy = REMEDY
        raise failure from error
    try:
        replace(path, record)
    except MirrorOpsError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    return path


def replace(path: str, record: Record) -> None:
    """Puts a record in place of the one at the path. Raises MirrorOpsError."""
    replace_file(path, to_json(record), "the record", PRIVATE_FILE)


def to_json(record: Record) -> bytes:
    """A record as people and programs read it: in the order in which it was made, the same bytes for the same record."""
    return f"{json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)}\n".encode()


def page_beside(path: str) -> str:
    """Where the page of a record is."""
    return f"{path.removesuffix('.json')}.html"


def read(path: str) -> Record | None:
    """A record, with its path under ``path``; None if there is none: another file, a link, broken, or too large to be one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
                return None
            document = parse_json(file.read(LARGEST + 1))
    except (OSError, ValueError, RecursionError):
        return None
    return {**document, "path": path} if is_record(document) else None


def is_record(document: t.Any) -> bool:
    """Whether a document is a record of a format that is known, so that others may rely on what it is about."""
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("outcome") not in OUTCOMES:
        return False
    sides = [Pick.mapping(document.get("pair")).get(side) for side in SIDES]
    return (
        Pick.time(document.get("started_at")) is not None
        and isinstance(document.get("verb", 0), (str, type(None)))
        and all(isinstance(side, dict) and isinstance(side.get("guid"), (str, type(None))) for side in sides)
    )


def is_about(record: Record, source_guid: str | None, target_guid: str | None) -> bool:
    """Whether a record is about a pair; where it is not known which, it is about none."""
    wanted = (source_guid, target_guid)
    found = [record["pair"][side].get("guid") for side in SIDES]
    return all(one and guid and one.lower() == guid.lower() for one, guid in zip(found, wanted, strict=True))


def newest(folder: str, source_guid: str, target_guid: str, now: float) -> Record | None:
    """The record of the run that began last of those that did something to a pair, whichever way round it was named, with its path under
    ``path``; None if there is none, if that was named the other way round, or if it began more than a day before ``now``, or after it. What
    is in the folder besides is left alone. Raises MirrorOpsError if the folder is there and cannot be read."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MirrorOpsError(
            str(error.strerror or error),
            attempt=f"look for earlier records in {folder}",
            remedy="Is it a directory, and may it be read?",
        ) from error
    found = (read(os.path.join(folder, name)) for name in names if name.endswith(".json"))
    ours = [
        one
        for one in found
        if one
        and 0 <= now - (Pick.time(one["started_at"]) or 0.0) < LONGEST_AGO
        and (
            _is_failover(one, source_guid, target_guid)
            or (
                one["outcome"] in ACTED
                and (is_about(one, source_guid, target_guid) or is_about(one, target_guid, source_guid))
            )
        )
    ]
    last = max(ours, key=lambda one: (Pick.time(one["started_at"]), one["path"]), default=None)
    return last if last and is_about(last, source_guid, target_guid) else None


def _is_failover(record: Record, source_guid: str, target_guid: str) -> bool:
    """Whether a run took applications to a target, which ends what was begun before, also if it had nothing to do and was confirmed all the
    same: a mere look at the plan ends nothing. One that asked nothing of its source may not know that one's GUID."""
    if record["verb"] != "failover" or record["outcome"] in ("refused", "not confirmed"):
        return False
    if record["outcome"] not in ACTED and record.get("target_named") is not True:
        return False
    source, target = (record["pair"][side].get("guid") for side in SIDES)
    return is_about(record, source_guid, target_guid) or (
        source is None and target is not None and target.lower() == target_guid.lower()
    )


def _above(path: str) -> t.Iterator[str]:
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        yield path


def _make(folder: str) -> None:
    """Makes a folder and what is missing above it; nobody else may look into what was made. Raises OSError."""
    missing = [path for path in (folder, *_above(folder)) if not os.path.lexists(path)]
    for path in reversed(missing):
        try:
            os.mkdir(path, PRIVATE_FOLDER)
        except FileExistsError:
            if not os.path.isdir(path):
                raise


def _reserved(folder: str, stem: str) -> str:
    """A path at which nothing was, and at which an empty file is now: no other run gets it. Raises OSError."""
    for _dummy in range(TRIES):
        path = os.path.join(folder, f"{stem}-{secrets.token_hex(2)}.json")
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "there are too many records of the same second")
