# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _files, _libraries
from ansible_collections.mirrorops.event_streams.plugins.modules import recovery_record
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.module_utils.page.reader import Page
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.recovered import (
    AFTER,
    BEFORE,
    STEPS,
    STEPS_OF_A_FAILURE,
    changed,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Ran, run_main, use_clock
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import EPOCH, KEY, FakeClock

LATER = 39600.0
"""11:00 of the day of the failover, in seconds since its midnight."""


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs begin at 10:00, and records are written at 11:00."""
    assert EPOCH == 1767225600.0
    use_clock(monkeypatch, FakeClock(LATER))


def run(folder: pathlib.Path | str, state: str, *, check: bool = False, **options: t.Any) -> Ran:
    given = {"folder": str(folder), "state": state, "before": BEFORE, **options}
    return run_main(recovery_record, given, check=check)


def end(folder: pathlib.Path | str, **options: t.Any) -> Ran:
    return run(folder, "ended", **{"after": AFTER, "steps": STEPS, **options})


def files(folder: pathlib.Path) -> list[str]:
    return sorted(os.listdir(folder))


def written(ran: Ran) -> dict[str, t.Any]:
    document: dict[str, t.Any] = json.loads(pathlib.Path(ran.result["json"]).read_text("utf-8"))
    return document


def test_the_end_takes_the_place_of_the_beginning(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "new/records"
    begun = run(folder, "begun", job={"id": 4711})
    assert (begun.code, begun.result["changed"]) == (0, False)
    assert written(begun) == begun.result["record"]
    assert begun.result["record"]["outcome"] == "unfinished"
    assert len(files(folder)) == 2

    ended = end(folder, record=begun.result["json"])
    assert (ended.code, ended.result["changed"], ended.warnings) == (0, False, "")
    assert {name: ended.result[name] for name in ("json", "html")} == {
        name: begun.result[name] for name in ("json", "html")
    }
    assert written(ended) == ended.result["record"]
    record = ended.result["record"]
    assert (record["outcome"], record["recovery_time"]["seconds"]) == ("done", 2602.0)
    assert len(files(folder)) == 2
    name = os.path.basename(ended.result["json"])
    assert name.startswith("20260101T100000Z-failover-es-target-")
    assert [stat.S_IMODE(os.stat(ended.result[one]).st_mode) for one in ("json", "html")] == [0o600, 0o600]
    page = Page(pathlib.Path(ended.result["html"]).read_bytes())
    assert name in page.texts("bdi")
    assert page.texts("span", "badge pass")[0] == "done"


def test_the_order_is_the_documented_one(tmp_path: pathlib.Path) -> None:
    import yaml

    documented = yaml.safe_load(recovery_record.RETURN)["record"]["contains"]
    ran = end(tmp_path)
    record = written(ran)
    assert list(record) == list(documented)
    for name in ("recovery_time", "recovery_point"):
        assert list(record[name]) == list(documented[name]["contains"])
    assert list(record["steps"][0]) == list(documented["steps"]["contains"])
    text = pathlib.Path(ran.result["json"]).read_text("utf-8")
    assert text == json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def test_check_mode_writes_nothing(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "records"
    for state in ("begun", "ended"):
        ran = run(folder, state, check=True, record=None)
        assert (ran.code, ran.result["json"], ran.result["html"]) == (0, None, None)
        assert ran.result["record"]["verb"] == "failover"
    assert not folder.exists()


def test_without_a_first_record_a_new_one_is_written(tmp_path: pathlib.Path) -> None:
    names = {os.path.basename(end(tmp_path).result["json"]) for _dummy in range(3)}
    assert len(names) == 3
    assert len(files(tmp_path)) == 6


def test_a_first_record_that_is_gone_is_written_anew(tmp_path: pathlib.Path) -> None:
    begun = run(tmp_path, "begun").result["json"]
    os.unlink(begun)
    ended = end(tmp_path, record=begun)
    assert (ended.result["json"], ended.warnings) == (begun, "")


@pytest.mark.parametrize("what", ["ended", "pair", "broken", "link"])
def test_what_is_not_the_first_record_of_this_run_is_left_alone(what: str, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(run(tmp_path, "begun").result["json"])
    if what == "ended":
        end(tmp_path, record=str(path))
    elif what == "pair":
        document = json.loads(path.read_text())
        document["pair"]["target"]["guid"] = "other"
        path.write_text(json.dumps(document))
    elif what == "broken":
        path.write_text("{")
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    before = path.read_bytes()
    ended = end(tmp_path, record=str(path))
    assert path.read_bytes() == before
    assert ended.result["json"] != str(path)
    assert f"{path} is not the unfinished record of this pair" in ended.warnings
    assert written(ended)["outcome"] == "done"


def test_the_first_record_fits_whatever_is_learnt_afterwards(tmp_path: pathlib.Path) -> None:
    """At the beginning the source could not be looked at."""
    before = changed(BEFORE, sides={**BEFORE["sides"], "source": None})
    begun = run(tmp_path, "begun", before=before).result["json"]
    ended = end(tmp_path, before=before, record=begun)
    assert (ended.result["json"], ended.warnings) == (begun, "")
    assert ended.result["record"]["pair"]["source"]["region"] == "us-south"


def test_a_run_that_continues_another_one(tmp_path: pathlib.Path) -> None:
    earlier = pathlib.Path(end(tmp_path, steps=STEPS_OF_A_FAILURE, failed=True, reason="no").result["json"])
    document = {**json.loads(earlier.read_text()), "started_at": "2026-01-01T09:00:00Z"}
    earlier.write_text(json.dumps(document))
    ran = end(tmp_path, before=changed(BEFORE, continues=str(earlier)))
    record = ran.result["record"]
    assert record["continues"] == {
        "path": str(earlier),
        "verb": "failover",
        "outcome": "failed",
        "started_at": "2026-01-01T09:00:00Z",
        "since": "2026-01-01T09:00:00Z",
    }
    assert (record["recovery_time"]["seconds"], ran.warnings) == (6202.0, "")
    assert str(earlier) in Page(pathlib.Path(ran.result["html"]).read_bytes()).texts("bdi")


@pytest.mark.parametrize("what", ["missing", "other pair", "later", "link"])
def test_what_is_no_earlier_record_of_the_pair_does_not_count(what: str, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(end(tmp_path, failed=True).result["json"])
    document = json.loads(path.read_text())
    if what == "other pair":
        document["pair"]["source"]["guid"] = "other"
    if what == "later":
        document["started_at"] = "2026-01-01T12:00:00Z"
    path.write_text(json.dumps(document))
    if what == "missing":
        path.unlink()
    if what == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    ran = end(tmp_path, before=changed(BEFORE, continues=str(path)))
    assert ran.result["record"]["continues"] is None
    assert ran.result["record"]["recovery_time"]["seconds"] == 2602.0
    assert f"{path} is no earlier record of this pair" in ran.warnings


@pytest.mark.parametrize("named", ["records/a.json", 5, ["/a"], ""])
def test_a_name_of_an_earlier_record_that_is_none(named: t.Any, tmp_path: pathlib.Path) -> None:
    ran = end(tmp_path, before=changed(BEFORE, continues=named))
    assert (ran.result["record"]["continues"], ran.warnings) == (None, "")


def test_the_own_first_record_is_no_earlier_one(tmp_path: pathlib.Path) -> None:
    begun = run(tmp_path, "begun").result["json"]
    ended = end(tmp_path, record=begun, before=changed(BEFORE, continues=begun))
    assert (ended.result["record"]["continues"], ended.warnings) == (None, "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"folder": "records"}, "folder is 'records', which is no absolute path"),
        ({"folder": "{tmp}/file"}, "which is something else than a directory"),
        ({"state": "paused"}, "value of state must be one of: begun, ended"),
        ({"record": "{tmp}/other.json"}, "which is no record in"),
        ({"record": "/etc/passwd"}, "which is no record in"),
        ({"before": None}, "before"),
        ({"before": "text"}, "before"),
        ({"steps": ["text"]}, "steps"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_input(options: dict[str, t.Any], told: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("x")
    given = {
        name: value.replace("{tmp}", str(tmp_path)) if isinstance(value, str) else value
        for name, value in options.items()
    }
    ran = run_main(
        recovery_record,
        {"folder": str(tmp_path / "records"), "state": "ended", "before": BEFORE, "after": AFTER, **given},
    )
    assert ran.failed
    assert told in ran.result["msg"]
    assert "Traceback" not in ran.text
    assert files(tmp_path) == ["file"]


def test_the_home_directory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert end("~/records").result["json"].startswith(f"{tmp_path}/records/")


def test_a_record_that_cannot_be_written_fails(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    ran = end(tmp_path)
    assert ran.failed
    assert "write the record" in ran.result["msg"]
    assert "No space left on device" in ran.result["msg"]
    assert files(tmp_path) == []


def test_a_page_that_cannot_be_written_is_a_warning(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def full(beside: str, path: str) -> None:
        if path.endswith(".html"):
            raise OSError(28, "No space left on device")
        replace(beside, path)

    monkeypatch.setattr(_files.os, "replace", full)
    ran = end(tmp_path)
    assert (ran.code, ran.result["html"]) == (0, None)
    assert "No space left on device" in ran.warnings
    assert files(tmp_path) == [os.path.basename(ran.result["json"])]


@pytest.mark.parametrize("variable", ["IC_API_KEY", "IBMCLOUD_API_KEY", "IC_IAM_TOKEN", "BLUEMIX_API_KEY"])
@pytest.mark.parametrize("key", [KEY, 'hT7wQz3L"\\%2B+<&>sGd4JaUe6'], ids=["plain", "odd"])
def test_credentials_of_the_environment_are_nowhere(
    key: str, variable: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"Bearer {key}" if "TOKEN" in variable else key)
    before = changed(BEFORE, notes=[f"The key {key} is wrong."], sides={"target": {"name": f"es-{key}"}})
    ran = end(tmp_path, before=before, job={"note": key}, reason=f"{key}", failed=True)
    assert ran.code == 0
    texts = [pathlib.Path(ran.result[one]).read_text("utf-8") for one in ("json", "html")]
    spelt = [key, json.dumps(key)[1:-1], key.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")]
    for text in (*texts, ran.text, *files(tmp_path)):
        assert not any(one in text for one in spelt)
    assert all("The key ******** is wrong." in text for text in texts)


def test_a_key_that_the_environment_names_by_its_file_is_nowhere(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.json").write_text(json.dumps({"apikey": KEY}))
    monkeypatch.setenv("IC_API_KEY", f"@{tmp_path}/key.json")
    monkeypatch.setenv("BM_API_KEY", f"@{tmp_path}/missing.json")
    ran = end(tmp_path / "records", reason=f"{KEY}", failed=True)
    assert ran.result["record"]["message"] == "********"
    assert KEY not in pathlib.Path(ran.result["json"]).read_text()


def test_it_needs_no_credentials_and_no_cloud(tmp_path: pathlib.Path) -> None:
    assert not {"ibmcloud_api_key", "iam_token", "iam_endpoint"} & recovery_record.SPEC.options.keys()
    assert end(tmp_path).code == 0


def test_what_nobody_foresaw_is_one_message(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    def explode(call: t.Any) -> t.NoReturn:
        raise KeyError("oops")

    monkeypatch.setattr(recovery_record, "run", explode)
    ran = end(tmp_path)
    assert "Unexpected KeyError" in ran.result["msg"]
    assert "Traceback" not in ran.result["msg"]


def test_requests_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setitem(_libraries._MISSING, "requests", "Traceback: no requests")
    assert end(tmp_path).result["failure"]["kind"] == "library_missing"
