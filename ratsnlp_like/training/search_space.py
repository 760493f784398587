"""The hyperparameters that `tune` searches, their ranges, and the job that they make of another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..arguments import TrainingArguments
from .job import Job

if TYPE_CHECKING:
    from optuna import Trial

_DROPOUTS = "hidden_dropout_prob", "attention_probs_dropout_prob", "resid_pdrop", "attn_pdrop", "dropout"
"""Fields of the configurations of transformers that are probabilities of dropout inside the network."""
_OF_TRAINING = "learning_rate", "batch_size", "epochs", "layer_decay"
_BATCH_SIZES = 8, 16, 32, 64
OF_TRIALS = {"baselines": False, "use_test": False, "progress": False, "report": False}
"""Options that every trial has, and the training with the best hyperparameters does not."""


@dataclass(frozen=True)
class SearchSpace:
    """Ranges around the defaults for a model and a corpus.

    Args:
        learning_rate: the default for the model; a fifth to five times of it are searched, on a logarithmic scale.
        epochs: the default for the corpus; half to twice as many are searched.
        dropouts: fields of the model's configuration that are set together.
        rows: training examples; batches have at most a tenth of them.
        fixed: names of hyperparameters that keep the value of the job.
    """

    learning_rate: float
    epochs: int
    dropouts: tuple[str, ...]
    rows: int
    fixed: frozenset[str] = frozenset()

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Return the hyperparameters of a trial."""
        sizes = [size for size in _BATCH_SIZES if size <= max(_BATCH_SIZES[0], self.rows / 10)]
        rate, epochs = self.learning_rate, self.epochs
        ranges: dict[str, Callable[[], Any]] = {
            "learning_rate": lambda: trial.suggest_float("learning_rate", rate / 5, rate * 5, log=True),
            "batch_size": lambda: trial.suggest_categorical("batch_size", sizes),
            "epochs": lambda: trial.suggest_int("epochs", max(1, epochs // 2), 2 * epochs),
            "layer_decay": lambda: trial.suggest_float("layer_decay", 0.7, 1.0, step=0.05),
        }
        if self.dropouts:
            ranges["dropout"] = lambda: trial.suggest_float("dropout", 0.0, 0.3, step=0.05)
        return {name: suggest() for name, suggest in ranges.items() if name not in self.fixed}

    def apply(self, found: Mapping[str, Any], job: Job) -> Job:
        """Return a job with these hyperparameters."""
        training = replace(job.training, **{name: found[name] for name in _OF_TRAINING if name in found})
        overrides = {name: found["dropout"] for name in self.dropouts if "dropout" in found}
        model = replace(job.model, config_overrides={**job.model.config_overrides, **overrides})
        return replace(job, training=training, model=model)


def fixed_in(job: Job) -> frozenset[str]:
    """Return the names of the hyperparameters that a job sets to another value than by default."""
    default = TrainingArguments()
    fixed = {name for name in _OF_TRAINING if getattr(job.training, name) != getattr(default, name)}
    return frozenset(fixed | {"dropout"} if set(_DROPOUTS) & set(job.model.config_overrides) else fixed)


def dropouts_of(config: Any) -> tuple[str, ...]:
    """Return the fields of a configuration that are probabilities of dropout."""
    return tuple(name for name in _DROPOUTS if isinstance(getattr(config, name, None), float))
