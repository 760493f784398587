"""Model folders open in transformers 4 without this package, with the same ids and logits.

Its packages are read from the folder that $TRANSFORMERS_4 names:

    pip install --target FOLDER --no-deps "transformers==4.57.6" "huggingface_hub<1" "tokenizers<0.23"
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from ratsnlp_like.checkpoints.base import bundled, load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("TRANSFORMERS_4" not in os.environ, reason="$TRANSFORMERS_4 names no folder of transformers 4"),
]

TEXTS = ["안녕하세요 한국어 문장입니다.", "  두 칸  띄우고 ㅎㅎ 1,234원 Hello 😀", "배우들의 연기가 좋았다"]
LABELS = {"classification": ["긍정", "부정"], "ner": ["PS", "LC"]}
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "bert": ("ko-tiny-bert", ("classification", "ner", "question-answering", "masked-lm")),
    "roberta": ("ko-tiny-bert", ("classification", "ner", "question-answering", "masked-lm")),
    "electra": ("ko-tiny-bert", ("classification", "ner", "question-answering", "masked-lm")),
    "modernbert": ("ko-tiny-bert", ("classification", "ner", "question-answering", "masked-lm")),
    "deberta-v2": ("ko-tiny-bert", ("classification", "ner", "question-answering", "masked-lm")),
    "gpt2": ("ko-tiny-gpt", ("classification", "ner", "causal-lm")),
    "llama": ("ko-tiny-gpt", ("classification", "ner", "causal-lm")),
    "qwen3": ("ko-tiny-gpt", ("classification", "ner", "causal-lm")),
}
SMALL = {
    "hidden_size": 32,
    "n_embd": 32,
    "embedding_size": 32,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "n_head": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_hidden_layers": 2,
    "n_layer": 2,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
    "pad_token_id": 0,
}

SCRIPT = """
import json, sys
sys.path.insert(0, {packages!r})
import torch, transformers
assert transformers.__version__.startswith("4."), transformers.__version__
out = {{}}
for folder, head in json.loads(sys.stdin.read()):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in {texts!r}]
    logits = None
    if head is not None:
        model = getattr(transformers, head).from_pretrained(folder).eval()
        batch = {{k: v for k, v in tokenizer({texts!r}[0], return_tensors="pt").items()}}
        with torch.no_grad():
            output = model(**batch)
        logits = (output.logits if "logits" in output else output.start_logits).flatten().tolist()
    out[folder] = [ids, logits]
print(json.dumps(out))
"""


def saved(folder: Path, family: str, task_name: str) -> tuple[list[list[int]], list[float]]:
    """Save a small random model of a task, and return the ids and the logits that it has here."""
    checkpoint, _ = FAMILIES[family]
    path = resolve(checkpoint)
    tokenizer = load_tokenizer(path, load_config(path))
    known = AutoConfig.for_model(family)
    size = {"vocab_size": len(tokenizer), **{key: value for key, value in SMALL.items() if hasattr(known, key)}}
    config = AutoConfig.for_model(family, **size)
    if getattr(config, "type_vocab_size", 0) < 2:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    task: Any = TASKS[task_name]()
    labels = LABELS.get(task_name, [])
    task.configure(config, labels)
    torch.manual_seed(0)
    model = load_model(path, config, task.model_class(), vocabulary=len(tokenizer), init="random").eval()
    Predictor(task, model, tokenizer, labels, max_length=32).save_pretrained(folder)
    with torch.no_grad():
        output = model(**tokenizer(TEXTS[0], return_tensors="pt"))
    logits = output.logits if "logits" in output else output.start_logits
    return [tokenizer(text)["input_ids"] for text in TEXTS], logits.flatten().tolist()


def test_ids_and_logits(tmp_path: Path) -> None:
    expected, wanted = {}, []
    for family, (_, names) in FAMILIES.items():
        for name in names:
            folder = tmp_path / f"{family}-{name}"
            expected[str(folder)] = saved(folder, family, name)
            wanted.append((str(folder), TASKS[name]().model_class().__name__))
    for name in bundled():
        path = resolve(name)
        tokenizer = load_tokenizer(path, load_config(path))
        expected[path] = ([tokenizer(text)["input_ids"] for text in TEXTS], [])
        wanted.append((path, None))
    script = SCRIPT.format(packages=os.environ["TRANSFORMERS_4"], texts=TEXTS)
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(wanted), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for folder, (ids, logits) in expected.items():
        assert found[folder][0] == ids, folder
        assert (found[folder][1] or []) == pytest.approx(logits, abs=1e-5), folder
