"""The hyperparameters that `tune` searches, their ranges, and the job that they make of another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .job import Job

if TYPE_CHECKING:
    from optuna import Trial

_DROPOUTS = "hidden_dropout_prob", "attention_probs_dropout_prob", "resid_pdrop", "attn_pdrop", "dropout"
"""Fields of the configurations of transformers that are probabilities of dropout inside the network."""
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
    """

    learning_rate: float
    epochs: int
    dropouts: tuple[str, ...]
    rows: int

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Return the hyperparameters of a trial."""
        sizes = [size for size in _BATCH_SIZES if size <= max(_BATCH_SIZES[0], self.rows / 10)]
        found = {
            "learning_rate": trial.suggest_float(
                "learning_rate", self.learning_rate / 5, self.learning_rate * 5, log=True
            ),
            "batch_size": trial.suggest_categorical("batch_size", sizes),
            "epochs": trial.suggest_int("epochs", max(1, self.epochs // 2), 2 * self.epochs),
            "layer_decay": trial.suggest_float("layer_decay", 0.7, 1.0, step=0.05),
        }
        if self.dropouts:
            found["dropout"] = trial.suggest_float("dropout", 0.0, 0.3, step=0.05)
        return found

    def apply(self, found: Mapping[str, Any], job: Job) -> Job:
        """Return a job with these hyperparameters."""
        names = ("learning_rate", "batch_size", "epochs", "layer_decay")
        training = replace(job.training, **{name: found[name] for name in names if name in found})
        overrides = {name: found["dropout"] for name in self.dropouts if "dropout" in found}
        model = replace(job.model, config_overrides={**job.model.config_overrides, **overrides})
        return replace(job, training=training, model=model)


def dropouts_of(config: Any) -> tuple[str, ...]:
    """Return the fields of a configuration that are probabilities of dropout."""
    return tuple(name for name in _DROPOUTS if isinstance(getattr(config, name, None), float))
