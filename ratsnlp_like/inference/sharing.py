"""Upload of a saved model to the Hugging Face hub: `share`."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints.revisions import split_revision
from ..errors import InputError
from ..runtime.files import write_json, write_text
from .model_card import HUB_ID, ModelCard, is_hub_id
from .model_folder import find_model

log = logging.getLogger("ratsnlp_like")

_PATHS = "checkpoint", "corpus"
"""Entries of `about` in task.json that can be paths of this machine, of which only the last part is uploaded."""


@dataclass(frozen=True)
class Upload:
    """The content of an upload, sent by `share` or not."""

    repository: str
    private: bool
    files: dict[str, int]
    """Name -> size in bytes."""
    card: str
    url: str | None = None
    """Address of the commit; None for a dry run."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return dict(vars(self))


def share(
    model: str | Path,
    repository: str,
    *,
    private: bool = True,
    license: str | None = None,
    message: str | None = None,
    dry_run: bool = False,
) -> Upload:
    """Upload a model folder to the hub, with its card; the repository is created where there is none.

    The token is that of `hf auth login` or $HF_TOKEN. Of the checkpoint and the corpus, names of files are uploaded,
    but no paths of this machine. The visibility of a repository that exists is not changed.

    Args:
        model: a run folder, whose best model is uploaded, or a model folder.
        repository: `owner/name`.
        private: of a new repository.
        license: of the model, as the hub names it (`mit`, `cc-by-sa-4.0`); by default that of the checkpoint, where it
            is known.
        message: of the commit.
        dry_run: return what would be uploaded; nothing is sent.

    Raises:
        InputError: there is no model, the name is invalid, or the hub refuses the upload.
    """
    if not HUB_ID.fullmatch(repository):
        raise InputError(f"{repository!r}", place="the repository", expected="owner/name, in letters, digits, - _ .")
    folder = find_model(model)
    with _staged(folder, repository, license) as staged:
        files = {str(p.relative_to(staged)): p.stat().st_size for p in sorted(staged.rglob("*")) if p.is_file()}
        card = (staged / "README.md").read_text(encoding="utf-8")
        upload = Upload(repository, private, files, card)
        if dry_run:
            return upload
        url = _send(staged, repository, private=private, message=message or "Upload a model of ratsnlp_like")
    return Upload(repository, private, files, card, url)


@contextmanager
def _staged(folder: Path, repository: str, license: str | None) -> Iterator[Path]:
    """Yield a copy of a model folder with the card of the repository and without paths of this machine."""
    with tempfile.TemporaryDirectory() as temporary:
        staged = Path(temporary) / "model"
        shutil.copytree(folder, staged, ignore=shutil.ignore_patterns(".*"))
        write_text(staged / "README.md", str(ModelCard.of_folder(folder, name=repository, license=license)))
        content = json.loads((staged / "task.json").read_text(encoding="utf-8"))
        about = content["about"]
        for name in _PATHS:
            if name in about and not is_hub_id(split_revision(str(about[name]))[0]):
                about[name] = Path(str(about[name])).name
        write_json(staged / "task.json", content)
        yield staged


def _send(folder: Path, repository: str, *, private: bool, message: str) -> str:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    api = HfApi(library_name="ratsnlp_like")
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repository, folder_path=folder, commit_message=message).commit_url)
    except LocalTokenNotFoundError:
        raise InputError("no token of the hub", place=repository, fix="hf auth login, or set HF_TOKEN") from None
    except OfflineModeIsEnabled:
        raise InputError("HF_HUB_OFFLINE is set", place=repository, fix="unset HF_HUB_OFFLINE") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        fix = "hf auth login with a token that can write to this owner" if status in {401, 403} else "try again later"
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"the hub refuses the upload ({reason})", place=repository, fix=fix) from error
    except OSError as error:
        raise InputError(f"the hub cannot be reached ({error})", place=repository, fix="try again later") from error
