"""The number of threads follows the cores that other processes leave free."""

import os
import pathlib
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.runtime import threads as threads_module
from ratsnlp_like.runtime.cores import OtherLoad, assigned_cores
from ratsnlp_like.training import trainer as trainer_module
from ratsnlp_like.training.callbacks.threads import CpuThreads

CPU = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("cpu")))


@pytest.fixture
def four_threads(monkeypatch):
    monkeypatch.setattr(threads_module, "assigned_cores", lambda: 4)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def started(monkeypatch, loads):
    """Return the callback of a training, which measures one load after the other."""
    measured = iter(loads)
    monkeypatch.setattr(OtherLoad, "measure", lambda self: next(measured))
    monkeypatch.setattr(threads_module, "_SECONDS", 0.0)
    callback = CpuThreads()
    callback.on_train_start(CPU, None)
    return callback


def after_each_batch(callback, batches):
    out = []
    for _ in range(batches):
        callback.on_train_batch_end(CPU, None, None, None, 0)
        out.append(torch.get_num_threads())
    return out


@pytest.mark.usefixtures("four_threads")
class TestCpuThreads:
    def test_a_machine_of_its_own(self, monkeypatch, caplog):
        assert after_each_batch(started(monkeypatch, [0.0, 0.2, 0.3, 0.1]), 4) == [4, 4, 4, 4]
        assert not caplog.records

    def test_each_busy_core_costs_a_thread(self, monkeypatch, caplog):
        assert after_each_batch(started(monkeypatch, [1.0, 2.4, 9.0]), 3) == [3, 1, 1]
        assert "other processes use 1 of 4 cores" in caplog.text

    def test_a_thread_is_added_after_some_time(self, monkeypatch):
        loads = [2.0, *[0.0] * 5, 2.0, *[0.0] * 6]
        assert after_each_batch(started(monkeypatch, loads), 13) == [2] * 12 + [4]

    def test_it_is_reported_once(self, monkeypatch, caplog):
        after_each_batch(started(monkeypatch, [1.0, *[0.0] * 6, 1.0]), 8)
        assert len(caplog.records) == 1

    def test_the_number_is_restored(self, monkeypatch):
        callback = started(monkeypatch, [3.0])
        after_each_batch(callback, 1)
        callback.teardown(CPU, None, "fit")
        assert torch.get_num_threads() == 4

    def test_a_gpu(self, monkeypatch):
        monkeypatch.setattr(OtherLoad, "measure", lambda self: 4.0)
        monkeypatch.setattr(threads_module, "_SECONDS", 0.0)
        callback = CpuThreads()
        callback.on_train_start(SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("meta"))), None)
        assert after_each_batch(callback, 2) == [4, 4]


@pytest.mark.usefixtures("four_threads")
class TestPrediction:
    @pytest.fixture(autouse=True)
    def busy(self, monkeypatch):
        monkeypatch.setattr(OtherLoad, "measure", lambda self: 1.0)
        monkeypatch.setattr(threads_module, "_SECONDS", 0.0)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def test_each_busy_core_costs_a_thread(self, caplog):
        with threads_module.adapted_threads("cpu", work="prediction") as adapt:
            adapt()
            assert torch.get_num_threads() == 3
        assert torch.get_num_threads() == 4
        assert "prediction continues with 3 threads" in caplog.text

    def test_the_variable_states_it(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        with threads_module.adapted_threads("cpu", work="prediction") as adapt:
            adapt()
            assert torch.get_num_threads() == 4

    def test_the_outcomes_of_a_predictor(self):
        predictor = Predictor.from_pretrained("ko-tiny-bert")
        outcomes = predictor.outcomes(["[MASK] 좋다"] * 3, batch_size=1, chunk_size=1)
        next(outcomes)
        assert torch.get_num_threads() == 3
        assert len(list(outcomes)) == 2
        assert torch.get_num_threads() == 4
        predictor("[MASK] 좋다")
        assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
class TestChoice:
    def test_no_more_threads_than_assigned_cores(self, monkeypatch):
        monkeypatch.setattr(threads_module, "assigned_cores", lambda: 2)
        assert after_each_batch(started(monkeypatch, [0.0]), 1) == [2]

    def test_a_stated_number(self, monkeypatch):
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert trainer_module._threads(TrainingArguments(threads=3)) == []
        assert torch.get_num_threads() == 3

    def test_the_variable_states_it(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert trainer_module._threads(TrainingArguments()) == []

    def test_the_default(self, monkeypatch):
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert [type(callback) for callback in trainer_module._threads(TrainingArguments())] == [CpuThreads]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the load is read from /proc/stat")
class TestOtherLoad:
    def test_a_busy_process(self):
        load = OtherLoad()
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            time.sleep(1)
            used = busy_seconds(busy.pid)
            assert load.measure() >= 0.5 * used > 0
        finally:
            busy.kill()
            busy.wait()

    def test_its_own_work_is_none(self, monkeypatch):
        seconds = iter([(0.0, 10.0, 1.0), (2.0, 13.0, 4.0)])
        monkeypatch.setattr(OtherLoad, "_read", lambda self: next(seconds))
        assert OtherLoad().measure() == 0

    def test_the_work_of_children(self):
        load, with_children = OtherLoad(), OtherLoad(children=True)
        subprocess.run([sys.executable, "-c", "sum(range(2 * 10**7))"], check=True)
        assert load.measure() - with_children.measure() > 0.1

    def test_a_system_without_the_file(self, monkeypatch, tmp_path):
        monkeypatch.setattr("ratsnlp_like.runtime.cores._STAT", tmp_path / "none")
        load = OtherLoad()
        sum(range(10**6))
        assert load.measure() == 0


@pytest.mark.parametrize(("content", "cores"), [("150000 100000", 2), ("max 100000", 3), ("50000 100000", 1)])
def test_assigned_cores(monkeypatch, tmp_path, content, cores):
    path = tmp_path / "cpu.max"
    path.write_text(content)
    monkeypatch.setattr("ratsnlp_like.runtime.cores._QUOTA", path)
    monkeypatch.setattr("ratsnlp_like.runtime.cores._affinity", lambda: {0, 1, 5})
    assert assigned_cores() == cores


def busy_seconds(pid):
    """Return the processor seconds of a process."""
    with pathlib.Path(f"/proc/{pid}/stat").open(encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
