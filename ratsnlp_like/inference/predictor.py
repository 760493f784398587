"""A fine-tuned model with its task and tokenizer: saving, loading, predicting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

from .. import __version__
from ..checkpoints import adapters as lora
from ..checkpoints.architectures import architecture_of
from ..checkpoints.tokenizer import write_tokenizer
from ..corpora.tables import table_inputs
from ..errors import InputError, did_you_mean
from ..examples.base import Example
from ..examples.text import TextExample, has_marks
from ..option_types import check_types
from ..registry import TASKS
from ..runtime.files import atomic_folder, write_json, write_text
from ..runtime.logging import quiet_transformers
from ..runtime.slices import slices
from ..tasks.abilities import SupportsExport, SupportsStreaming
from ..tasks.base import AnyTask, Raw, Window
from ..tasks.batches import group_windows
from ..tasks.features import Features
from ..tasks.predictions import Prediction
from ..tasks.unknown import UnknownTokens, count_unknown
from .model_card import ModelCard
from .model_folder import PredictionPrecision, find_model, load_onnx, load_torch
from .onnx import OnnxModel, is_exported
from .task_file import FORMAT_VERSION, encoding_digest, read_metrics, read_task_file, vocabulary_digest, weight_digests
from .transformers_folder import is_transformers_folder, report_task

log = logging.getLogger("ratsnlp_like")

if TYPE_CHECKING:
    from .explanation import Explanation


class Outcome(NamedTuple):
    """Outcome of one input among many."""

    example: Example | None
    """None for an input that could not be read."""
    result: Prediction | InputError


class Predictor:
    """A task, its model and its tokenizer: texts in, predictions out.

    Args:
        task: encodes the inputs and decodes the outputs of the model.
        model: with the head of the task.
        tokenizer: of the same checkpoint.
        labels: in the model's order.
        max_length: longest window in tokens, as in training.
        about: facts about the training (checkpoint, corpus, versions), saved in task.json.
        metrics: split -> metrics, saved in metrics.json.
    """

    _after_batch: Callable[[], None] = staticmethod(lambda: None)

    def __init__(
        self,
        task: AnyTask,
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
        self.truncated = 0
        """Number of inputs so far that lost tokens because they were longer than the window."""
        self.unknown = UnknownTokens()
        """Unknown tokens of the inputs so far."""
        self._warned = False

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        device: str | None = None,
        unpadded: bool = True,
        precision: PredictionPrecision = "auto",
        task: str | None = None,
        labels: Sequence[str] = (),
    ) -> Self:
        """Load a model folder, or the best model of a run folder.

        A folder that transformers saved (its Trainer, `save_pretrained`) has no task.json; its task follows from the
        head of the model, which `task` and `labels` complete.

        Args:
            folder: written by `save_pretrained` or by a training run, or the name of a bundled checkpoint.
            device: such as `cuda` or `cpu`; by default a GPU where there is one.
            unpadded: run without padding where the architecture allows it.
            precision: `bf16` halves the size of the weights and is faster on hardware that computes in it (GPUs from
                Ampere on, AVX512-BF16, AMX); scores are then exact to two or three digits. auto: bf16 for adapters that
                were trained on weights in bf16 or 4 bits, so that metrics are those of training; otherwise 32.
            task: name of the task of a folder without task.json, where its head serves several (pair, causal-lm).
            labels: names of the outputs of a folder without task.json, where its config.json has none.

        Raises:
            InputError: the folder contains no model with the head of a task, or bf16 is requested of an exported model.
        """
        path = find_model(folder)
        saved = read_task_file(path, task, labels)
        if task is None and is_transformers_folder(path):
            report_task(path, saved.task)
        if precision not in get_args(PredictionPrecision):
            raise InputError(f"{precision!r}", place="--precision", expected="auto, 32 or bf16")
        if precision == "auto":
            precision = "32" if saved.about.get("weights", "fp32") == "fp32" else "bf16"
        if is_exported(path):
            if precision != "32":
                raise InputError(
                    "the precision of an exported model is fixed", place=path, fix="export --quantize int8"
                )
            model, tokenizer = load_onnx(path, device)
        else:
            model, tokenizer = load_torch(path, saved.task, device, unpadded=unpadded, precision=precision)
            saved.check_classes(model.config.id2label, path)
        saved.check_tokenizer(tokenizer, path)
        saved.check_weights(path)  # last: what is missing or not finite has a message of its own
        return cls(
            saved.task,
            model,
            tokenizer,
            saved.labels,
            max_length=saved.max_length,
            about=saved.about,
            metrics=read_metrics(path),
        )

    def save_pretrained(self, folder: str | Path, *, state_dict: Mapping[str, Any] | None = None) -> Path:
        """Write a model folder, which transformers opens too (a LoRA adapter: peft).

        The write is atomic: the folder is complete or does not exist.

        Args:
            folder: to write.
            state_dict: the weights, where the model holds only a shard of them (FSDP).

        Raises:
            InputError: it cannot be written; an earlier folder is kept.
        """
        with atomic_folder(Path(folder), content="the model") as partial:
            if isinstance(self.model, OnnxModel):
                self.model.save_pretrained(partial)
            else:
                with quiet_transformers():
                    self.model.save_pretrained(partial, state_dict=self._by_file_names(state_dict))
                    self.model.config.save_pretrained(partial)  # peft saves an adapter without it
            self.save_description(partial)
        return Path(folder)

    def _by_file_names(self, state_dict: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return weights by the names that both versions of transformers read; version 5 has these for loaded ones."""
        names = dict(architecture_of(self.model.config).file_names)
        if not names or lora.has_adapter(self.model):
            return state_dict
        weights = self.model.state_dict() if state_dict is None else state_dict
        return {names.get(name, name): weight for name, weight in weights.items()}

    def save_description(self, folder: Path) -> None:
        """Write the files of a model folder besides the model: tokenizer, task.json, metrics.json, model card."""
        write_tokenizer(self.tokenizer, folder)
        write_json(folder / "task.json", {**self._describe(), "weights": weight_digests(folder)})
        write_json(folder / "metrics.json", self.metrics)
        write_text(folder / "README.md", str(self.card()))

    def card(self) -> ModelCard:
        """Return the model card."""
        return ModelCard(
            self.task,
            self.labels,
            self.max_length,
            self.about,
            self.metrics,
            adapter=lora.has_adapter(self.model),
            onnx=isinstance(self.model, OnnxModel),
        )

    def merged(self) -> Predictor:
        """Return this predictor with LoRA adapters merged into the weights of the model."""
        return self._with(model=lora.merged(self.model))

    def _describe(self) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            "task": self.task.name,
            "fields": self.task.to_dict(),
            "labels": self.labels,
            "max_length": self.max_length,
            "vocabulary": vocabulary_digest(self.tokenizer),
            "encoding": encoding_digest(self.tokenizer),
            "about": {**self.about, "ratsnlp_like": __version__},
        }

    def __call__(self, inputs: Any, *, batch_size: int = 32, **options: Any) -> Any:
        """Return the prediction for one input, or a list of predictions for several, in their order.

        Args:
            inputs: a text, an example, a mapping with the fields of an example; or a list of these, a pandas
                DataFrame or a `datasets.Dataset`.
            batch_size: number of windows in a batch.
            options: fields of the task among its `inference_options`: threshold=0.3, max_new_tokens=20, ...

        Raises:
            InputError: an input, the batch size or an option is invalid.
        """
        if options:
            return self._with_checked_options(options)(inputs, batch_size=batch_size)
        if self.task.example.is_one(inputs):
            return self.predict([inputs], batch_size=batch_size)[0]
        return self.predict(inputs, batch_size=batch_size)

    def predict(self, inputs: Iterable[Any], *, batch_size: int = 32) -> list[Any]:
        """Return a list of predictions, in the order of the inputs; as `__call__` for several inputs."""
        if batch_size < 1:
            raise InputError(f"{batch_size}", place="--batch_size", expected="at least 1")
        table = table_inputs(inputs, self.task.example, self.about.get("columns") or {})
        examples = [self.task.example.of(value) for value in inputs] if table is None else table
        if self.about.get("relations"):
            self._warn_of_marks(examples)
        features = self.task.encode_inputs(examples, self.tokenizer, self.max_length)
        self.truncated += len({f["example"] for f in features if f["lost"]})
        self.unknown += count_unknown(self.task, examples, features, self.tokenizer)
        raw = self.raw_outputs(features, batch_size=batch_size)
        windows: list[list[Window]] = [[] for _ in examples]
        for window, output in zip(features, raw, strict=True):
            windows[window["example"]].append(Window(window, output))
        return [
            self.task.decode(example, own, self.labels, self.tokenizer)
            for example, own in zip(examples, windows, strict=True)
        ]

    def _warn_of_marks(self, examples: Sequence[Example]) -> None:
        """Log the first time that the entities of a text are not marked, as those of training were."""
        if not self._warned and any(isinstance(e, TextExample) and not has_marks(e.text) for e in examples):
            self._warned = True
            log.warning(
                "a text has no two entities marked as <subj>...</subj> and <obj>...</obj>, as the texts of training; "
                "the model was not trained for it."
            )

    def raw_outputs(self, features: Sequence[Features], *, batch_size: int = 32) -> list[Raw]:
        """Return the raw output of the model for each window; windows of similar length share a batch."""
        units = group_windows(features, by_example=self.task.grouped)
        units.sort(key=lambda unit: -max(len(features[k]["input_ids"]) for k in unit))
        raw: list[Raw] = [None] * len(features)
        run = self._run_onnx if isinstance(self.model, OnnxModel) else self._run_torch
        for i in range(0, len(units), batch_size):
            own = list(chain.from_iterable(units[i : i + batch_size]))
            for k, output in zip(own, run([features[k] for k in own]), strict=True):
                raw[k] = output
            self._after_batch()
        return raw

    def _run_torch(self, windows: Sequence[Features]) -> list[Raw]:
        import torch

        if self.model.training:  # `eval` visits every module, which takes longer than predicting on a short text
            self.model.eval()
        with torch.inference_mode():
            batch: Any = self.task.collate_inputs(windows, self.tokenizer)
            if (device := self.model.device).type != "cpu":
                batch = {name: value.to(device) for name, value in batch.items()}
            return self.task.predict_batch(self.model, batch)

    def _run_onnx(self, windows: Sequence[Features]) -> list[Raw]:
        assert isinstance(self.task, SupportsExport)  # no other is exported
        batch = self.task.graph_inputs(windows, self.tokenizer)
        return self.task.raw(self.model.run(batch), batch)

    def explain(self, value: Any, **options: Any) -> list[Explanation]:
        """Return the part of each eojeol of one input in each decision of its prediction; see `inference.explanation`.

        Args:
            value: one input, as for `__call__`.
            options: as for `__call__`.

        Raises:
            InputError: the model or the task cannot be explained, or the input or an option is invalid.
        """
        from .explanation import explain

        predictor = self._with_checked_options(options) if options else self
        return explain(predictor, self.task.example.of(value))

    def stream(self, prompt: Any, **options: Any) -> Iterator[str]:
        """Yield the generated text piece by piece; the pieces together are what `__call__` returns.

        Args:
            prompt: one input, as for `__call__`.
            options: as for `__call__`.

        Raises:
            InputError: the task generates no text, or the input or an option is invalid.
        """
        if options:
            return self._with_checked_options(options).stream(prompt)
        if not isinstance(self.task, SupportsStreaming):
            names = [name for name, kind in TASKS.items() if issubclass(kind, SupportsStreaming)]
            raise InputError(f"{self.task.name} does not generate text", expected=" or ".join(names))
        self.model.eval()
        example = self.task.example.of(prompt)
        return self.task.stream(self.model, example, self.tokenizer, self.max_length)

    def outcomes(self, inputs: Iterable[Any], *, batch_size: int = 32, chunk_size: int = 2048) -> Iterator[Outcome]:
        """Yield the outcome of each input, in order, in constant memory: `chunk_size` inputs are read at a time.

        Args:
            inputs: as for `__call__`; an `InputError`, of a row that could not be read, is its own outcome.
            batch_size: number of windows in a batch.
            chunk_size: number of inputs that are read and predicted together.
        """
        with self._adapted_threads() as self._after_batch:
            for values in slices(inputs, chunk_size):
                examples = [self._example_or_error(value) for value in values]
                readable = [example for example in examples if not isinstance(example, InputError)]
                predictions = iter(self._predict_each(readable, batch_size) if readable else ())
                for example in examples:
                    if isinstance(example, InputError):
                        yield Outcome(None, example)
                    else:
                        yield Outcome(example, next(predictions))

    def _adapted_threads(self) -> AbstractContextManager[Callable[[], None]]:
        """Let the number of torch's threads follow the load of a CPU; ONNX Runtime has a fixed number."""
        if isinstance(self.model, OnnxModel):
            return nullcontext(self._after_batch)
        from ..runtime.threads import adapted_threads

        return adapted_threads(self.model.device, work="prediction")

    def _example_or_error(self, value: Any) -> Example | InputError:
        try:
            return value if isinstance(value, InputError) else self.task.example.of(value)
        except InputError as error:
            return error

    def _predict_each(self, examples: Sequence[Example], batch_size: int) -> list[Prediction | InputError]:
        """Return predictions; a batch that fails is halved, down to the inputs that are invalid."""
        truncated, unknown = self.truncated, self.unknown
        try:
            return self.predict(examples, batch_size=batch_size)
        except InputError as error:
            self.truncated, self.unknown = truncated, unknown
            if len(examples) == 1:
                return [error.at(examples[0].place)]
        half = len(examples) // 2
        return self._predict_each(examples[:half], batch_size) + self._predict_each(examples[half:], batch_size)

    def rows(self, inputs: Iterable[Any], *, batch_size: int = 32, chunk_size: int = 2048) -> Iterator[dict[str, Any]]:
        """Yield a JSON row for each input, in order, in constant memory: `chunk_size` inputs are read at a time."""
        for values in slices(inputs, chunk_size):
            part = [self.task.example.of(value) for value in values]
            for example, prediction in zip(part, self.predict(part, batch_size=batch_size), strict=True):
                yield {**example.inputs(), **self.task.to_row(prediction)}

    def _with_checked_options(self, options: Mapping[str, Any]) -> Predictor:
        usable = self.task.usable_options()
        if unknown := sorted(set(options) - usable):
            known = ", ".join(sorted(usable)) or "no options for this model"
            raise InputError(
                f"unknown option {unknown[0]!r}",
                expected=known,
                fix=did_you_mean(unknown[0], usable),
            )
        return self.with_options(**options)

    def with_options(self, **options: Any) -> Predictor:
        """Return this predictor with other values of fields of the task, such as a threshold.

        Raises:
            InputError: a value has the wrong type.
        """
        check_types(type(self.task), options)
        return self._with(task=replace(self.task, **options))

    def _with(self, *, task: AnyTask | None = None, model: Any = None) -> Predictor:
        return Predictor(
            task or self.task,
            model or self.model,
            self.tokenizer,
            self.labels,
            max_length=self.max_length,
            about=self.about,
            metrics=self.metrics,
        )
