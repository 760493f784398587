"""A model as a graph of ONNX, run by ONNX Runtime. To predict with it takes neither torch nor transformers."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Self

from ..errors import InputError
from ..runtime.types import Array, Tensor

FILE = "model.onnx"
CERTIFICATE = "certificate.json"


def is_graph(folder: Path) -> bool:
    """Whether a model folder holds a graph, and no weights for torch."""
    return (folder / FILE).exists()


def check_installed(place: str | Path, packages: Iterable[str] = ("onnxruntime",)) -> None:
    """What runs graphs is an extra, and so is what writes them.

    Raises:
        InputError: a package is not installed.
    """
    for name in packages:
        if importlib.util.find_spec(name) is None:
            raise InputError(
                f"the package {name} is not installed", place=place, fix='pip install "ratsnlp_like[onnx]"'
            )


def threads() -> int:
    """As many as this process may use: $OMP_NUM_THREADS, else the cores that it was given.

    ONNX Runtime itself counts the cores of the machine, and ties its threads to them.
    """
    told = os.environ.get("OMP_NUM_THREADS", "")
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(told) if told.isdecimal() and int(told) else given


class Graph:
    """The graph of a model folder, ready to be asked.

    Tasks ask it through `run`. Where torch is there anyway (evaluation), it passes for a model: it takes tensors, and
    its outputs are tensors.

    Args:
        folder: of the model.
        device: where it shall run; there is the CPU.

    Raises:
        InputError: it cannot be loaded, ONNX Runtime is not installed, or the device is another.
    """

    device = "cpu"

    def __init__(self, folder: Path, *, device: str | None = None) -> None:
        check_installed(folder)
        if device not in {None, "cpu"}:
            raise InputError(f"{device!r}: an exported model runs on the CPU", place=folder, fix='device="cpu"')
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = 3
        self.folder = folder
        try:
            self._session = onnxruntime.InferenceSession(folder / FILE, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no base class of their own
            reason = " ".join(str(error).split())
            raise InputError(f"cannot be loaded: {reason}", place=folder / FILE, fix="export it anew") from error
        self.inputs = frozenset(given.name for given in self._session.get_inputs())
        self.outputs = [said.name for said in self._session.get_outputs()]

    def run(self, batch: Mapping[str, Array]) -> dict[str, Array]:
        """What the graph says of a batch, by the names of its outputs; inputs that it does not take are left out."""
        said = self._session.run(None, {name: value for name, value in batch.items() if name in self.inputs})
        return dict(zip(self.outputs, said, strict=True))

    def __call__(self, **batch: Tensor) -> SimpleNamespace:
        """`run` for tensors."""
        import torch

        said = self.run({name: value.cpu().numpy() for name, value in batch.items()})
        device = batch["input_ids"].device
        return SimpleNamespace(**{name: torch.from_numpy(array).to(device) for name, array in said.items()})

    def logits_at(self, inputs: Mapping[str, Tensor], positions: Tensor) -> Tensor:
        """Logits of a language model at some positions of the flattened batch. Shape: (positions, vocabulary)."""
        logits: Tensor = self(**inputs, positions=positions).logits
        return logits

    def train(self) -> Self:
        """A graph is as it is, in training as in evaluation."""
        return self

    eval = train

    def save_pretrained(self, folder: Path) -> None:
        """Copy the graph and what belongs to it."""
        for name in (FILE, CERTIFICATE, "config.json"):
            shutil.copyfile(self.folder / name, folder / name)
