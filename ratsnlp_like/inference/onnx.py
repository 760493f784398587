"""Exported models, run by ONNX Runtime. Prediction needs neither torch nor transformers."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Self

from ..errors import InputError
from ..runtime.cores import assigned_cores
from ..runtime.types import Array, Tensor

MODEL_FILE = "model.onnx"
CERTIFICATE_FILE = "certificate.json"


def is_exported(folder: Path) -> bool:
    """Return True if a model folder contains an exported model."""
    return (folder / MODEL_FILE).exists()


def require_packages(place: str | Path, packages: Iterable[str] = ("onnxruntime",)) -> None:
    """Check that optional packages are installed.

    Raises:
        InputError: one is not.
    """
    for name in packages:
        if importlib.util.find_spec(name) is None:
            raise InputError(
                f"the package {name} is not installed", place=place, fix='pip install "ratsnlp_like[onnx]"'
            )


def num_threads() -> int:
    """Return the number of threads this process may use: $OMP_NUM_THREADS, else the cores assigned to it.

    ONNX Runtime by default counts all cores of the machine and pins its threads to them.
    """
    variable = os.environ.get("OMP_NUM_THREADS", "")
    return int(variable) if variable.isdecimal() and int(variable) else assigned_cores()


class OnnxModel:
    """The graph of a model folder in a session of ONNX Runtime.

    `run` takes and returns arrays. In evaluation, where torch is imported anyway, the object can be called like a
    model of torch, with tensors.

    Args:
        folder: the model folder.
        device: None or `cpu`.

    Raises:
        InputError: the graph cannot be loaded, ONNX Runtime is not installed, or another device is given.
    """

    device = "cpu"

    def __init__(self, folder: Path, *, device: str | None = None) -> None:
        require_packages(folder)
        if device not in {None, "cpu"}:
            raise InputError(f"{device!r}: an exported model runs on the CPU", place=folder, fix='device="cpu"')
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads()
        options.log_severity_level = 3
        self.folder = folder
        try:
            self._session = onnxruntime.InferenceSession(
                folder / MODEL_FILE, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the exceptions of ONNX Runtime have no common base class
            reason = " ".join(str(error).split())
            raise InputError(f"cannot be loaded: {reason}", place=folder / MODEL_FILE, fix="export it again") from error
        self.inputs = frozenset(value.name for value in self._session.get_inputs())
        self.outputs = [value.name for value in self._session.get_outputs()]

    def run(self, batch: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs of the graph by name; arrays that are no inputs of it are ignored."""
        values = self._session.run(None, {name: value for name, value in batch.items() if name in self.inputs})
        return dict(zip(self.outputs, values, strict=True))

    def __call__(self, **batch: Tensor) -> SimpleNamespace:
        """Return the outputs as attributes, like the output classes of transformers."""
        import torch

        outputs = self.run({name: value.cpu().numpy() for name, value in batch.items()})
        device = batch["input_ids"].device
        return SimpleNamespace(**{name: torch.from_numpy(array).to(device) for name, array in outputs.items()})

    def logits_at(self, inputs: Mapping[str, Tensor], positions: Tensor) -> Tensor:
        """Return the logits of a language model at positions of the flattened batch. Shape: (positions, vocabulary)."""
        logits: Tensor = self(**inputs, positions=positions).logits
        return logits

    def train(self) -> Self:
        """Return the model: a graph has no training mode."""
        return self

    eval = train

    def save_pretrained(self, folder: Path) -> None:
        """Copy the graph, its certificate and its configuration."""
        for name in (MODEL_FILE, CERTIFICATE_FILE, "config.json"):
            shutil.copyfile(self.folder / name, folder / name)
