"""Downloads: resumption, digests, responses that are no file."""

from __future__ import annotations

from pathlib import Path

import pytest
from download_helpers import CONTENT, DIGEST, Host
from helpers import write

from ratsnlp_like.errors import InputError
from ratsnlp_like.runtime.download import download


@pytest.mark.slow
def test_a_broken_download_is_resumed(host: str, tmp_path: Path) -> None:
    Host.failures = 2
    assert download(f"{host}/a", tmp_path / "a.bin", sha256=DIGEST).read_bytes() == CONTENT
    assert [wanted for _, wanted in Host.requests] == [None, "bytes=256000-", "bytes=384000-"]


@pytest.mark.slow
def test_a_failed_download_is_resumed_by_the_next_call(host: str, tmp_path: Path) -> None:
    Host.failures = 3
    with pytest.raises(InputError, match=r"broke after 448,000 of 512,000 bytes"):
        download(f"{host}/a", tmp_path / "a.bin")
    assert not (tmp_path / "a.bin").exists()
    download(f"{host}/a", tmp_path / "a.bin", sha256=DIGEST)
    assert Host.requests[-1][1] == "bytes=448000-"


@pytest.mark.slow
def test_a_partial_file_of_another_version_is_discarded(host: str, tmp_path: Path) -> None:
    Host.failures = 3
    with pytest.raises(InputError):
        download(f"{host}/a", tmp_path / "a.bin")
    Host.content, Host.tag = CONTENT[::-1], '"v2"'
    assert download(f"{host}/a", tmp_path / "a.bin").read_bytes() == CONTENT[::-1]


@pytest.mark.slow
def test_a_partial_file_that_is_too_long_is_discarded(host: str, tmp_path: Path) -> None:
    write(tmp_path / "a.bin.part", CONTENT + b"more")
    write(tmp_path / "a.bin.part.etag", Host.tag)
    assert download(f"{host}/a", tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "message"),
    [("/page", "a web page in place of the file: .*sign in"), ("/disguised", "quota exceeded"), ("/missing", "404")],
)
def test_a_response_that_is_no_file_is_an_input_error(path: str, message: str, host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        download(host + path, tmp_path / "a.bin")
    assert caught.value.place == host + path
    assert {file.name for file in tmp_path.iterdir()} <= {"a.bin.lock"}


@pytest.mark.slow
def test_a_wrong_digest_and_an_unreachable_host_are_input_errors(host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=DIGEST):
        download(f"{host}/a", tmp_path / "a.bin", sha256="0" * 64)
    assert {file.name for file in tmp_path.iterdir()} <= {"a.bin.lock"}
    with pytest.raises(InputError, match="refused"):
        download("http://127.0.0.1:9/a", tmp_path / "a.bin", timeout=1)
