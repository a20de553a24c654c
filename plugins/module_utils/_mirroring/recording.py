# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task's options to the files of a record. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call, Result
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import records
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import Pick
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record import (
    SIDES,
    Record,
    Run,
    assemble,
    stem_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._token import secrets_of_environment


class Recording:
    """Writes one record, or the outcome in place of the one that was written at the beginning."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = call.params
        call.secrets.update(secrets_of_environment())

    def result(self) -> Result:
        """The record, and where it is. Raises MirrorOpsError."""
        call, params = self._call, self._params
        folder = records.check_folder(params["folder"], look=not call.check_mode)
        run = Run(
            state=params["state"],
            before=params["before"],
            after=params["after"] or None,
            steps=params["steps"] or [],
            job=params["job"],
            failed=bool(params["failed"]),
            message=params["reason"],
            who=records.who_runs(),
            now=call.clock.time(),
        )
        known = assemble(dataclasses.replace(run, after=None), call.secrets)
        path, begun = self._begun(folder, known)
        run = dataclasses.replace(run, begun=begun, earlier=self._earlier(path, known, run.now))
        record = assemble(run, call.secrets)
        if call.check_mode:
            return {"changed": False, "record": record, "json": None, "html": None}
        if path is None:
            path = records.create(folder, stem_of(record), record)
        else:
            records.replace(path, record)
        return {"changed": False, "record": record, "json": path, "html": self._page(path, record)}

    def _begun(self, folder: str, known: Record) -> tuple[str | None, Record | None]:
        """The path of the record to be replaced, and that record if it is still there; None if a new one is to be written."""
        given = self._params["record"]
        if not given:
            return None, None
        path = records.check_record(given, folder)
        begun = records.read(path)
        if begun is None and not os.path.lexists(path):
            return path, None
        if begun is None or begun["outcome"] != "unfinished" or _pair(begun) != _pair(known):
            self._call.warn(
                f"{path} is not the unfinished record of this pair: it is left alone, and a new one is written."
            )
            return None, None
        return path, begun

    def _earlier(self, path: str | None, known: Record, now: float) -> Record | None:
        """The record of the run that this one continues."""
        named = self._params["before"].get("continues")
        if not isinstance(named, str) or not os.path.isabs(named) or named == path:
            return None
        earlier = records.read(named)
        guids = [known["pair"][side]["guid"] for side in SIDES]
        if earlier and records.is_about(earlier, *guids) and (Pick.time(earlier["started_at"]) or 0.0) <= now:
            return earlier
        self._call.warn(
            f"{named} is no earlier record of this pair, so the recovery time counts from the start of this run."
        )
        return None

    def _page(self, path: str, record: Record) -> str | None:
        """Writes the page beside the record and returns its path; None after a warning if that fails, because the record counts."""
        # Imported where a page is wanted, because everything else has to be in every worker.
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record_page import draw_record
        from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.write import try_page

        page = draw_record(record, os.path.basename(path), self._call.secrets)
        return try_page(records.page_beside(path), page, self._call.warn, records.PRIVATE_FILE)


def _pair(record: Record) -> list[t.Any]:
    """What tells a pair from others, as far as it is known."""
    return [Pick.mapping(record["pair"].get(side)).get(name) for side in SIDES for name in ("guid", "name")]
