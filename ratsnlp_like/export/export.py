"""A fine-tuned model as a graph of ONNX, with a certificate that it says what the model said.

The graph is written by torch's own exporter from eager attention, whose layer norms and GELUs become single operators;
ONNX Runtime fuses the rest when it loads it. Weights of int8 are made per channel, with a sign: without one, and with
a scale for a whole matrix, they were slower or less exact (measured on AVX512-VNNI).
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..corpora.base import Corpus
from ..data.batches import ON_HOST
from ..data.decoding import decode_split
from ..errors import InputError
from ..evaluation.evaluate import EvaluationSet
from ..inference.model_card import model_card
from ..inference.model_folder import describe_model, find_model
from ..inference.onnx import CERTIFICATE, FILE, check_installed, is_graph
from ..inference.predictor import Predictor
from ..modeling import unpadded
from ..modeling.losses import gather
from ..runtime.files import atomic_folder, write_json, write_text
from ..tasks.base import Raw
from ..tasks.language_model import model_inputs
from ..text.tokens import Template

log = logging.getLogger("ratsnlp_like")

Quantize = Literal["int8"]
_OPSET = 20
"""The first with GELU as one operator."""
_ROWS = 2
"""Texts that the graph is traced with; of one alone the exporter would take the number for a constant."""
_WRITERS = "onnx", "onnxscript", "onnxruntime"


@dataclass(frozen=True)
class Certificate:
    """How the exported model differs from the model that it was made of, on examples that both were asked about."""

    corpus: str
    examples: int
    quantize: str | None
    largest_difference: float
    """Between the numbers that predictions are made of: logits; for a language model, log likelihoods of windows."""
    equal_predictions: float
    """Share of the examples, 0 to 1, with one answer from both."""
    metrics: dict[str, dict[str, float]]
    """Metric -> torch and onnx -> value."""
    bytes: dict[str, int]
    """Size of the weights of torch and of the graph."""

    def drop(self, metric: str, *, maximize: bool) -> float:
        """How much worse the exported model is: absolute for ratios, relative where less is better (perplexity)."""
        before, after = self.metrics[metric]["torch"], self.metrics[metric]["onnx"]
        return before - after if maximize else (after - before) / before

    def card(self) -> str:
        """A section of README.md."""
        rows = [f"| {name} | {v['torch']:.4f} | {v['onnx']:.4f} |" for name, v in self.metrics.items()]
        size = {name: f"{count / 1e6:.1f} MB" for name, count in self.bytes.items()}
        head = [
            "## Exported to ONNX" + (f", weights in {self.quantize}" if self.quantize else ""),
            "",
            f"Asked about {self.examples:,} examples ({self.corpus}), it gives the answer of the model that it was "
            f"made of in {self.equal_predictions:.2%}; its numbers differ by at most {self.largest_difference:.2g}.",
            "",
            "| | torch | ONNX |",
            "| --- | --- | --- |",
            f"| size | {size['torch']} | {size['onnx']} |",
        ]
        return "\n".join([*head, *rows, ""])


def export(
    model: str | Path,
    *,
    output: str | Path,
    quantize: Quantize | None = None,
    corpus: str | Path | Corpus | None = None,
    split: str | None = None,
    max_drop: float = 0.01,
    overwrite: bool = False,
    **options: Any,
) -> Certificate:
    """Write a saved model as a folder with model.onnx, which `Predictor.from_pretrained` opens without torch.

    Args:
        model: a run folder (its best model) or a model folder; an adapter is merged.
        output: the folder to write. It is whole or not there.
        quantize: `int8`: the weights of matrices and embeddings.
        corpus: what both models are asked about; the corpus that it was trained on by default.
        split: of the corpus, as for `evaluate`.
        max_drop: by how much the best metric may fall: absolute, or relative for perplexity.
        overwrite: replace the model that lies in `output`.
        options: as for `evaluate`.

    Raises:
        InputError: the task has no fixed graph, the model falls by more than `max_drop`, a package is missing, or the
            output cannot be written.
    """
    if quantize not in {None, "int8"}:
        raise InputError(f"{quantize!r}", place="--quantize", expected="int8")
    if not 0 <= max_drop <= 1:
        raise InputError(f"{max_drop}", place="--max_drop", expected="a share from 0 to 1")
    _check_output(Path(output), find_model(model), overwrite=overwrite)
    check_installed("export", _WRITERS)
    source = _source(model)
    held_out = EvaluationSet.of(source, _corpus(source, corpus), split, options)
    with atomic_folder(Path(output), content="the model") as partial:
        write_graph(source, partial / FILE, quantize)
        target = _exported(source, partial)
        certificate = certify(source, target, held_out, quantize=quantize, sizes=_sizes(find_model(model), partial))
        _check_drop(source, certificate, max_drop)
        _describe(target, certificate, held_out.split.read.name, partial)
    log.info("asked about %s", held_out)
    return certificate


def _check_output(output: Path, model: Path, *, overwrite: bool) -> None:
    if output.is_file():
        raise InputError("is a file", place=output, expected="a folder", fix="another --output")
    if not output.exists() or not any(output.iterdir()):
        return
    if model.resolve().is_relative_to(output.resolve()):
        raise InputError("holds the model that is to be exported", place=output, fix="another --output")
    if not overwrite:
        raise InputError("the folder is not empty", place=output, fix="another --output, or --overwrite")
    if not (output / "task.json").exists():
        raise InputError("the folder holds something else than a model", place=output, fix="another --output")


def _source(model: str | Path) -> Predictor:
    if is_graph(find_model(model)):
        raise InputError("is an exported model already", place=model, fix="name the run that it was exported from")
    task, _ = describe_model(model)
    if task is None or not task.outputs:
        raise InputError(
            f"a model of {task and task.name} writes token after token, which no fixed graph does",
            place=model,
            expected="a task with one answer: classification, ner, pair, similarity, question-answering, masked-lm",
            fix="ask it with torch: ratsnlp-like predict",
        )
    predictor = Predictor.from_pretrained(model, device="cpu").merged()
    predictor.model.eval()
    return predictor


def _corpus(predictor: Predictor, corpus: str | Path | Corpus | None) -> str | Path | Corpus:
    known = corpus or predictor.about.get("corpus")
    if not known:
        raise InputError("missing: --corpus", expected="examples to compare both models on", fix="--corpus FILE")
    return known


class _Asked(torch.nn.Module):
    """A model whose inputs and outputs stand in the order of its graph's."""

    def __init__(self, model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.model, self.inputs, self.outputs = model, inputs, outputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Shape: of the inputs (batch, tokens), and (positions,) for a language model."""
        batch = dict(zip(self.inputs, tensors, strict=True))
        if "positions" not in batch:
            said = self.model(**batch)
            return tuple(said[name] for name in self.outputs)
        found = gather(self.model, model_inputs(batch), batch["positions"])
        return (found.hidden if found.head is None else found.head(found.hidden),)


def write_graph(predictor: Predictor, path: Path, quantize: Quantize | None = None) -> None:
    """Write the model of a predictor as a graph; the number of texts and their length are free.

    Raises:
        InputError: torch's exporter cannot follow the architecture.
    """
    task, tokenizer = predictor.task, predictor.tokenizer
    example = task.example.of(task.example_input if len(task.example_input) > 1 else task.example_input[0])
    features = task.encode([example] * _ROWS, tokenizer, None, predictor.max_length)
    batch = {name: torch.from_numpy(array) for name, array in task.graph_batch(features, tokenizer).items()}
    if "positions" in batch:
        batch = {**model_inputs(batch), "positions": batch["positions"]}
    free = tuple({0: "positions"} if name == "positions" else {0: "batch", 1: "length"} for name in batch)
    unpadded.remove(predictor.model)
    predictor.model.set_attn_implementation("eager")
    try:
        with _quiet(), unpadded.first_alone(predictor.model):
            torch.onnx.export(
                _Asked(predictor.model, list(batch), task.outputs).eval(),
                tuple(batch.values()),
                str(path),
                input_names=list(batch),
                output_names=list(task.outputs),
                dynamic_shapes=(free,),
                opset_version=_OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise InputError(
            f"torch cannot export this {predictor.model.config.model_type}: {_first_line(error)}",
            expected="an architecture of transformers that torch.onnx.export follows: BERT, RoBERTa, ELECTRA, ...",
            fix="serve it with torch",
        ) from error
    if quantize == "int8":
        _quantize(path)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()), repr(error))


def _quantize(path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_suffix(".fp32.onnx")
    path.rename(whole)
    with _quiet():
        quantize_dynamic(
            whole,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},  # what attention multiplies is no weight
        )
    whole.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter and the quantiser talk through warnings and loggers about what they do not need."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _exported(source: Predictor, folder: Path) -> Predictor:
    """The model of a folder that holds a graph, opened as it will be."""
    source.model.config.save_pretrained(folder)
    source.describe_in(folder)
    target = Predictor.from_pretrained(folder)
    if _special(source.tokenizer) != _special(target.tokenizer):
        raise InputError(
            f"its {type(source.tokenizer).__name__} does more than its tokenizer.json says",
            place=folder.with_suffix(""),
            expected="special tokens that stand in the tokenizer's files",
            fix="serve it with torch",
        )
    return target


def _special(tokenizer: Any) -> tuple[Any, ...]:
    template = Template.of(tokenizer)
    ids = tokenizer.pad_token_id, tokenizer.mask_token_id, sorted(tokenizer.all_special_ids)
    return template.single, template.pair, *ids


def certify(
    source: Predictor, target: Predictor, held_out: EvaluationSet, *, quantize: str | None, sizes: dict[str, int]
) -> Certificate:
    """Ask a model and its graph about the same examples."""
    said = {"torch": _outputs(source, held_out), "onnx": _outputs(target, held_out)}
    task, labels = source.task, source.labels
    found, metrics = {}, {}
    for name, raw in said.items():
        found[name], examples = decode_split(task, held_out.split, raw, labels, source.tokenizer)
        metrics[name] = task.score(found[name], examples, labels)
    equal = [task.agrees(*pair) for pair in zip(found["torch"], found["onnx"], strict=True)]
    return Certificate(
        corpus=f"{held_out.corpus}, {held_out.kind}",
        examples=len(equal),
        quantize=quantize,
        largest_difference=max(float(np.abs(raw - said["onnx"][k]).max()) for k, raw in said["torch"].items()),
        equal_predictions=sum(equal) / len(equal),
        metrics={
            name: {which: metrics[which][name] for which in metrics}
            for name, value in metrics["torch"].items()
            if isinstance(value, float)
        },
        bytes=sizes,
    )


def _outputs(predictor: Predictor, held_out: EvaluationSet) -> dict[int, Raw]:
    """What a model says of each window, by its number."""
    raw: dict[int, Raw] = {}
    with torch.inference_mode():
        for batch in held_out.loader(predictor):
            index = batch.pop("index")
            asked = {name: value for name, value in batch.items() if name not in ON_HOST}
            raw.update(zip(index.tolist(), predictor.task.predict_batch(predictor.model, asked).raw, strict=True))
    return raw


def _sizes(model: Path, exported: Path) -> dict[str, int]:
    weights = sum(path.stat().st_size for path in model.glob("*.safetensors"))
    return {"torch": weights, "onnx": (exported / FILE).stat().st_size}


def _check_drop(source: Predictor, certificate: Certificate, max_drop: float) -> None:
    metric, maximize = source.task.best_metric, source.task.maximize
    drop = certificate.drop(metric, maximize=maximize)
    if drop <= max_drop:
        return
    values = certificate.metrics[metric]
    raise InputError(
        f"{metric} {'falls' if maximize else 'rises'} from {values['torch']:.4f} to {values['onnx']:.4f} on "
        f"{certificate.corpus} ({certificate.examples:,} examples, {certificate.equal_predictions:.2%} with the same "
        "answer); nothing is exported",
        place=f"--quantize {certificate.quantize}" if certificate.quantize else "export",
        expected=f"{'a fall' if maximize else 'a relative rise'} of at most {max_drop:g}",
        fix=" or ".join(_ways_out(certificate, drop)) or "serve it with torch",
    )


def _ways_out(certificate: Certificate, drop: float) -> Iterator[str]:
    if certificate.quantize:
        yield "leave out --quantize,"
    if 0 < drop <= 1:  # it may be no number at all
        yield f"--max_drop {math.ceil(drop * 1000) / 1000:g}"


def _describe(target: Predictor, certificate: Certificate, split: str, folder: Path) -> None:
    """Write what is known of an exported model: only what was measured with it."""
    target.metrics = {split: {name: values["onnx"] for name, values in certificate.metrics.items()}}
    write_json(folder / CERTIFICATE, asdict(certificate))
    write_json(folder / "metrics.json", target.metrics)
    write_text(folder / "README.md", model_card(target) + "\n" + certificate.card())
