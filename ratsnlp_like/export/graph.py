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

from ..errors import InputError, with_article
from ..inference.predictor import Predictor
from ..modeling import unpadded
from ..tasks.abilities import SupportsExport

Quantize = Literal["int8"]
_OPSET = 20
"""The first version with GELU as one operator."""
_ROWS = 2
"""Texts in the example batch; the exporter would take a batch size of 1 for a constant."""


class _TracedModel(torch.nn.Module):
    """A model whose inputs and outputs are positional, in the order of the graph."""

    def __init__(self, task: SupportsExport[Any], model: Any, inputs: Sequence[str]) -> None:
        super().__init__()
        self.task, self.model, self.inputs = task, model, inputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs that the task makes predictions of."""
        return tuple(self.task.graph_outputs(self.model, dict(zip(self.inputs, tensors, strict=True))))


def write_graph(predictor: Predictor, path: Path, quantize: Quantize | None = None) -> None:
    """Write the model of a predictor as an ONNX graph with free batch size and length.

    Args:
        predictor: its model is changed: attention becomes eager, and the forward pass without padding is removed.
        path: the file to write.
        quantize: data type of the weights, fp32 by default.

    Raises:
        InputError: torch.onnx cannot export the architecture.
    """
    task = predictor.task
    assert isinstance(task, SupportsExport)
    batch = _example_batch(predictor, task)
    unpadded.remove(predictor.model)
    predictor.model.set_attn_implementation("eager")
    try:
        with _quiet(), unpadded.first_alone(predictor.model):
            torch.onnx.export(
                _TracedModel(task, predictor.model, list(batch)).eval(),
                tuple(batch.values()),
                str(path),
                input_names=list(batch),
                output_names=list(task.output_names()),
                dynamic_shapes=(tuple(_free_axes(name, tensor) for name, tensor in batch.items()),),
                opset_version=_OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise InputError(
            f"torch cannot export {with_article(predictor.model.config.model_type)}: {_first_line(error)}",
            expected="an architecture of transformers that torch.onnx.export supports: BERT, RoBERTa, ELECTRA, ...",
            fix="use the model with torch",
        ) from error
    if quantize == "int8":
        _quantize(path)


def _example_batch(predictor: Predictor, task: SupportsExport[Any]) -> dict[str, Tensor]:
    inputs = predictor.task.example_input
    example = predictor.task.example.of(inputs if len(inputs) > 1 else inputs[0])
    features = predictor.task.encode_inputs([example] * _ROWS, predictor.tokenizer, predictor.max_length)
    return {name: torch.from_numpy(a) for name, a in task.graph_inputs(features, predictor.tokenizer).items()}


def _free_axes(name: str, tensor: Tensor) -> dict[int, str]:
    """Return the name of each axis of an input; the sizes of all are free."""
    return {0: "batch", 1: "length"} if tensor.ndim == 2 else {axis: f"{name}_{axis}" for axis in range(tensor.ndim)}


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
