"""Writing a model as an ONNX graph.

torch.onnx exports it with eager attention, so that layer norms and GELUs become single operators; ONNX Runtime fuses
the rest when it loads the graph. int8 weights are signed and have a scale per channel: unsigned weights and one scale
per matrix were slower or less accurate (measured with AVX512-VNNI).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ..errors import InputError
from ..inference.predictor import Predictor
from ..modeling import unpadded
from ..modeling.losses import gather
from ..tasks.abilities import SupportsExport
from ..tasks.batches import model_inputs

Quantize = Literal["int8"]
_OPSET = 20
"""The first version with GELU as one operator."""
_ROWS = 2
"""Texts in the example batch; the exporter would take a batch size of 1 for a constant."""


class _TracedModel(torch.nn.Module):
    """A model with positional inputs and outputs, in the order of the graph."""

    def __init__(self, model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.model, self.inputs, self.outputs = model, inputs, outputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs. Shape of the inputs: (batch, tokens), and (positions,) for a language model."""
        batch = dict(zip(self.inputs, tensors, strict=True))
        if "positions" not in batch:
            outputs = self.model(**batch)
            return tuple(outputs[name] for name in self.outputs)
        found = gather(self.model, model_inputs(batch), batch["positions"])
        return (found.hidden if found.head is None else found.head(found.hidden),)


def write_graph(predictor: Predictor, path: Path, quantize: Quantize | None = None) -> None:
    """Write the model of a predictor as an ONNX graph with free batch size and length.

    Args:
        predictor: its model is changed: attention becomes eager, and the forward pass without padding is removed.
        path: the file to write.
        quantize: data type of the weights, fp32 by default.

    Raises:
        InputError: torch.onnx cannot export the architecture.
    """
    batch = _example_batch(predictor)
    dynamic = tuple({0: "positions"} if name == "positions" else {0: "batch", 1: "length"} for name in batch)
    unpadded.remove(predictor.model)
    predictor.model.set_attn_implementation("eager")
    assert isinstance(predictor.task, SupportsExport)
    outputs = predictor.task.outputs
    try:
        with _quiet(), unpadded.first_alone(predictor.model):
            torch.onnx.export(
                _TracedModel(predictor.model, list(batch), outputs).eval(),
                tuple(batch.values()),
                str(path),
                input_names=list(batch),
                output_names=list(outputs),
                dynamic_shapes=(dynamic,),
                opset_version=_OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise InputError(
            f"torch cannot export a {predictor.model.config.model_type}: {_first_line(error)}",
            expected="an architecture of transformers that torch.onnx.export supports: BERT, RoBERTa, ELECTRA, ...",
            fix="use the model with torch",
        ) from error
    if quantize == "int8":
        _quantize(path)


def _example_batch(predictor: Predictor) -> dict[str, Tensor]:
    task, tokenizer = predictor.task, predictor.tokenizer
    assert isinstance(task, SupportsExport)
    example = task.example.of(task.example_input if len(task.example_input) > 1 else task.example_input[0])
    features = task.encode_inputs([example] * _ROWS, tokenizer, predictor.max_length)
    batch = {name: torch.from_numpy(array) for name, array in task.graph_inputs(features, tokenizer).items()}
    if "positions" in batch:
        batch = {**model_inputs(batch), "positions": batch["positions"]}
    return batch


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()), repr(error))


def _quantize(path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    fp32 = path.with_suffix(".fp32.onnx")
    path.rename(fp32)
    with _quiet():
        quantize_dynamic(
            fp32,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},  # products within attention have no constant weights
        )
    fp32.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warnings and log records of the exporter and the quantizer."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
