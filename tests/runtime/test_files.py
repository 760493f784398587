"""Atomic writers: the former content remains until the new one is complete and synced."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.runtime.files import (
    atomic_file,
    atomic_folder,
    delete,
    move_into_place,
    recover,
    write_json,
    write_text,
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestFolder:
    def test_replaces_the_former_folder(self, tmp_path: Path) -> None:
        target = tmp_path / "model"
        target.mkdir()
        (target / "stale").touch()
        with atomic_folder(target) as partial:
            (partial / "weights").write_text("new")
            assert names(target) == {"stale"}
        assert names(target) == {"weights"}
        assert names(tmp_path) == {"model"}

    def test_an_error_leaves_the_former_folder(self, tmp_path: Path) -> None:
        target = tmp_path / "model"
        target.mkdir()
        (target / "weights").write_text("old")
        with pytest.raises(FileNotFoundError), atomic_folder(target) as partial:
            (partial / "missing" / "weights").write_text("half")
        assert (target / "weights").read_text() == "old"
        assert names(tmp_path) == {"model"}

    def test_a_full_disk_is_an_input_error(self, tmp_path: Path) -> None:
        with (
            pytest.raises(InputError, match=r"model: the model cannot be written: .*\n  fix: make room") as caught,
            atomic_folder(tmp_path / "model", content="the model"),
        ):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert caught.value.place == tmp_path / "model"
        assert names(tmp_path) == set()

    def test_permissions_are_those_of_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            with atomic_folder(tmp_path / "model") as partial:
                (partial / "weights").touch(mode=0o600)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "model" / "weights").stat().st_mode) == 0o640

    def test_recovers_from_a_kill_between_the_renames(self, tmp_path: Path) -> None:
        (tmp_path / "model.old").mkdir()
        recover(tmp_path / "model")
        assert names(tmp_path) == {"model"}
        (tmp_path / "model.old").mkdir()
        recover(tmp_path / "model")
        assert names(tmp_path) == {"model"}


class TestFile:
    def test_an_error_leaves_the_former_file(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_text("old")
        with pytest.raises(UnicodeEncodeError), atomic_file(path) as file:
            file.write("half\ud800")
        assert path.read_text() == "old"
        assert names(tmp_path) == {"rows.csv"}

    def test_a_link_keeps_pointing_to_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "target").write_text("old")
        (tmp_path / "link").symlink_to(tmp_path / "target")
        write_text(tmp_path / "link", "새 글")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "target").read_text(encoding="utf-8") == "새 글"

    def test_a_device_is_written_directly(self) -> None:
        write_text(Path("/dev/null"), "nothing")
        assert not Path("/dev/null").is_file()
        assert not Path("/dev/null.partial").exists()

    def test_json_is_indented_with_hangul(self, tmp_path: Path) -> None:
        write_json(tmp_path / "a.json", {"라벨": ["긍정"]})
        text = (tmp_path / "a.json").read_text(encoding="utf-8")
        assert text == '{\n  "라벨": [\n    "긍정"\n  ]\n}\n'
        assert json.loads(text) == {"라벨": ["긍정"]}


@pytest.mark.parametrize("folder", [True, False])
def test_content_is_synced_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool) -> None:
    partial, target = tmp_path / "new.partial", tmp_path / "new"
    if folder:
        partial.mkdir()
        (partial / "weights").touch()
    else:
        partial.touch()
    seen: list[tuple[str, bool]] = []

    def fsync(handle: int) -> None:
        seen.append((Path(f"/proc/self/fd/{handle}").readlink().name, target.exists()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("names of open files are read from /proc")
    monkeypatch.setattr(os, "fsync", fsync)
    move_into_place(partial, target)
    content = [("weights", False)] if folder else []
    assert seen == [*content, ("new.partial", False), (tmp_path.name, True)]


def test_a_link_to_a_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").write_text("kept")
    link = tmp_path / "best"
    for target in (other, tmp_path / "missing"):
        delete(link)
        link.symlink_to(target)
        with atomic_folder(link) as partial:
            (partial / "new").write_text("new")
        assert not link.is_symlink()
        assert [path.name for path in link.iterdir()] == ["new"]
        assert [path.name for path in other.iterdir()] == ["kept"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "other"]


def test_a_reader_that_recovers_between_the_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "best"
    folder.mkdir()
    rename = Path.rename

    def renamed(path: Path, target: Path) -> Path:
        out = rename(path, target)
        if target.name.endswith(".old"):
            recover(folder)
        return out

    monkeypatch.setattr(Path, "rename", renamed)
    with atomic_folder(folder) as partial:
        (partial / "new").write_text("new")
    assert (folder / "new").read_text() == "new"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_text(tmp_path / "a.json", "before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device") as caught:
        write_text(tmp_path / "a.json", "after")
    assert caught.value.place == tmp_path / "a.json"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]
