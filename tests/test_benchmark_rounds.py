"""Rounds of a benchmark beside which other processes use the cores are repeated."""

import pytest

from benchmarks import timing
from benchmarks.timing import Contestant, Failed, interleaved


@pytest.fixture
def loads(monkeypatch):
    """Return the loads that are measured beside the rounds that follow."""
    found = []
    monkeypatch.setattr(timing.OtherLoad, "measure", lambda self: found.pop(0))
    return found


def counted():
    """Return a contestant whose figure is the number of its run."""
    runs = []

    def run(folder):
        runs.append(folder)
        return {"seconds": float(len(runs))}

    return Contestant("one", run)


def test_a_quiet_machine(loads, tmp_path):
    loads += [0.0, 0.1, 0.2]
    (found,) = interleaved([counted()], 3, tmp_path, max_load=0.2)
    assert (found.values("seconds"), found.dropped) == ([1, 2, 3], 0)


def test_a_busy_round_is_repeated(loads, tmp_path):
    loads += [0.0, 0.9, 0.1]
    (found,) = interleaved([counted()], 2, tmp_path, max_load=0.2)
    assert (found.values("seconds"), found.dropped) == ([1, 3], 1)
    assert found.to_dict()["rounds"][1]["other_load"] == 0.1


def test_a_machine_that_stays_busy(loads, tmp_path):
    loads += [1.0] * 6
    (found,) = interleaved([counted()], 2, tmp_path, max_load=0.2)
    assert found.dropped == 6
    assert "no round with at most 0.2 cores" in found.error


def test_a_contestant_that_fails(tmp_path):
    def fail(folder):
        raise Failed("no such thing")

    found = interleaved([Contestant("broken", fail), counted()], 2, tmp_path)
    assert found[0].error == "no such thing"
    assert found[1].values("seconds") == [1, 2]
