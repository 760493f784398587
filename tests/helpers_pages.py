"""The folder of a run in which every text is markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

SCRIPT = "</style><script>alert(1)</script><img src=x onerror=alert(2)>"
VERDICT = {
    "metric": SCRIPT, "score": 0.5, "advice": [SCRIPT], "warnings": [SCRIPT],
    "relation": "not significantly better than",
    "baselines": [{"name": SCRIPT, "score": 0.4, "better": True, "beaten": False}],
}  # fmt: skip
MISTAKE = {
    "row": 1, "place": SCRIPT, "gold": SCRIPT, "predicted": "", "confidence": 0.9, "kinds": [SCRIPT],
    "tokens": f"[UNK:{SCRIPT}]|가",
}  # fmt: skip


def run_folder(folder: Path) -> Path:
    """Write the files of a run in which every text is markup."""
    scores = {
        "accuracy": 0.8, "macro_f1": 0.7, "loss": 0.5,
        "intervals": {"macro_f1": [0.6, 0.8]},
        "interval_settings": {"unit": "texts", "units": 100, "level": 0.95},
        "per_class": {SCRIPT: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 5}},
        "confusion_matrix": {"labels": [SCRIPT, "긍정"], "matrix": [[3, 2], [0, 5]]},
        "calibration": {
            "temperature": 1.2, "ece": 0.01, "ece_uncalibrated": 0.05, "brier": 0.2, "brier_uncalibrated": 0.3,
            "coverage_at_accuracy": {"0.9": {"threshold": 0.8, "coverage": 0.5}},
        },
    }  # fmt: skip
    findings = {
        "rows": 10, "empty": 0, "repeated": 1, "with_two_labels": 1, "labels": {SCRIPT: {"count": 5, "share": 0.5}},
        "characters": {"p50": 10, "p99": 30},
    }  # fmt: skip
    spans = [{"start": 0, "end": 2, "label": SCRIPT}]
    shared = {"test in train": {"texts": 2, "rows": 3}}
    slice_ = {"slice": SCRIPT, "value": SCRIPT, "rate": 0.5, "rate_of_rest": 0.1, "mistakes": 5, "matches": 10}
    analysis = {
        "best_metric": "macro_f1", "chosen": ["learning_rate"], "environment": {"device": SCRIPT},
        "rows": 10, "wrong_rows": 2, "kinds": {SCRIPT: 1, "missed": 1},
        "slices": [slice_ | {"p": 0.001, "p_holm": 0.01, "weak": True}],
        "reliability": [{"confidence": 0.9, "accuracy": 0.8, "count": 10}],
        "mistakes": [
            MISTAKE | {"texts": {"text": SCRIPT}},
            MISTAKE | {"texts": {}, "passage": SCRIPT, "cut": [True, False], "gold_spans": spans,
                       "predicted_spans": [{"start": 1, "end": 4, "label": "LC"}]},
        ],
        "corpus": {"limit": 20000, "splits": {"train": findings}, "overlap": shared},
    }  # fmt: skip
    result: dict[str, Any] = {
        "metrics": scores, "test_metrics": None, "verdict": VERDICT, "steps": 9, "train_seconds": 130.0,
        "splits": {"train": {"examples": 5, "truncated_tokens": 0}}, "examples_per_second": 5.0, "peak_memory_mb": 1.0,
        "precision": "32",
    }  # fmt: skip
    folder.mkdir()
    config = {"task": "classification", "corpus": SCRIPT, "checkpoint": SCRIPT, "learning_rate": 0.1}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    (folder / "analysis.json").write_text(json.dumps(analysis), encoding="utf-8")
    logs = folder / "logs" / "version_0"
    logs.mkdir(parents=True)
    (logs / "metrics.csv").write_text(
        "epoch,step,train_loss,validation/loss,validation/macro_f1\n0,9,0.7,,\n0,9,,0.6,0.5\n1,19,0.4,,\n1,19,,0.5,0.7\n"
    )
    return folder
