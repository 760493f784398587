"""A fine-tuned model as one object: saved, loaded, and asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

from .. import __version__
from ..arguments import check_types
from ..checkpoints import adapters as lora
from ..checkpoints.base import load_config, load_model, load_tokenizer
from ..errors import InputError, did_you_mean
from ..registry import TASKS
from ..runtime.files import atomic_folder, write_json, write_text
from ..runtime.logging import quiet_transformers
from ..runtime.slices import slices
from ..tasks.base import Raw, Task, Window
from .model_card import model_card
from .model_folder import FORMAT_VERSION, find_model, read_task_file
from .onnx import Graph, is_graph
from .plain_tokenizer import PlainTokenizer

log = logging.getLogger("ratsnlp_like")

PredictionPrecision = Literal["32", "bf16"]


class Predictor:
    """A task, its model and its tokenizer: texts in, predictions out.

    Args:
        task: which decodes what the model says.
        model: with the task's head.
        tokenizer: of the same checkpoint.
        labels: in the model's order.
        max_length: of a window, in tokens, as in training.
        about: what else is known of the model (checkpoint, corpus, versions), kept in task.json.
        metrics: split -> metrics, kept in metrics.json.
    """

    def __init__(
        self,
        task: Task[Any, Any],
        model: Any,
        tokenizer: Any,
        labels: Sequence[str],
        *,
        max_length: int = 128,
        about: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        self.task, self.model, self.tokenizer, self.labels = task, model, tokenizer, list(labels)
        self.max_length, self.about, self.metrics = max_length, dict(about or {}), dict(metrics or {})
        self.cut_away = 0
        """How many of the texts asked about so far were longer than the window and lost their rest."""

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        device: str | None = None,
        unpadded: bool = True,
        precision: PredictionPrecision = "32",
    ) -> Self:
        """Load a model folder, or the best model of a run folder.

        Args:
            folder: as `save_pretrained` or a training run wrote it, or the name of a bundled checkpoint.
            device: such as `cuda` or `cpu`; a GPU where there is one by default.
            unpadded: run without padding where the architecture allows it.
            precision: `bf16` halves the weights, and is faster where the hardware has such numbers (GPUs from Ampere
                on, AVX512-BF16, AMX); scores then have two to three digits.

        Raises:
            InputError: the folder holds no model of this package, or a graph, which has a precision of its own.
        """
        path = find_model(folder)
        described = read_task_file(path)
        task = TASKS[described["task"]].from_dict(described["fields"])
        if precision not in get_args(PredictionPrecision):
            raise InputError(f"{precision!r}", place="--precision", expected="32 or bf16")
        if is_graph(path):
            if precision != "32":
                raise InputError(
                    "is an exported model, whose numbers are fixed", place=path, fix="export --quantize int8"
                )
            model, tokenizer = _load_graph(path, device)
        else:
            model, tokenizer = _load_weights(path, task, device, unpadded=unpadded, precision=precision)
        metrics = json.loads((path / "metrics.json").read_text("utf-8")) if (path / "metrics.json").exists() else {}
        return cls(
            task,
            model,
            tokenizer,
            described["labels"],
            max_length=described["max_length"],
            about=described["about"],
            metrics=metrics,
        )

    def save_pretrained(self, folder: str | Path, *, state_dict: Mapping[str, Any] | None = None) -> Path:
        """Write a model folder that transformers opens too (an adapter: peft). It is whole or not there.

        Args:
            folder: where to.
            state_dict: the weights, where the model itself holds only a part of them (FSDP).

        Raises:
            InputError: it cannot be written; what was there before stays.
        """
        with atomic_folder(Path(folder), content="the model") as partial:
            if isinstance(self.model, Graph):
                self.model.save_pretrained(partial)
            else:
                with quiet_transformers():
                    self.model.save_pretrained(partial, state_dict=state_dict)
                    self.model.config.save_pretrained(partial)  # beside an adapter too, which comes without
            self.describe_in(partial)
        return Path(folder)

    def describe_in(self, folder: Path) -> None:
        """Write all of a model folder but the model: the tokenizer, the task, the metrics and the card."""
        self.tokenizer.save_pretrained(folder)
        write_json(folder / "task.json", self._describe())
        write_json(folder / "metrics.json", self.metrics)
        write_text(folder / "README.md", model_card(self))

    def merged(self) -> Predictor:
        """The same model without adapters of LoRA: they are multiplied into its matrices."""
        return self._with(model=lora.merged(self.model))

    def _describe(self) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            "task": self.task.name,
            "fields": self.task.to_dict(),
            "labels": self.labels,
            "max_length": self.max_length,
            "about": {**self.about, "ratsnlp_like": __version__},
        }

    def __call__(self, inputs: Any, *, batch_size: int = 32, **options: Any) -> Any:
        """Predict: a list for a list of inputs (in its order), one prediction for one input.

        Args:
            inputs: a text, an example, a mapping with the example's fields; or a list of these.
            batch_size: windows that go through the model together.
            options: what the task lets one set when asking (`asking`): threshold=0.3, max_new_tokens=20, ...

        Raises:
            InputError: an input, the batch size or an option is not what it should be.
        """
        if options:
            return self._with_checked_options(options)(inputs, batch_size=batch_size)
        if self.task.example.is_one(inputs):
            return self.predict([inputs], batch_size=batch_size)[0]
        return self.predict(inputs, batch_size=batch_size)

    def predict(self, inputs: Iterable[Any], *, batch_size: int = 32) -> list[Any]:
        """Predictions for inputs, in their order; see `__call__`."""
        if batch_size < 1:
            raise InputError(f"{batch_size}", place="--batch_size", expected="at least 1")
        examples = [self.task.example.of(value) for value in inputs]
        features = self.task.encode(examples, self.tokenizer, None, self.max_length)
        self.cut_away += len({f["example"] for f in features if f["lost"]})
        raw = self._run(features, batch_size)
        windows: list[list[Window]] = [[] for _ in examples]
        for window, said in zip(features, raw, strict=True):
            windows[window["example"]].append(Window(window, said))
        return [
            self.task.decode(example, own, self.labels, self.tokenizer)
            for example, own in zip(examples, windows, strict=True)
        ]

    def _run(self, features: Sequence[Mapping[str, Any]], batch_size: int) -> list[Any]:
        """What the model says of each window; windows of like length share a batch."""
        order = sorted(range(len(features)), key=lambda i: -len(features[i]["input_ids"]))
        raw: list[Any] = [None] * len(features)
        ask = self._run_graph if isinstance(self.model, Graph) else self._run_model
        for i in range(0, len(order), batch_size):
            own = order[i : i + batch_size]
            for k, said in zip(own, ask([features[k] for k in own]), strict=True):
                raw[k] = said
        return raw

    def _run_model(self, windows: Sequence[Mapping[str, Any]]) -> list[Raw]:
        import torch

        if self.model.training:  # `eval` visits every module, which takes longer than a short text's tokens
            self.model.eval()
        with torch.inference_mode():
            batch = self.task.collate(windows, self.tokenizer)
            if (device := self.model.device).type != "cpu":
                batch = {name: value.to(device) for name, value in batch.items()}
            return self.task.predict_batch(self.model, batch).raw

    def _run_graph(self, windows: Sequence[Mapping[str, Any]]) -> list[Raw]:
        batch = self.task.graph_batch(windows, self.tokenizer)
        return self.task.raw(self.model.run(batch), batch)

    def stream(self, prompt: Any, **options: Any) -> Iterator[str]:
        """What the model writes after a prompt, piece by piece; together they are what `__call__` would have said.

        Args:
            prompt: one input, as `__call__` takes it.
            options: as for `__call__`.

        Raises:
            InputError: the task does not write, or an input or an option is not what it should be.
        """
        if options:
            return self._with_checked_options(options).stream(prompt)
        self.model.eval()
        example = self.task.example.of(prompt)
        features = self.task.encode([example], self.tokenizer, None, self.max_length)
        return self.task.stream(self.model, features[0], self.tokenizer)

    def rows(self, examples: Iterable[Any], *, batch_size: int = 32, at_a_time: int = 2048) -> Iterator[dict[str, Any]]:
        """One JSON row for each input, in order, at the pace of the input: constant memory."""
        for values in slices(examples, at_a_time):
            part = [self.task.example.of(value) for value in values]
            for example, prediction in zip(part, self.predict(part, batch_size=batch_size), strict=True):
                yield {**example.inputs(), **self.task.to_row(prediction)}

    def _with_checked_options(self, options: Mapping[str, Any]) -> Predictor:
        if unknown := sorted(set(options) - self.task.inference_options):
            known = ", ".join(sorted(self.task.inference_options)) or "none for this task"
            raise InputError(
                f"unknown option {unknown[0]!r}",
                expected=known,
                fix=did_you_mean(unknown[0], self.task.inference_options),
            )
        return self.with_options(**options)

    def with_options(self, **options: Any) -> Predictor:
        """The same model with other fields of the task (a threshold, a normalisation).

        Raises:
            InputError: a value is not of the kind that the field takes.
        """
        check_types(type(self.task), options)
        return self._with(task=replace(self.task, **options))

    def _with(self, *, task: Task[Any, Any] | None = None, model: Any = None) -> Predictor:
        return Predictor(
            task or self.task,
            model or self.model,
            self.tokenizer,
            self.labels,
            max_length=self.max_length,
            about=self.about,
            metrics=self.metrics,
        )


def _load_weights(
    path: Path, task: Task[Any, Any], device: str | None, *, unpadded: bool, precision: PredictionPrecision
) -> tuple[Any, Any]:
    import torch

    from ..modeling.unpadded import install
    from ..runtime.hardware import computes_bf16

    config = load_config(str(path))
    tokenizer = load_tokenizer(str(path), config)
    load = lora.load if lora.is_adapter(path) else load_model
    model = load(path, config, task.model_class(), vocabulary=len(tokenizer))
    model.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if unpadded:
        install(model)
    if precision == "bf16":
        model.to(torch.bfloat16)
        if not computes_bf16(model.device.type):
            log.warning("this %s has no bf16: it is imitated, which is slower than 32 bits", model.device.type)
    return model, tokenizer


def _load_graph(path: Path, device: str | None) -> tuple[Any, Any]:
    graph = Graph(path, device=device)
    if (path / "tokenizer.json").exists():
        return graph, PlainTokenizer(path, graph.inputs)
    return graph, load_tokenizer(str(path), load_config(str(path)))  # one without a fast form needs transformers
