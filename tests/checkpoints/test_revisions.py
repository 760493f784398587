"""Revisions of checkpoints of the hub, from a cache as the hub's library lays it out, and the origin of weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import job

from ratsnlp_like.checkpoints.base import find, load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.origin import Origin, origin_of, weights_digest
from ratsnlp_like.checkpoints.revisions import split_revision, with_revision
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.errors import InputError
from ratsnlp_like.registry import CHECKPOINTS
from ratsnlp_like.training.finetune import fine_tune

COMMITS = {"main": "a" * 40, "v2022": "b" * 40}


@pytest.fixture
def hub(tmp_path: Path, tiny_model_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Return branch -> folder of my/model in the cache of the hub; the branches have 2 layers and 1."""
    root = tmp_path / "hub"
    for module in ("transformers.utils.hub", "huggingface_hub.constants", "huggingface_hub.file_download"):
        monkeypatch.setattr(f"{module}.HF_HUB_CACHE", str(root), raising=False)
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(root), raising=False)
    repository, folders = root / "models--my--model", {}
    for layers, (branch, commit) in zip((2, 1), COMMITS.items(), strict=True):
        folders[branch] = repository / "snapshots" / commit
        folders[branch].parent.mkdir(parents=True, exist_ok=True)
        tiny_model_folder(branch, num_hidden_layers=layers).rename(folders[branch])
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / branch).write_text(commit)
    return folders


def test_names() -> None:
    assert split_revision("my/model@v1") == ("my/model", "v1")
    assert split_revision("my/model@refs/pr/1") == ("my/model", "refs/pr/1")
    assert split_revision("my/model") == ("my/model", None)
    assert with_revision("my/model", None) == "my/model"
    assert with_revision("my/model@v1", "v1") == "my/model@v1"
    assert resolve(with_revision("my/model", "refs/pr/1")) == "my/model@refs/pr/1"
    with pytest.raises(InputError, match=r"--revision: 'my/model@v1' and the revision 'v2'"):
        with_revision("my/model@v1", "v2")
    with pytest.raises(InputError, match="no revision after the @"):
        split_revision("my/model@")


def test_a_folder_has_no_revisions(tmp_path: Path, tiny_model_folder: Callable[..., Path]) -> None:
    folder = tiny_model_folder()
    for name in (f"{folder}@v1", "ko-blank-bert@v1"):
        with pytest.raises(InputError, match="has no revision 'v1': it is no repository of the hub"):
            resolve(name)
    assert resolve(str(folder.rename(tmp_path / "model@v1"))).endswith("model@v1")


def test_each_revision_is_loaded_with_its_files(hub: dict[str, Path]) -> None:
    from transformers import AutoModel

    for name, layers, branch in (("my/model", 2, "main"), ("my/model@v2022", 1, "v2022")):
        config = load_config(name)
        assert config.num_hidden_layers == layers
        tokenizer = load_tokenizer(name, config)
        model = load_model(name, config, AutoModel, vocabulary=len(tokenizer))
        assert len(model.encoder.layer) == layers
        digest = hashlib.sha256((hub[branch] / "model.safetensors").read_bytes()).hexdigest()
        assert origin_of(name) == Origin(split_revision(name)[1], COMMITS[branch], digest)
    with pytest.raises(InputError, match=r"(?s)'my/model@v9' is not found.*check the name, the revision 'v9'"):
        load_config("my/model@v9")


@pytest.mark.slow
def test_the_origin_is_kept_with_the_model(hub: dict[str, Path], tmp_path: Path) -> None:
    own = {"checkpoint": "my/model", "revision": "v2022", "init": "pretrained", "config_overrides": {}}
    fine_tune(**job(tmp_path, **own, max_steps=1, baselines=False, limit_train=8, limit_eval=8))
    expected = {"revision": "v2022", "commit": COMMITS["v2022"], "weights_sha256": weights_digest("my/model@v2022")}
    about = json.loads((tmp_path / "run" / "best" / "task.json").read_text())["about"]
    assert (about["checkpoint"], about["origin"]) == ("my/model@v2022", expected)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["origin"] == expected


def test_the_digest_of_several_files_is_that_of_their_sums(tmp_path: Path) -> None:
    lines = ""
    for name in ("model-1.safetensors", "model-2.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
        lines += f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n"
    index: dict[str, Any] = {"weight_map": {"b": "model-2.safetensors", "a": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert weights_digest(str(tmp_path)) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("beomi/KcELECTRA-base", "beomi/KcELECTRA-base"),
        ("beomi/KcELECTRA-base@" + "c" * 40, "beomi/KcELECTRA-base"),
        ("beomi/KcELECTRA-base@v2022", "beomi/KcELECTRA-base@v2022"),
        ("beomi/KcELECTRA-base-v2022", "beomi/KcELECTRA-base@v2022"),
        ("beomi/KcELECTRA-base@v2021", "beomi/KcELECTRA-base@v2021"),
        ("klue/roberta-base@main", "klue/roberta-base"),
    ],
)
def test_entries_of_revisions(name: str, entry: str) -> None:
    assert find(name) is CHECKPOINTS[entry]
