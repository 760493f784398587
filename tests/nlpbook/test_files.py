"""Downloads under the book's names."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from download_helpers import CONTENT, Host

from ratsnlp_like import nlpbook
from ratsnlp_like.errors import InputError
from ratsnlp_like.nlpbook import classification, files, generation


@pytest.mark.slow
def test_a_download_is_complete_and_kept(host: str, tmp_path: Path) -> None:
    path = nlpbook.web_download(f"{host}/a", "a.bin", cache_dir=str(tmp_path / "new"))
    assert path == nlpbook.get_valid_path(str(tmp_path / "new"), "a.bin")
    assert Path(path).read_bytes() == CONTENT
    assert {file.name for file in (tmp_path / "new").iterdir()} <= {"a.bin", "a.bin.lock"}
    Host.content = b"other"
    nlpbook.web_download(f"{host}/a", "a.bin", cache_dir=str(tmp_path / "new"))
    assert len(Host.requests) == 1  # an existing file is not requested again
    nlpbook.web_download(f"{host}/a", "a.bin", cache_dir=str(tmp_path / "new"), force_download=True)
    assert Path(path).read_bytes() == b"other"


@pytest.mark.slow
def test_a_corpus_is_downloaded_to_the_folder_its_class_reads(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nsmc = files.CORPORA["nsmc"]
    Host.content = "id\tdocument\tlabel\n1\t좋다\t1\n".encode()
    digest = hashlib.sha256(Host.content).hexdigest()
    monkeypatch.setattr(
        files,
        "CORPORA",
        {"nsmc": SimpleNamespace(remote=[replace(r, url=f"{host}/{r.path}", sha256=digest) for r in nsmc.remote])},
    )
    args = classification.ClassificationTrainArguments(
        downstream_corpus_name="nsmc", downstream_corpus_root_dir=str(tmp_path)
    )
    nlpbook.download_downstream_dataset(args)
    for mode in ("train", "test"):
        (example,) = classification.NsmcCorpus().get_examples(tmp_path / "nsmc", mode)
        assert example == classification.ClassificationExample("좋다", None, "1")
    with pytest.raises(InputError, match=r"did you mean 'nsmc'"):
        nlpbook.download_downstream_dataset(replace(args, downstream_corpus_name="nmsc"))
    with pytest.raises(InputError, match=r"ratings_val\.txt"):
        classification.NsmcCorpus().get_examples(tmp_path / "nsmc", "val")


@pytest.mark.slow
def test_files_of_google_drive(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "drive", lambda file_id: f"{host}/drive?id={file_id}")
    path = nlpbook.google_download("abc", "a.bin", cache_dir=str(tmp_path))
    assert Path(path).read_bytes() == CONTENT
    assert Host.requests == [("/drive?id=abc", None)]


def test_download_pretrained_model(root: Path) -> None:
    args = generation.GenerationTrainArguments(pretrained_model_name=str(root / "gpt"))
    assert nlpbook.download_pretrained_model(args, config_only=True) == str(root / "gpt")
    with pytest.raises(InputError, match="cannot be downloaded from the hub"):
        nlpbook.download_pretrained_model(replace(args, pretrained_model_name="kogpt2"))
