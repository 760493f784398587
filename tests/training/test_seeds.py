"""Several seeds: the same rows, mean and spread, the best model, resuming, runs side by side."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from helpers import TEXTS, job, tree
from helpers_training import At, ctrl_c

from ratsnlp_like.errors import InputError, TrainingError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.evaluation.report import show_run
from ratsnlp_like.training import seeds as module
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune
from ratsnlp_like.training.run_folder import Interrupted, Run

SEEDS = 3


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    return fine_tune(**options(tmp_path_factory.mktemp("seeds"), seeds=SEEDS))


def options(tmp_path: Path, **own: Any) -> dict[str, Any]:
    fixed = {"corpus": rows(tmp_path), "limit_eval": None, "limit_train": 40, "monitor": "loss"}
    return job(tmp_path, validation_share=0.3, **fixed | own)


def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.tsv"
    labels = [("부정", "긍정")[k * k % 7 % 2] for k in range(80)]
    lines = [f"{TEXTS[k % 20]} {k}\t{label}\n" for k, label in enumerate(labels)]
    path.write_text("text\tlabel\n" + "".join(lines), encoding="utf-8")
    return path


def of_seed(result: FineTuneResult, seed: int) -> dict[str, Any]:
    return dict(json.loads((result.output / f"seed-{seed}" / "result.json").read_text()))


@pytest.mark.slow
def test_mean_and_spread(result: FineTuneResult) -> None:
    scores = [of_seed(result, seed)["metrics"]["loss"] for seed in (7, 8, 9)]
    assert len(set(scores)) > 1
    assert result.seeds is not None
    assert result.seeds["validation"]["loss"] == {
        "mean": pytest.approx(statistics.mean(scores)),
        "sd": pytest.approx(statistics.stdev(scores)),
    }
    assert [run["seed"] for run in result.seeds["runs"]] == [7, 8, 9]
    assert [run["validation"] for run in result.seeds["runs"]] == scores
    stored = json.loads((result.output / "result.json").read_text())
    assert stored["seeds"] == result.seeds
    assert "test" not in result.seeds  # a file alone has no test split


@pytest.mark.slow
def test_the_best_is_kept(result: FineTuneResult) -> None:
    assert result.seeds is not None
    best = result.seeds["best"]
    scores = {run["seed"]: run["validation"] for run in result.seeds["runs"]}
    assert scores[best] == min(scores.values()) == result.metrics["loss"]
    assert tree(result.best) == tree(result.output / f"seed-{best}" / "best")
    again = evaluate(result.output, cache_dir=result.output.parent / "cache", progress=False)
    assert again["loss"] == result.metrics["loss"]


@pytest.mark.slow
def test_the_report_shows_all(tmp_path: Path) -> None:
    result = fine_tune(**options(tmp_path, seeds=2, max_steps=2, report=True))
    page = (result.output / "report.html").read_text(encoding="utf-8")
    assert 'id="seeds"' in page
    assert 'id="curves"' in page
    assert 'id="environment"' in page
    assert not (result.output / "analysis.json").exists()  # that of the best seed is in its own folder


def test_all_have_the_same_rows(result: FineTuneResult) -> None:
    splits = [json.loads((result.output / f"seed-{seed}" / "splits.json").read_text()) for seed in (7, 8, 9)]
    assert splits[0] == splits[1] == splits[2]
    assert len(splits[0]["splits"]["train"]["rows"]) == 40


def test_the_terminal_shows_the_spread(result: FineTuneResult, capsys: pytest.CaptureFixture[str]) -> None:
    show_run(result)
    shown = capsys.readouterr().out
    assert result.seeds is not None
    mean, sd = result.seeds["validation"]["loss"].values()
    assert f"loss over 3 seeds (the best, seed {result.seeds['best']}, is kept)" in shown
    assert f"{mean:.4f} ± {sd:.4f}" in shown


def test_a_finished_run_is_read_again(result: FineTuneResult) -> None:
    before = tree(result.output)
    again = fine_tune(**options(result.output.parent, seeds=SEEDS), resume=True)
    assert again.seeds == result.seeds
    assert tree(result.output) == before


@pytest.mark.slow
def test_resumes_with_the_seed_that_was_stopped(tmp_path: Path, result: FineTuneResult) -> None:
    stop = At(9, ctrl_c)  # in the run of the second seed
    with pytest.raises(Interrupted, match=r"stopped in the run of seed 8; continue with: .*/run --resume"):
        fine_tune(**options(tmp_path, seeds=SEEDS), callbacks=[stop])
    with pytest.raises(InputError, match="an unfinished run"):
        fine_tune(**options(tmp_path, seeds=SEEDS))
    first = tree(tmp_path / "run" / "seed-7")
    resumed = fine_tune(**options(tmp_path, seeds=SEEDS), resume=True)
    assert tree(tmp_path / "run" / "seed-7") == first
    assert resumed.seeds == result.seeds


@pytest.mark.slow
def test_more_seeds_can_be_added(tmp_path: Path) -> None:
    short = {"max_steps": 1, "baselines": False}
    fine_tune(**options(tmp_path, seeds=2, **short))
    (tmp_path / "run" / "seed-7" / "mark").touch()
    more = fine_tune(**options(tmp_path, seeds=3, **short), resume=True)
    assert more.seeds is not None
    assert [run["seed"] for run in more.seeds["runs"]] == [7, 8, 9]
    assert (tmp_path / "run" / "seed-7" / "mark").exists()
    fine_tune(**options(tmp_path, seeds=1, **short), overwrite=True)
    assert not list((tmp_path / "run").glob("seed-*"))


@pytest.mark.exhaustive
@pytest.mark.slow  # two processes
def test_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seed has a process and a GPU of its own; here the processes train on the CPU."""
    monkeypatch.setattr(module, "_gpus", lambda job: ["0", "1"])
    used: list[str] = []
    run = module.subprocess.run

    def record(command: Any, **own: Any) -> Any:
        used.append(own["env"]["CUDA_VISIBLE_DEVICES"])
        return run(command, **own)

    monkeypatch.setattr(module.subprocess, "run", record)
    result = fine_tune(**options(tmp_path, seeds=2, max_steps=1, baselines=False))
    assert sorted(used) == ["0", "1"]
    assert result.seeds is not None
    assert [run["seed"] for run in result.seeds["runs"]] == [7, 8]
    assert not list((tmp_path / "run").glob("*.json.*"))


def test_a_failure_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_gpus", lambda job: ["0", "1"])
    failed = module.subprocess.CompletedProcess([], 1, "", "Traceback\nRuntimeError: the GPU is lost")
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(TrainingError, match=r"seed 7 has failed on GPU \d:\nTraceback\nRuntimeError: the GPU is lost"):
        fine_tune(**options(tmp_path, seeds=2))


def test_several_devices_for_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--seeds 2 with several devices"):
        fine_tune(**options(tmp_path, seeds=2, devices=2))


def test_another_process_trains_into_the_folder_after_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Run.check

    def slow(self: Run, **options: bool) -> None:
        check(self, **options)
        self.folder.mkdir()
        (self.folder / "config.yaml").write_text("task: ner\n", encoding="utf-8")

    monkeypatch.setattr(Run, "check", slow)
    with pytest.raises(InputError, match="another process has trained into this folder"):
        fine_tune(**options(tmp_path, seeds=2))
    assert not list((tmp_path / "run").glob("seed-*"))
