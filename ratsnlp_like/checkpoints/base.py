"""From the name of a checkpoint to its configuration, tokenizer and model.

The files of a checkpoint are asked first; what they do not say, or say wrongly, stands in a
`Checkpoint` entry, which is data: one file per family with quirks beside this one.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError, did_you_mean
from ..registry import CHECKPOINTS
from ..runtime.gc_control import gc_disabled
from ..runtime.logging import quiet_transformers
from ..runtime.network import offline_if_cut_off

log = logging.getLogger("ratsnlp_like")

Init = Literal["pretrained", "random"]
BUNDLED = Path(str(resources.files(__package__) / "bundled"))
_TAKEN = frozenset({"vocab_size", "num_labels", "id2label", "label2id", "problem_type"})
"""Settings that come from the tokenizer and from the labels."""
_PROBE = "안녕하세요 한국어 문장입니다"


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a checkpoint, or of a family, beyond its files."""

    description: str
    """Architecture, vocabulary and licence in one line, for `list checkpoints`."""
    pattern: str
    """A regular expression that the hub id, or the last part of a folder's path, must match fully."""
    tokenizer_class: str | None = None
    """Matches a folder of any name whose tokenizer_config.json names this class."""
    tokenizer_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """Passed to the tokenizer's loader."""
    drop_inputs: frozenset[str] = frozenset()
    """Inputs that the tokenizer makes and the model must not get."""
    load_tokenizer: Callable[..., Any] | None = None
    """`(name, **tokenizer_kwargs) -> tokenizer`, where AutoTokenizer is wrong or fails."""

    def matches(self, name: str, tokenizer_class: str | None) -> bool:
        """Whether this entry speaks of the checkpoint."""
        if self.tokenizer_class is not None and self.tokenizer_class == tokenizer_class:
            return True
        names = name, Path(name).name
        return any(re.fullmatch(self.pattern, candidate, re.IGNORECASE) for candidate in names)


def bundled() -> list[str]:
    """Names of the checkpoints that ship with the package."""
    return sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))


_SIZES = ("num_hidden_layers", "n_layer"), ("hidden_size", "n_embd")
"""As BERT's configuration and as GPT-2's call them."""


def describe_bundled(name: str) -> str:
    """Architecture and size of a bundled checkpoint, from its files."""
    config = _read_json(BUNDLED / name / "config.json")
    layers, width = (config.get(bert, config.get(gpt)) for bert, gpt in _SIZES)
    size = f"{layers} layers, {width} wide"
    weights = "" if (BUNDLED / name / "model.safetensors").exists() else ", no weights: use --init random"
    return f"{config.get('model_type')}, {size}, vocabulary of {config.get('vocab_size'):,}{weights}"


def resolve(name: str) -> str:
    """A bundled name becomes its folder; a folder or a hub id stays.

    Raises:
        InputError: `name` looks like a path and nothing is there, or is no possible hub id.
    """
    if name in bundled():
        return str(BUNDLED / name)
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").exists():
            inside = ", ".join(sorted(p.name for p in path.iterdir())[:8]) or "nothing"
            best = path / "best"
            raise InputError(
                f"the folder holds no config.json (it holds {inside})",
                place=name,
                expected="a checkpoint folder: config.json, the tokenizer's files, model.safetensors",
                fix=f"use {best}" if (best / "config.json").exists() else None,
            )
        return str(path)
    if path.exists() or name.startswith(("/", "./", "../", "~")) or name.count("/") > 1:
        raise InputError(f"no checkpoint folder {name!r}", fix=did_you_mean(name, [*bundled(), *CHECKPOINTS]))
    if "/" not in name:
        raise InputError(
            f"unknown checkpoint {name!r}: not bundled, not a folder, not a hub id (owner/name)",
            fix=did_you_mean(name, [*bundled(), *CHECKPOINTS]),
        )
    offline_if_cut_off()
    return name


def find(name: str) -> Checkpoint | None:
    """The entry that knows of this checkpoint, by its tokenizer's class or by its name."""
    declared = _read_json(Path(name) / "tokenizer_config.json").get("tokenizer_class")
    return next((entry for _, entry in CHECKPOINTS.items() if entry.matches(name, declared)), None)


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not valid JSON ({error})", place=path) from None
    return content if isinstance(content, dict) else {}


@gc_disabled()
def load_config(name: str, overrides: Mapping[str, Any] | None = None) -> Any:
    """The configuration of a checkpoint, with some of its fields replaced.

    Raises:
        InputError: the checkpoint cannot be had, or an override names no field of its configuration.
    """
    from transformers import AutoConfig

    overrides = overrides or {}
    if taken := sorted(_TAKEN & set(overrides)):
        raise InputError(f"{taken[0]}", place="--config_overrides", expected="settings that the data do not decide")
    config = _from_hub(name, AutoConfig.from_pretrained)
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
    except Exception as error:  # transformers checks types with errors of its own
        raise InputError(f"{key} = {value!r}: {' '.join(str(error).split())}", place="--config_overrides") from None
    return config


@gc_disabled()
def load_tokenizer(name: str, config: Any) -> Any:
    """The tokenizer of a checkpoint, checked on Korean, giving just the inputs that its model takes.

    Raises:
        InputError: it cannot be loaded, or it knows no Korean.
    """
    entry = find(name)
    kwargs = dict(entry.tokenizer_kwargs) if entry else {}
    tokenizer = _load_checked(name, entry.load_tokenizer if entry else None, kwargs)
    dropped = set(entry.drop_inputs) if entry else set()
    if getattr(config, "type_vocab_size", 0) < 2:
        dropped.add("token_type_ids")
    elif "token_type_ids" not in tokenizer.model_input_names:
        tokenizer.model_input_names = [*tokenizer.model_input_names, "token_type_ids"]
    tokenizer.model_input_names = [n for n in tokenizer.model_input_names if n not in dropped]
    tokenizer.init_kwargs["model_input_names"] = tokenizer.model_input_names  # what is saved with it
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise InputError("the tokenizer has neither a padding nor an end token", place=name)
        tokenizer.pad_token = tokenizer.eos_token  # padding is masked by attention_mask, never by id
    if getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = tokenizer.pad_token_id  # GPT-2's classification head finds the last token by it
    for name in ("bos_token_id", "eos_token_id"):  # generation stops by the configuration's, the tokenizer knows them
        if (known := getattr(tokenizer, name)) is not None:
            setattr(config, name, known)
    return tokenizer


def _keep_unknown(tokenizer: Any) -> None:
    """A BPE model without an unknown token drops characters, and the offsets behind them in the word are wrong."""
    model: Any = tokenizer.backend_tokenizer.model if tokenizer.is_fast else None
    if type(model).__name__ == "BPE" and model.unk_token is None and tokenizer.unk_token_id is not None:
        model.unk_token = tokenizer.unk_token


def _load_checked(name: str, load: Callable[..., Any] | None, kwargs: dict[str, Any]) -> Any:
    from transformers import AutoTokenizer

    load = load or AutoTokenizer.from_pretrained
    tokenizer = _from_hub(name, load, **kwargs)
    _keep_unknown(tokenizer)
    unknown = _unknown_share(tokenizer)
    if unknown > 0 and "do_lower_case" not in kwargs:
        # The default of BERT's class decomposes Hangul into jamo, which a cased vocabulary does not have.
        cased = _from_hub(name, load, **kwargs, do_lower_case=False)
        if _unknown_share(cased) < unknown:
            log.warning("%s: its tokenizer would take Hangul apart (do_lower_case); loaded with case kept.", name)
            tokenizer, unknown = cased, _unknown_share(cased)
    if unknown == 1:
        raise InputError(
            f"its tokenizer (vocabulary of {len(tokenizer)}) knows not one word of {_PROBE!r}",
            place=name,
            fix="use a Korean or multilingual checkpoint, or check that vocab.txt / tokenizer.json is complete",
        )
    return tokenizer


def _unknown_share(tokenizer: Any) -> float:
    ids = tokenizer(_PROBE, add_special_tokens=False)["input_ids"]
    return sum(i == tokenizer.unk_token_id for i in ids) / len(ids) if ids else 1.0


@gc_disabled()
def load_model(
    name: str | Path,
    config: Any,
    model_class: Any,
    *,
    vocabulary: int,
    init: Init = "pretrained",
    attention: str | None = None,
) -> Any:
    """A model in fp32 with the head of `model_class`, in training mode.

    Args:
        name: a folder or a hub id, as `resolve` gives it.
        config: from `load_config`, with the labels of the task.
        model_class: a Hugging Face Auto class, or a class with the same two constructors.
        vocabulary: how many tokens the tokenizer has; a model with fewer rows is enlarged.
        init: the checkpoint's weights, or random ones.
        attention: transformers' implementation of attention; its own choice for None.

    Raises:
        InputError: the checkpoint cannot be had, has no weights, or they are of another architecture.
    """
    import torch

    name = str(name)
    if init == "random":
        config.vocab_size = max(config.vocab_size, vocabulary)
        try:
            model = model_class.from_config(config, attn_implementation=attention)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"no model can be made of this configuration: {error}", place="--config_overrides"
            ) from error
    else:
        folder = Path(name)
        if (folder / "adapter_config.json").exists():
            raise InputError(
                "the folder holds an adapter of LoRA",
                place=name,
                expected="a whole model",
                fix="train it with --lora_merge; or Predictor.from_pretrained(FOLDER).merged().save_pretrained(NEW)",
            )
        if folder.is_dir() and not [*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")]:
            raise InputError("the checkpoint holds no weights", place=name, fix="add --init random to start without")
        with quiet_transformers():  # a new head is expected; what is not is checked below
            model, info = _from_hub(
                name,
                model_class.from_pretrained,
                config=config,
                dtype=torch.float32,
                attn_implementation=attention,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        prefix = model.base_model_prefix + "."
        missing = [key for key in info["missing_keys"] if key.startswith(prefix) and ".pooler." not in key]
        if missing:
            raise InputError(
                f"the weights lack {len(missing)} tensors of {type(model).__name__}, such as {missing[0]}",
                place=name,
                expected=f"weights of the architecture that config.json names ({config.model_type})",
            )
        mismatched = [key for key, *_ in info["mismatched_keys"] if key.startswith(prefix)]
        if mismatched:
            raise InputError(
                f"{len(mismatched)} tensors of the weights have other sizes than the configuration, such as "
                f"{mismatched[0]}",
                place=name,
                fix="leave these settings out of --config_overrides, or add --init random",
            )
        new = [key for key in info["missing_keys"] if not key.startswith(prefix)]
        if new and model.get_output_embeddings() is not None:
            log.warning(
                "%s: holds no head for language modelling (%s, ...); it begins with random weights, which takes many "
                "steps to make up for.", name, new[0],
            )  # fmt: skip
        if vocabulary > config.vocab_size:
            log.warning("%s: %d tokens, %d embeddings; enlarged.", name, vocabulary, config.vocab_size)
            model.resize_token_embeddings(vocabulary)
    return model.train()  # from_pretrained returns a model with dropout off, and Lightning keeps it so


def _from_hub(name: str, load: Callable[..., Any], **kwargs: Any) -> Any:
    """Call a loader of transformers; its many ways to fail become one message."""
    from safetensors import SafetensorError

    try:
        return load(name, **kwargs)
    except InputError:  # one of our own loaders has said it better
        raise
    except (OSError, ValueError, KeyError, ImportError, EOFError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if Path(name).is_dir():
            raise InputError(
                f"cannot be loaded: {reason}", place=name, fix="check that the folder's files are complete"
            ) from error
        raise InputError(
            f"checkpoint {name!r} is neither on this disk nor to be had from the hub: {reason}",
            fix="check the name and the network; or name a folder or a bundled checkpoint ("
            + (", ".join(bundled()) or "none")
            + f"); {did_you_mean(name, [*bundled(), *CHECKPOINTS])}",
        ) from error
