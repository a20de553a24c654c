# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _files
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.write import (
    check_path,
    try_page,
    write_page,
)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "no absolute path"),
        ("page.html", "no absolute path"),
        ("{folder}/", "no absolute path"),
        ("{folder}/a\0b", "no absolute path"),
        ("{folder}/missing/page.html", "there is no directory"),
        ("{folder}/file/page.html", "cannot be used: Not a directory"),
        ("{folder}/" + "n" * 300, "cannot be used: File name too long"),
        ("{folder}", "which is a directory"),
        ("{folder}/pipe", "something else than a file"),
    ],
)
def test_paths_that_cannot_be_written(path: str, told: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match=told) as caught:
        check_path(path.replace("{folder}", str(tmp_path)))
    assert "Give the path of a file" in caught.value.message


def test_a_directory_that_cannot_be_written_to(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root could, so the answer of the system is made up."""
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK)
    with pytest.raises(InvalidInput, match="cannot be written to"):
        check_path(f"{tmp_path}/page.html")


def test_what_only_the_file_system_knows_is_left_to_the_real_run(tmp_path: pathlib.Path) -> None:
    check_path(f"{tmp_path}/missing/page.html", look=False)
    with pytest.raises(InvalidInput, match="no absolute path"):
        check_path("page.html", look=False)


def test_a_page_takes_the_place_of_the_one_before(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "page.html"
    before = os.umask(0o027)
    try:
        for text in (b"old", b"new"):
            check_path(str(path))
            write_page(str(path), text)
    finally:
        os.umask(before)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, os.listdir(tmp_path)) == (b"new", 0o640, ["page.html"])


def test_a_link_is_not_followed(tmp_path: pathlib.Path) -> None:
    """Who may write to the same directory cannot choose another file to be overwritten."""
    (tmp_path / "other").write_text("other")
    (tmp_path / "page.html").symlink_to(tmp_path / "other")
    check_path(f"{tmp_path}/page.html")
    write_page(f"{tmp_path}/page.html", b"new")
    assert (tmp_path / "other").read_text() == "other"
    assert not (tmp_path / "page.html").is_symlink()


class Full:
    """A file on a disk without space."""

    def __init__(self, descriptor: int, mode: str) -> None:
        self._file = os.fdopen(descriptor, mode)

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *what: t.Any) -> None:
        self._file.close()

    def write(self, page: bytes) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("what", ["write", "replace"])
def test_nothing_is_left_of_a_page_that_could_not_be_written(
    what: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text("old")

    def replace(beside: str, path: str) -> None:
        raise OSError(28, "No space left on device")

    if what == "write":
        monkeypatch.setattr(_files, "open", Full, raising=False)
    else:
        monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(MirrorOpsError, match=r"write the page .*page\.html: No space left on device") as caught:
        write_page(f"{tmp_path}/page.html", b"new")
    assert caught.value.remedy
    assert os.listdir(tmp_path) == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "old"


def test_a_page_that_cannot_be_written_is_a_warning(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    path = f"{tmp_path}/page.html"
    assert (try_page(path, b"new", warned.append), warned) == (path, [])
    monkeypatch.setattr(_files, "open", Full, raising=False)
    assert try_page(path, b"newer", warned.append) is None
    assert len(warned) == 1
    assert "No space left on device" in warned[0]
    assert (tmp_path / "page.html").read_bytes() == b"new"
