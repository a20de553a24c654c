# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import pwd
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _files
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import records
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.record import Who
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.records import (
    LARGEST,
    check_folder,
    check_record,
    create,
    newest,
    page_beside,
    read,
    replace,
    to_json,
    who_runs,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import parse_time
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import SOURCE, TARGET, THIRD

RECORD: dict[str, t.Any] = {
    "format": 1,
    "verb": "failback",
    "outcome": "unfinished",
    "started_at": "2026-01-01T10:00:00Z",
    "pair": {"source": {"guid": SOURCE}, "target": {"guid": TARGET}},
}


def mode(path: pathlib.Path | str) -> int:
    return pathlib.Path(path).stat().st_mode & 0o777


LATER = parse_time("2026-01-01T20:00:00Z") or 0.0


def put(folder: pathlib.Path, name: str, **changes: t.Any) -> str:
    path = folder / name
    path.write_bytes(to_json({**RECORD, **changes}))
    return str(path)


def test_who_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setattr("socket.gethostname", lambda: "awx-1")
    assert who_runs() == Who(pwd.getpwuid(os.getuid()).pw_name, "awx-1")


def test_a_login_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers that run with any number."""

    def unknown(number: int) -> t.NoReturn:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert who_runs().user == str(os.getuid())


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("", "no absolute path"),
        ("records", "no absolute path"),
        ("~nobody-of-that-name/records", "no absolute path"),
        ("{there}/a\0b", "no absolute path"),
        ("{there}/file", "something else than a directory"),
        ("{there}/file/records", "file', which is something else than a directory"),
        ("{there}/dangling/records", "dangling', which is something else than a directory"),
    ],
)
@pytest.mark.parametrize("look", [True, False])
def test_folders_that_cannot_be(folder: str, told: str, look: bool, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    with pytest.raises(InvalidInput, match=told) as caught:
        check_folder(folder.replace("{there}", str(tmp_path)), look=look)
    assert "such as /srv/records" in caught.value.message


def test_a_folder_that_cannot_be_written_to(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root could, so the answer of the system is made up. In check mode an earlier task may not have made it."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK)
    with pytest.raises(InvalidInput, match=f"the directory '{tmp_path}' cannot be written to"):
        check_folder(f"{tmp_path}/a/b")
    assert check_folder(f"{tmp_path}/a/b", look=False) == f"{tmp_path}/a/b"


def test_a_folder_is_made_for_its_owner_alone(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o755)
    folder = check_folder(f"{tmp_path}/a/../b/c/")
    assert folder == f"{tmp_path}/b/c"
    path = create(folder, "stem", RECORD)
    assert [mode(one) for one in (path, folder, tmp_path / "b", tmp_path)] == [0o600, 0o700, 0o700, 0o755]
    assert json.loads(pathlib.Path(path).read_text()) == RECORD
    assert page_beside(path) == path[:-5] + ".html"


def test_no_record_takes_the_place_of_another(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(["aaaa", "x1", "aaaa", "aaaa", "bbbb", "x2"])
    monkeypatch.setattr("secrets.token_hex", lambda size: next(numbers))
    paths = [create(str(tmp_path), "stem", {**RECORD, "verb": verb}) for verb in ("one", "two")]
    assert [os.path.basename(path) for path in paths] == ["stem-aaaa.json", "stem-bbbb.json"]
    assert [(read(path) or {}).get("verb") for path in paths] == ["one", "two"]


def test_no_free_name_is_a_clear_failure(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "aaaa")
    (tmp_path / "stem-aaaa.json").write_text("other")
    with pytest.raises(MirrorOpsError, match=r"write the record .*there are too many"):
        create(str(tmp_path), "stem", RECORD)
    assert (tmp_path / "stem-aaaa.json").read_text() == "other"


@pytest.mark.parametrize("what", ["mkdir", "replace", "fsync"])
def test_nothing_is_left_of_a_record_that_could_not_be_written(
    what: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: t.Any, **keywords: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, what, full)
    folder = tmp_path / "made" if what == "mkdir" else tmp_path
    with pytest.raises(MirrorOpsError, match="No space left on device") as caught:
        create(str(folder), "stem", RECORD)
    missing = "mirroring_records" if what == "mkdir" else "Nothing but the record is missing"
    assert missing in caught.value.message
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("what", ["replace", "fsync"])
def test_the_first_record_stays_when_the_second_cannot_be_written(
    what: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = create(str(tmp_path), "stem", RECORD)

    def full(*args: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, what, full)
    with pytest.raises(MirrorOpsError):
        replace(path, {**RECORD, "outcome": "done"})
    assert os.listdir(tmp_path) == [os.path.basename(path)]
    assert (read(path) or {})["outcome"] == "unfinished"


def test_whoever_reads_meanwhile_sees_the_old_or_the_new_one(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = create(str(tmp_path), "stem", RECORD)
    seen: list[t.Any] = []
    fsync = os.fsync

    def look(descriptor: int) -> None:
        fsync(descriptor)
        seen.append((read(path) or {}).get("outcome"))

    monkeypatch.setattr(_files.os, "fsync", look)
    replace(path, {**RECORD, "outcome": "done"})
    assert [*seen, (read(path) or {})["outcome"]] == ["unfinished", "done"]
    assert mode(path) == 0o600


@pytest.mark.parametrize(
    "path",
    [
        "{folder}/../20260101T100000Z-failover-x-3fa1.json",
        "{folder}/sub/20260101T100000Z-failover-x-3fa1.json",
        "/etc/passwd",
        "{folder}/other.json",
        "20260101T100000Z-failover-x-3fa1.json",
        "{folder}/20260101T100000Z-failover-x-3fa1.html",
    ],
)
def test_what_is_replaced_is_a_record_in_the_folder(path: str) -> None:
    with pytest.raises(InvalidInput, match="which is no record in '/srv/records'"):
        check_record(path.replace("{folder}", "/srv/records"), "/srv/records")


def test_the_path_of_a_record() -> None:
    path = "/srv/records/20260101T100000Z-failover-es-target-3fa1.json"
    assert check_record(path.replace("records", "records/./"), "/srv/records") == path


def test_the_newest_of_a_pair(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "z.json", started_at="2026-01-01T09:00:00Z")
    put(tmp_path, "b.json", started_at="2026-01-01T11:00:00+00:00")
    path = put(tmp_path, "c.json", started_at="2026-01-01T11:00:00Z", outcome="failed")
    put(tmp_path, "y.json", started_at="2026-01-01T12:00:00+02:00")
    found = newest(str(tmp_path), SOURCE.upper(), TARGET, LATER)
    assert found == {**RECORD, "started_at": "2026-01-01T11:00:00Z", "outcome": "failed", "path": path}


def test_records_of_other_pairs_are_not_of_this_one(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "a.json", pair={"source": {"guid": TARGET}, "target": {"guid": SOURCE}})
    put(tmp_path, "b.json", pair={"source": {"guid": SOURCE}, "target": {"guid": THIRD}})
    put(tmp_path, "c.json", pair={"source": {"guid": None}, "target": {"guid": TARGET}})
    assert newest(str(tmp_path), SOURCE, TARGET, LATER) is None


@pytest.mark.parametrize("began", ["2025-12-31T19:00:00Z", "2026-01-02T10:00:00Z"])
def test_nobody_goes_on_with_what_is_long_ago_or_has_not_been_yet(tmp_path: pathlib.Path, began: str) -> None:
    put(tmp_path, "a.json", started_at=began)
    assert newest(str(tmp_path), SOURCE, TARGET, LATER) is None


def test_a_run_the_other_way_round_comes_between(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "a.json")
    swapped = {"source": {**RECORD["pair"]["target"]}, "target": {**RECORD["pair"]["source"]}}
    assert newest(str(tmp_path), SOURCE, TARGET, LATER) is not None
    put(tmp_path, "b.json", pair=swapped, started_at="2026-01-01T11:00:00Z")
    assert newest(str(tmp_path), SOURCE, TARGET, LATER) is None


@pytest.mark.parametrize(
    ("verb", "outcome", "named", "newer"),
    [
        ("failover", "nothing to do", True, True),
        ("failover", "nothing to do", False, False),
        ("failover", "nothing to do", None, False),
        ("failover", "done", True, True),
        ("failover", "refused", True, False),
        ("failover", "not confirmed", True, False),
        ("reverse", "nothing to do", True, False),
    ],
)
def test_a_failover_with_nothing_to_do_says_where_applications_are(
    verb: str, outcome: str, named: bool | None, newer: bool, tmp_path: pathlib.Path
) -> None:
    """If somebody confirmed it: whoever only looks at the plan says nothing."""
    put(tmp_path, "a.json", verb="failback", outcome="unfinished")
    last = put(tmp_path, "b.json", verb=verb, outcome=outcome, started_at="2026-01-01T11:00:00Z", target_named=named)
    found = newest(str(tmp_path), SOURCE, TARGET, LATER)
    assert found is not None
    assert (found["path"] == last) is newer


def test_a_failover_that_does_not_know_its_source_is_one_all_the_same(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "a.json", verb="failback", outcome="unfinished")
    unasked = {"source": {"guid": None}, "target": {"guid": TARGET}}
    put(tmp_path, "b.json", verb="failover", pair=unasked, started_at="2026-01-01T11:00:00Z")
    assert newest(str(tmp_path), SOURCE, TARGET, LATER) is None


def test_what_is_no_record_is_left_alone(tmp_path: pathlib.Path) -> None:
    path = put(tmp_path, "20260101T090000Z.json", started_at="2026-01-01T09:00:00Z")
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "record.json").write_bytes(pathlib.Path(path).read_bytes())
    later = {"started_at": "2026-01-01T19:00:00Z"}
    (tmp_path / "outside.txt").write_bytes(to_json({**RECORD, **later}))
    (folder / "link.json").symlink_to(tmp_path / "outside.txt")
    put(folder, "record.html", **later)
    (folder / "huge.json").write_bytes(to_json({**RECORD, **later}) + b" " * LARGEST)
    for name, text in {
        "empty": b"",
        "cut": to_json({**RECORD, **later})[:-9],
        "bytes": b"\xff\xfe",
        "list": b"[]",
        "number": b"NaN",
        "deep": b"[" * 100_000,
        "digits": b'{"format": ' + b"9" * 10_000 + b"}",
    }.items():
        (folder / f"{name}.json").write_bytes(text)
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    for number, changes in enumerate(
        [
            {"format": 2},
            {"outcome": "great"},
            {"outcome": []},
            {"started_at": "soon"},
            {"started_at": 5},
            {"pair": None},
            {"pair": {"source": None, "target": {"guid": TARGET}}},
            {"pair": {"source": {"guid": 5}, "target": {"guid": TARGET}}},
            {"verb": {}},
        ]
    ):
        put(folder, f"odd{number}.json", **{**later, **changes})
    found = newest(str(folder), SOURCE, TARGET, LATER)
    assert found is not None
    assert found["path"] == str(folder / "record.json")


def test_a_file_that_goes_away_meanwhile(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "listdir", lambda folder: ["gone.json"])
    assert newest(str(tmp_path), SOURCE, TARGET, LATER) is None


def test_without_a_folder_there_is_no_record(tmp_path: pathlib.Path) -> None:
    assert newest(f"{tmp_path}/missing", SOURCE, TARGET, LATER) is None


def test_a_folder_that_cannot_be_read_is_told(tmp_path: pathlib.Path) -> None:
    """Nobody knows then whether there is a record."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(MirrorOpsError, match=r"look for earlier records in .*file: Not a directory"):
        newest(f"{tmp_path}/file", SOURCE, TARGET, LATER)


def test_only_what_is_new_is_made(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run may make the same folder at the same time."""
    make = os.mkdir

    def slower(path: str, *args: t.Any) -> None:
        make(path, 0o750)
        make(path, *args)

    monkeypatch.setattr(os, "mkdir", slower)
    assert read(create(f"{tmp_path}/records", "stem", RECORD))
    assert records.read(f"{tmp_path}/records/none.json") is None
