"""Checkpoints by name: known facts, folders and configurations.

Facts come from the files of a checkpoint; what they lack, or state wrongly, is in a `Checkpoint` entry, which is data:
one file of this package per family with quirks.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from ..errors import InputError, did_you_mean, is_panic
from ..registry import CHECKPOINTS
from ..runtime.gc_control import gc_disabled
from ..runtime.network import offline_if_cut_off
from .revisions import split_revision

log = logging.getLogger("ratsnlp_like")

_MOVED = {"load_tokenizer": "tokenizer", "load_model": "model"}
"""Names that were in this module -> their modules; scripts of users import them from here."""
BUNDLED = Path(str(resources.files(__package__) / "bundled"))
_TAKEN = frozenset({"vocab_size", "num_labels", "id2label", "label2id", "problem_type"})
"""Settings that follow from the tokenizer and from the labels."""


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MOVED[name]}", __package__), name)


@dataclass(frozen=True)
class Checkpoint:
    """Facts about a checkpoint, or a family of checkpoints, that are not in its files."""

    description: str
    """Size, texts and licence in one line, for `list checkpoints`."""
    pattern: str
    """A regular expression that the hub id, with or without `@revision`, or the last part of a folder's path, must
    match fully."""
    tokenizer_class: str | None = None
    """Matches a folder of any name whose tokenizer_config.json names this class."""
    tokenizer_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Passed to the tokenizer's loader."""
    drop_inputs: frozenset[str] = frozenset()
    """Inputs that the tokenizer returns and the model must not get."""
    load_tokenizer: Callable[..., Any] | None = None
    """`(name, **tokenizer_kwargs) -> tokenizer`, where AutoTokenizer is wrong or fails. It gets `revision` too, where
    one is named."""
    model_type: str | None = None
    """As config.json names it."""
    vocabulary: int | None = None
    """Number of tokens."""
    positions: int | None = None
    """Length of the longest input in tokens."""
    checked: frozenset[str] = frozenset()
    """Names of those of the last three facts that were compared with the files; others are from model cards."""

    def matches(self, name: str, tokenizer_class: str | None) -> bool:
        """Return whether this entry describes the checkpoint."""
        if self.tokenizer_class is not None and self.tokenizer_class == tokenizer_class:
            return True
        names = name, Path(name).name
        return any(re.fullmatch(self.pattern, candidate, re.IGNORECASE) for candidate in names)

    def summary(self) -> str:
        """Return the description and the facts, for `list checkpoints`; facts that were not checked are marked."""
        facts = {
            "model_type": self.model_type,
            "vocabulary": self.vocabulary and f"vocabulary of {self.vocabulary:,}",
            "positions": self.positions and f"{self.positions:,} positions",
        }
        known = [f"{fact}{'' if name in self.checked else '?'}" for name, fact in facts.items() if fact]
        return f"{self.description} ({', '.join(known)})" if known else self.description


def bundled() -> list[str]:
    """Return the names of the checkpoints that are part of the package."""
    return sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))


COPY_AGAIN = "copy the folder again, or train again"
"""Advice for a saved model that is damaged."""
_MOST_LAYERS = 1_000
"""Largest plausible number of layers."""
_SIZES = ("num_hidden_layers", "n_layer"), ("hidden_size", "n_embd")
"""Names in the configurations of BERT and of GPT-2."""


def describe_bundled(name: str) -> str:
    """Return architecture and size of a bundled checkpoint, from its files."""
    config = read_json(BUNDLED / name / "config.json")
    layers, width = (config.get(bert, config.get(gpt)) for bert, gpt in _SIZES)
    size = f"{layers} layers, {width} wide"
    weights = "" if (BUNDLED / name / "model.safetensors").exists() else ", no weights: use --init random"
    return f"{config.get('model_type')}, {size}, vocabulary of {config.get('vocab_size'):,}{weights}"


def resolve(name: str) -> str:
    """Return the folder of a bundled name; a folder or a hub id (`owner/name`, `owner/name@revision`) is unchanged.

    Raises:
        InputError: `name` is a path that does not exist, cannot be a hub id, or is a folder with a revision.
    """
    if name in bundled():
        return str(BUNDLED / name)
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").exists():
            inside = ", ".join(sorted(p.name for p in path.iterdir())[:8]) or "nothing"
            best = path / "best"
            raise InputError(
                f"the folder has no config.json (it contains {inside})",
                place=name,
                expected="a checkpoint folder: config.json, the tokenizer's files, model.safetensors",
                fix=f"use {best}" if (best / "config.json").exists() else None,
            )
        return str(path)
    repository, revision = split_revision(name)
    if revision is not None and (repository in bundled() or Path(repository).expanduser().exists()):
        raise InputError(
            f"{repository} has no revision {revision!r}: it is no repository of the hub",
            place=name,
            expected="owner/name@revision",
            fix=f"use {repository}",
        )
    if path.exists() or name.startswith(("/", "./", "../", "~")) or repository.count("/") > 1:
        raise InputError(f"no checkpoint folder {name!r}", fix=did_you_mean(name, [*bundled(), *CHECKPOINTS]))
    if "/" not in repository:
        raise InputError(
            f"unknown checkpoint {name!r}: not bundled, not a folder, not a hub id (owner/name)",
            fix=did_you_mean(name, [*bundled(), *CHECKPOINTS]),
        )
    offline_if_cut_off()
    return name


def find(name: str) -> Checkpoint | None:
    """Return the entry of a checkpoint, by the class of its tokenizer or by its name.

    An entry of the named revision comes before that of the repository.
    """
    declared = read_json(Path(name) / "tokenizer_config.json").get("tokenizer_class")
    names = dict.fromkeys([name, split_revision(name)[0]])
    return next((entry for own in names for _, entry in CHECKPOINTS.items() if entry.matches(own, declared)), None)


def read_json(path: Path | None) -> dict[str, Any]:
    """Return the object of a JSON file, empty where there is none.

    Raises:
        InputError: the file is not valid JSON.
    """
    if path is None or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not valid JSON ({error})", place=path) from None
    return content if isinstance(content, dict) else {}


def hub_file(name: str, file: str) -> Path | None:
    """Return the path of a file of a checkpoint, downloaded where needed; None where the checkpoint has none."""
    if (folder := Path(name)).is_dir():
        return folder / file if (folder / file).is_file() else None
    from transformers.utils.hub import cached_file

    repository, revision = split_revision(name)
    found = cached_file(
        repository,
        file,
        revision=revision,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
        _raise_exceptions_for_gated_repo=False,
    )
    return None if found is None else Path(str(found))


@gc_disabled()
def load_config(name: str, overrides: Mapping[str, Any] | None = None) -> Any:
    """Load the configuration of a checkpoint, with some of its fields replaced.

    Raises:
        InputError: the checkpoint cannot be loaded, or an override is not a field of its configuration.
    """
    from transformers import AutoConfig

    overrides = overrides or {}
    if taken := sorted(_TAKEN & set(overrides)):
        raise InputError(
            f"{taken[0]}", place="--config_overrides", expected="settings that do not follow from the data"
        )
    config = from_hub(name, AutoConfig.from_pretrained)
    unknown = [key for key in overrides if not hasattr(config, key)]
    if unknown:
        raise InputError(
            f"{config.model_type} has no setting {unknown[0]!r}",
            place="--config_overrides",
            fix=did_you_mean(unknown[0], config.to_dict()),
        )
    try:
        for key, value in overrides.items():
            setattr(config, key, value)
    except Exception as error:  # transformers validates types with exceptions of its own
        raise InputError(f"{key} = {value!r}: {' '.join(str(error).split())}", place="--config_overrides") from None
    _check_layers(config, name, overrides)
    return config


def _check_layers(config: Any, name: str, overrides: Mapping[str, Any]) -> None:
    """Check the numbers of layers: a model of a damaged number would fill the memory before anything is compared."""
    values = {key: value for key, value in config.to_dict().items() if "layers" in key or key == "n_layer"}
    least = 1 if getattr(config, "num_hidden_layers", 1) == 0 else 0
    for key, value in values.items():
        if type(value) is int and not least <= value <= _MOST_LAYERS:
            raise InputError(
                f"{key} is {value}",
                place="--config_overrides" if key in overrides else Path(name) / "config.json",
                expected=f"1 to {_MOST_LAYERS:,} layers",
            )


def _how_to_find(name: str) -> str:
    """Return advice for a hub id that cannot be loaded; names similar to a known id are only suggested for others."""
    if (revision := split_revision(name)[1]) is not None:
        return f"check the name, the revision {revision!r} and the network"
    known = any(entry.matches(name, None) for _, entry in CHECKPOINTS.items())
    similar = "" if known else did_you_mean(name, [*bundled(), *CHECKPOINTS], few=True)
    return f"{similar}check the name and the network; or use a folder or a bundled checkpoint: {', '.join(bundled())}"


def loading_error(error: Exception) -> str:
    """Return the first line of what a loader raised.

    torch refuses pickled objects with the advice to load them all the same, which would execute code of the file.
    """
    text = str(error).strip()
    if "weights_only" in text:
        return "a file of weights is damaged, or has pickled objects besides tensors, which could execute code"
    return text.splitlines()[0] if text else type(error).__name__


def from_hub(name: str, load: Callable[..., Any], **kwargs: Any) -> Any:
    """Call a loader of transformers with the revision that a name states; whatever it raises becomes one message.

    Raises:
        InputError: the files are missing, incomplete or of another format.
    """
    repository, revision = split_revision(name)
    if revision is not None:
        kwargs["revision"] = revision
    try:
        return load(repository, **kwargs)
    except InputError:  # a loader of this package states the problem itself
        raise
    except Exception as error:  # tokenizers and safetensors raise types of their own, or Exception itself
        reason = loading_error(error)
        if Path(name).is_dir():
            raise InputError(
                f"cannot be loaded: {reason}", place=name, fix="check that the folder's files are complete"
            ) from error
        raise InputError(
            f"checkpoint {name!r} is not found locally or on the Hub: {reason}",
            fix=_how_to_find(name),
        ) from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise InputError(
            "its tokenizer.json is damaged: tokens are used that it does not define",
            place=name,
            fix="check that the folder's files are complete",
        ) from None
