"""Export of a saved model to a folder for ONNX Runtime, with a certificate that its predictions are the same."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..corpora.base import Corpus
from ..errors import InputError
from ..evaluation.evaluate import EvaluationSet
from ..inference.model_folder import find_model
from ..inference.onnx import CERTIFICATE_FILE, MODEL_FILE, is_exported, require_packages
from ..inference.predictor import Predictor
from ..inference.task_file import read_task_file
from ..registry import TASKS
from ..runtime.files import atomic_folder, write_json, write_text
from ..tasks.abilities import SupportsExport
from ..text.tokens import Template
from .certificate import Certificate, certify
from .graph import Quantize, write_graph

log = logging.getLogger("ratsnlp_like")

_PACKAGES = "onnx", "onnxscript", "onnxruntime"


def export(
    model: str | Path,
    *,
    output: str | Path,
    quantize: Quantize | None = None,
    corpus: str | Path | Corpus | None = None,
    split: str | None = None,
    max_drop: float = 0.01,
    overwrite: bool = False,
    task: str | None = None,
    labels: Sequence[str] = (),
    **options: Any,
) -> Certificate:
    """Write a saved model as a folder with model.onnx, which `Predictor.from_pretrained` loads without torch.

    Args:
        model: a run folder (its best model) or a model folder; a LoRA adapter is merged.
        output: the folder to write, atomically.
        quantize: `int8` quantizes the weights of matrices and embeddings.
        corpus: both models are compared on it; by default the corpus of the training.
        split: of the corpus, as for `evaluate`.
        max_drop: largest accepted loss in the best metric: absolute, or relative for perplexity.
        overwrite: replace a model in `output`.
        task: name of the task of a folder that transformers saved; see `Predictor.from_pretrained`.
        labels: names of its outputs.
        options: as for `evaluate`.

    Raises:
        InputError: the task cannot be exported, the metric drops by more than `max_drop`, a package is missing, or the
            output cannot be written.
    """
    if quantize not in {None, "int8"}:
        raise InputError(f"{quantize!r}", place="--quantize", expected="int8")
    if not 0 <= max_drop <= 1:
        raise InputError(f"{max_drop}", place="--max_drop", expected="a share from 0 to 1")
    _check_output(Path(output), find_model(model), overwrite=overwrite)
    require_packages("export", _PACKAGES)
    source = _source(model, task, labels)
    evaluation_set = EvaluationSet.of(source, _corpus(source, corpus), split, options)
    with atomic_folder(Path(output), content="the model") as partial:
        write_graph(source, partial / MODEL_FILE, quantize)
        target = _target(source, partial)
        certificate = certify(
            source, target, evaluation_set, quantize=quantize, sizes=_sizes(find_model(model), partial)
        )
        _check_drop(source, certificate, max_drop)
        _describe(target, certificate, evaluation_set.split.read.name, partial)
        _check_output(Path(output), find_model(model), overwrite=overwrite)  # again: it took minutes
    log.info("compared on %s", evaluation_set)
    return certificate


def _check_output(output: Path, model: Path, *, overwrite: bool) -> None:
    if output.is_file():
        raise InputError("is a file", place=output, expected="a folder", fix="another --output")
    if not output.exists() or not any(output.iterdir()):
        return
    if model.resolve().is_relative_to(output.resolve()):
        raise InputError("contains the model to export", place=output, fix="another --output")
    if not overwrite:
        raise InputError("the folder is not empty", place=output, fix="another --output, or --overwrite")
    if not (output / "task.json").exists():
        raise InputError("the folder contains something else than a model", place=output, fix="another --output")


def _source(model: str | Path, name: str | None, labels: Sequence[str]) -> Predictor:
    if is_exported(find_model(model)):
        raise InputError("is already an exported model", place=model, fix="name the run that it was exported from")
    task = read_task_file(find_model(model), name, labels).task
    if not isinstance(task, SupportsExport):
        names = [name for name, kind in TASKS.items() if issubclass(kind, SupportsExport)]
        raise InputError(
            f"{task.name} does not predict in one forward pass, as an exported graph does",
            place=model,
            expected=f"a model of another task: {', '.join(names)}",
            fix="use it with torch: ratsnlp-like predict",
        )
    predictor = Predictor.from_pretrained(model, device="cpu", task=name, labels=labels).merged()
    predictor.model.eval()
    return predictor


def _corpus(predictor: Predictor, corpus: str | Path | Corpus | None) -> str | Path | Corpus:
    known = corpus or predictor.about.get("corpus")
    if not known:
        raise InputError("missing: --corpus", expected="examples to compare both models on", fix="--corpus FILE")
    return known


def _target(source: Predictor, folder: Path) -> Predictor:
    """Complete the folder of an exported model, and load it.

    Raises:
        InputError: special tokens differ from those of the original tokenizer.
    """
    source.model.config.save_pretrained(folder)
    source.save_description(folder)
    target = Predictor.from_pretrained(folder)
    if _special_tokens(source.tokenizer) != _special_tokens(target.tokenizer):
        raise InputError(
            f"the {type(source.tokenizer).__name__} adds special tokens that its tokenizer.json does not contain",
            place=folder.with_suffix(""),
            expected="special tokens in the tokenizer's files",
            fix="use the model with torch",
        )
    return target


def _special_tokens(tokenizer: Any) -> tuple[Any, ...]:
    template = Template.of(tokenizer)
    ids = tokenizer.pad_token_id, tokenizer.mask_token_id, sorted(tokenizer.all_special_ids)
    return template.single, template.pair, *ids


def _sizes(model: Path, exported: Path) -> dict[str, int]:
    weights = sum(path.stat().st_size for path in model.glob("*.safetensors"))
    return {"torch": weights, "onnx": (exported / MODEL_FILE).stat().st_size}


def _check_drop(source: Predictor, certificate: Certificate, max_drop: float) -> None:
    metric, maximize = source.task.best_metric, source.task.maximize
    drop = certificate.drop(metric, maximize=maximize)
    if drop <= max_drop:
        return
    values = certificate.metrics[metric]
    raise InputError(
        f"{metric} {'falls' if maximize else 'rises'} from {values['torch']:.4f} to {values['onnx']:.4f} on "
        f"{certificate.corpus} ({certificate.examples:,} examples, {certificate.equal_predictions:.2%} with the same "
        "prediction); nothing is exported",
        place=f"--quantize {certificate.quantize}" if certificate.quantize else "export",
        expected=f"{'a fall' if maximize else 'a relative rise'} of at most {max_drop:g}",
        fix=" or ".join(_fixes(certificate, drop)) or "use the model with torch",
    )


def _fixes(certificate: Certificate, drop: float) -> Iterator[str]:
    if certificate.quantize:
        yield "leave out --quantize,"
    if 0 < drop <= 1:  # a drop can be NaN
        yield f"--max_drop {math.ceil(drop * 1000) / 1000:g}"


def _describe(target: Predictor, certificate: Certificate, split: str, folder: Path) -> None:
    """Write the certificate, and the metrics and model card of the exported model."""
    target.metrics = {split: {name: values["onnx"] for name, values in certificate.metrics.items()}}
    write_json(folder / CERTIFICATE_FILE, asdict(certificate))
    write_json(folder / "metrics.json", target.metrics)
    write_text(folder / "README.md", f"{target.card()}\n" + certificate.card())
