"""Model types and tasks: what works, and why the rest does not.

    python -m benchmarks.matrix --results matrix.jsonl                     # all cells; --only bert llama for some rows
    python -m benchmarks.matrix --results matrix.jsonl --write README.md   # the table from results, between markers

A cell builds a small checkpoint with random weights and a tokenizer of the kind that the model type has, trains it for
two steps, evaluates and saves it, loads it again, predicts, exports it to ONNX and opens the folder in transformers,
with the same outputs. A refusal counts where it comes before the weights are loaded, with its reason.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from ratsnlp_like.checkpoints.architectures import architecture_of, auto_head, check_head, has_head
from ratsnlp_like.checkpoints.base import BUNDLED
from ratsnlp_like.errors import InputError, with_article
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.abilities import SupportsExport

CORPORA = {
    "classification": "sample-sentiment",
    "pair": "sample-nli",
    "similarity": "sample-sts",
    "ner": "sample-ner",
    "question-answering": "sample-qa",
    "masked-lm": "sample-raw",
    "causal-lm": "sample-raw",
    "generation": "sample-prompts",
}
"""Task -> corpus: the columns."""
ENCODERS = (
    *("bert", "roberta", "xlm-roberta", "electra", "albert", "distilbert"),
    *("funnel", "big_bird", "deberta-v2", "modernbert"),
)
DECODERS = ("gpt2", "gpt_neox", "llama", "qwen2", "qwen3", "exaone4", "gemma3_text", "hyperclovax")
ENCODER_DECODERS = ("bart", "t5")
MODEL_TYPES = (*ENCODERS, *DECODERS, *ENCODER_DECODERS)
"""Model types of the checkpoints that are listed: the rows."""
SHARED_GRAPH = frozenset({"pair", "similarity"})
"""Tasks that are exported as `classification` is; they are not exported again."""
NOT_RUN = "the export was not run"
BEGIN, END = "<!-- matrix: python -m benchmarks.matrix -->", "<!-- end of the matrix -->"

_SIZES = {
    "hidden_size": 32,
    "n_embd": 32,
    "d_model": 32,
    "dim": 32,
    "d_kv": 16,
    "d_ff": 32,
    "embedding_size": 32,
    "intermediate_size": 32,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "hidden_dim": 32,
    "d_inner": 32,
    "d_head": 16,
    "num_attention_heads": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "num_heads": 2,
    "n_head": 2,
    "n_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_hidden_layers": 2,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "num_layers": 2,
    "n_layer": 2,
    "n_layers": 2,
    "block_sizes": [1, 1],
}
_RUN = {
    "batch_size": 4,
    "max_steps": 2,
    "limit_train": 8,
    "limit_eval": 4,
    "precision": "32",
    "accelerator": "cpu",
    "progress": False,
    "baselines": False,
}


@dataclass(frozen=True)
class Cell:
    """The outcome of a model type and a task."""

    model_type: str
    task: str
    refusal: str | None = None
    """Reason, where the combination is refused before weights are loaded."""
    export: str | None = None
    """Reason, where the saved model is not exported."""
    own_head: bool = False
    """The head is that of this package."""
    failure: str | None = None
    """Step and error, where anything else happens: a defect."""

    @property
    def symbol(self) -> str:
        """The cell in the table."""
        if self.failure:
            return "✗"
        return "" if self.refusal else ("○" if self.own_head else "●") + ("" if self.export is None else "ᵗ")


def small_config(model_type: str, **fields: Any) -> Any:
    """Return a configuration of a model type with two narrow layers."""
    from transformers import AutoConfig

    known = AutoConfig.for_model(model_type)
    sizes = {name: value for name, value in _SIZES.items() if hasattr(known, name)}
    if "block_sizes" in sizes:  # of Funnel, which computes its number of layers from them
        del sizes["num_hidden_layers"]
    return AutoConfig.for_model(model_type, **sizes, **fields)


@cache
def _config(model_type: str) -> Any:
    return small_config(model_type)


def refusal(model_type: str, task: str) -> str | None:
    """Return the reason why the package refuses a combination, from its records alone; None where it does not."""
    config, own = _config(model_type), TASKS[task]()
    try:
        own.check_model(config)
        check_head(config, own.model_class())
    except InputError as error:
        return error.problem
    return None


def has_own_head(model_type: str, task: str) -> bool:
    """Return whether the head of a combination is that of this package."""
    head = auto_head(TASKS[task]().model_class()) or ""
    return not has_head(model_type, head) and head in architecture_of(_config(model_type)).own_heads


def write_checkpoint(model_type: str, folder: Path) -> Path:
    """Write a small checkpoint with random weights and with the tokenizer that such checkpoints have."""
    import torch
    from transformers import MODEL_MAPPING, PreTrainedTokenizerFast

    encoder = model_type in ENCODERS
    source = BUNDLED / ("ko-blank-bert" if encoder else "ko-tiny-gpt")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(source)
    if model_type in ENCODER_DECODERS:
        _end_each_text(tokenizer)
    ids = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "bos", "eos")}
    ids = {name: number for name, number in ids.items() if number is not None}
    if model_type in ENCODER_DECODERS:
        ids["decoder_start_token_id"] = tokenizer.eos_token_id
    config = small_config(model_type, vocab_size=len(tokenizer), **ids)
    kinds: Any = MODEL_MAPPING[type(config)]
    torch.manual_seed(0)
    (kinds[0] if isinstance(kinds, tuple) else kinds)(config).save_pretrained(folder)  # Funnel has two
    tokenizer.save_pretrained(folder)
    return folder


def _end_each_text(tokenizer: Any) -> None:
    """Add the end token after each text and a mask token, as tokenizers of T5 and BART have them."""
    from tokenizers import processors

    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    end = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=[(end, tokenizer.eos_token_id)]
    )


def run_cell(model_type: str, task: str, root: Path, *, exported: bool = True) -> Cell:
    """Run all steps of a combination.

    Args:
        model_type: of transformers.
        task: name of the task.
        root: folder for the checkpoint and the run.
        exported: export the model too.
    """
    from ratsnlp_like.evaluation.evaluate import evaluate
    from ratsnlp_like.inference.predictor import Predictor
    from ratsnlp_like.training.finetune import fine_tune

    checkpoint = root / model_type
    if not checkpoint.exists():
        write_checkpoint(model_type, checkpoint)
    run, length = root / f"{model_type}-{task}", 128 if task == "question-answering" else 64
    options: dict[str, Any] = {**_RUN, "cache_dir": root / "cache", "max_length": length}
    reason, own = refusal(model_type, task), has_own_head(model_type, task)
    step = "train"
    try:
        fine_tune(task=task, corpus=CORPORA[task], checkpoint=checkpoint, output=run, **options)
        step = "evaluate"
        evaluate(run, corpus=CORPORA[task], limit_eval=4, cache_dir=root / "cache", progress=False)
        step = "predict"
        predictor = Predictor.from_pretrained(run)
        example = predictor.task.example_input
        predictor([example if len(example) > 1 else example[0]])
        step = "open in transformers"
        _check_opens(predictor, run / "best", own_head=own)
        step = "export"
        export = _no_export(task)
        if export is None and task not in SHARED_GRAPH:
            export = _export(run, root) if exported else NOT_RUN
    except InputError as error:
        if step == "train" and reason == error.problem:
            return Cell(model_type, task, refusal=reason)
        return Cell(model_type, task, failure=f"{step}: {error}")
    except Exception as error:  # whatever it is, it is the outcome
        return Cell(model_type, task, failure=f"{step}: {type(error).__name__}: {error}")
    return Cell(model_type, task, export=export, own_head=own)


def _check_opens(predictor: Any, folder: Path, *, own_head: bool) -> None:
    """Check that transformers opens a folder, with the outputs of the predictor's model.

    Raises:
        ValueError: tensors are missing, or the outputs differ.
    """
    import torch
    from transformers import AutoModel

    auto = AutoModel if own_head else predictor.task.model_class()
    theirs, info = auto.from_pretrained(folder, output_loading_info=True)
    if info["missing_keys"]:
        raise ValueError(f"{sorted(info['missing_keys'])[0]} is missing")
    ids = torch.tensor([predictor.tokenizer("안녕하세요 한국어")["input_ids"]])
    ours = predictor.model.model if own_head else predictor.model
    with torch.no_grad():
        pair = [next(iter(model.eval()(input_ids=ids).values())) for model in (ours, theirs)]
    if not torch.allclose(pair[0], pair[1], atol=1e-5):
        raise ValueError(f"outputs differ by {float((pair[0] - pair[1]).abs().max()):.1g}")


def _no_export(task: str) -> str | None:
    """Return the reason why the models of a task are never exported; None where they are."""
    return None if issubclass(TASKS[task], SupportsExport) else "the task does not predict in one forward pass"


def _export(run: Path, root: Path) -> str | None:
    """Export a model and predict with the graph; return the reason where it is refused."""
    from ratsnlp_like.export.export import export
    from ratsnlp_like.inference.predictor import Predictor

    output = root / f"{run.name}-onnx"
    try:
        export(run, output=output, limit_eval=4, cache_dir=root / "cache", max_drop=1.0)
    except InputError as error:
        return error.problem
    example = (predictor := Predictor.from_pretrained(output)).task.example_input
    predictor([example if len(example) > 1 else example[0]])
    return None


def read_results(path: Path) -> dict[tuple[str, str], Cell]:
    """Return the cells of a file of results; the last one of a combination counts."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    cells = (Cell(**json.loads(line)) for line in lines)
    return {(cell.model_type, cell.task): cell for cell in cells}


def table(cells: dict[tuple[str, str], Cell]) -> str:
    """Return the table in Markdown, with the reasons below it."""
    cells, lines = dict(cells), [f"| | {' | '.join(CORPORA)} |", f"| --- |{' --- |' * len(CORPORA)}"]
    for (model_type, task), cell in cells.items():
        graph = "classification" if task in SHARED_GRAPH else task
        if not cell.refusal:
            cells[model_type, task] = replace(cell, export=_no_export(task) or cells[model_type, graph].export)
    for model_type in MODEL_TYPES:
        row = " | ".join(cells[model_type, task].symbol for task in CORPORA)
        lines.append(f"| {model_type} | {row} |")
    return "\n".join([*lines, "", *_notes(cells.values())])


def _notes(cells: Iterable[Cell]) -> Iterator[str]:
    legend = (
        "● trains, evaluates, predicts, is saved, loaded again, exported to ONNX, and opened by transformers with the "
        "same outputs; ○ the same with a linear layer of this package as head, which transformers opens as "
        "`AutoModel`, without the layer; ᵗ not exported. Empty: refused before weights are loaded, with the reason:"
    )
    yield textwrap.fill(legend, 126)
    yield ""
    known = list(cells)
    reasons: dict[str, list[str]] = {}
    for cell in known:
        if cell.refusal:
            reasons.setdefault(_of_any(cell.refusal, cell.model_type), []).append(cell.model_type)
        if cell.export:
            reasons.setdefault(f"not exported: {_of_any(cell.export, cell.model_type)}", []).append(cell.task)
    for reason, places in reasons.items():
        yield textwrap.fill(f"- {reason} ({', '.join(dict.fromkeys(places))})", 126, subsequent_indent="  ")


def _of_any(reason: str, model_type: str) -> str:
    """Return a reason without the name of the model type, so that equal ones are listed once."""
    return reason.replace(with_article(model_type), "a MODEL").replace(model_type, "MODEL")


def symbols(document: str) -> dict[tuple[str, str], str]:
    """Return the cells of the table in a document: model type and task -> symbol."""
    lines = document.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    (_, *tasks), _, *rest = rows
    return {(kind, task): cell for kind, *cells in rest for task, cell in zip(tasks, cells, strict=True)}


def insert(document: str, content: str) -> str:
    """Return a document with other content between the markers.

    Raises:
        ValueError: it has no markers.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"


def run_rows(
    model_types: Sequence[str], tasks: Sequence[str], record: Callable[[Cell], None], *, exported: bool
) -> None:
    """Run the cells of some rows, each model type in a temporary folder."""
    for model_type in model_types:
        with tempfile.TemporaryDirectory() as folder:
            for task in tasks:
                record(run_cell(model_type, task, Path(folder), exported=exported))


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="file that cells are added to")
    parser.add_argument("--only", nargs="*", choices=MODEL_TYPES, default=MODEL_TYPES, help="model types to run")
    parser.add_argument("--tasks", nargs="*", choices=list(CORPORA), default=list(CORPORA), help="tasks to run")
    parser.add_argument("--no_export", action="store_true", help="leave out the export, which takes most of the time")
    parser.add_argument("--write", type=Path, help="write the table of the results into this file; nothing is run")
    arguments = parser.parse_args()
    if arguments.write:
        text = arguments.write.read_text(encoding="utf-8")
        arguments.write.write_text(insert(text, table(read_results(arguments.results))), encoding="utf-8")
        return
    logging.getLogger("ratsnlp_like").setLevel(logging.ERROR)
    failed = []

    def record(cell: Cell) -> None:
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(cell), ensure_ascii=False) + "\n")
        reason = cell.failure or cell.refusal or cell.export or ""
        print(f"{cell.model_type:12} {cell.task:20} {cell.symbol or '-'} {reason}", flush=True)
        failed.extend([cell] if cell.failure else [])

    run_rows(arguments.only, arguments.tasks, record, exported=not arguments.no_export)
    if failed:
        raise SystemExit(f"{len(failed)} cells failed")


if __name__ == "__main__":
    main()
