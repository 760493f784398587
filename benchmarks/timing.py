"""Contestants in separate processes and interleaved rounds; medians, ratios, and a description of the machine.

Rounds beside which other processes use the cores are measured again. Only the standard library: a child begins with the
memory of its parent, and a large parent would be measured with it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ratsnlp_like.runtime.cores import OtherLoad, assigned_cores

REPOSITORY = Path(__file__).parents[1]
_PACKAGES = ("torch", "transformers", "datasets", "tokenizers", "accelerate", "pytorch-lightning", "onnxruntime")
_MISSING = "No module named"


class Failed(Exception):
    """A contestant failed; the message is the end of its output."""


@dataclass(frozen=True)
class Contestant:
    """A run that is measured once in each round."""

    name: str
    run: Callable[[Path], dict[str, float]]
    """Function from an empty temporary folder to figures by name."""


@dataclass(frozen=True)
class Column:
    """A column of a table: a figure, or its ratio to that of one contestant."""

    heading: str
    key: str
    digits: int = 1
    against: str | None = None
    """Contestant to divide by; None shows the figure itself."""
    spread: bool = False
    """Mean and standard deviation over the rounds, in place of the median."""


@dataclass
class Measured:
    """Results of one contestant."""

    name: str
    rounds: list[dict[str, float]] = field(default_factory=list)
    error: str | None = None
    dropped: int = 0
    """Rounds that are left out, because of other processes."""

    def median(self, key: str) -> float | None:
        """Return the median over the rounds with this figure."""
        values = self.values(key)
        return statistics.median(values) if values else None

    def values(self, key: str) -> list[float]:
        """Return the figure of each round that has it."""
        return [figures[key] for figures in self.rounds if key in figures]

    def to_dict(self) -> dict[str, Any]:
        """Return the results for the JSON file."""
        keys = list(dict.fromkeys(key for figures in self.rounds for key in figures))
        medians = {key: self.median(key) for key in keys}
        return {
            "name": self.name,
            "error": self.error,
            "dropped": self.dropped,
            "median": medians,
            "rounds": self.rounds,
        }


def environment(threads: int) -> dict[str, str]:
    """Return the environment of child processes: number of threads, no network, no telemetry."""
    several = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    fixed = {"HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true", "TOKENIZERS_PARALLELISM": "true", "PYTHONUTF8": "1"}
    return {**os.environ, **fixed, **dict.fromkeys(several, str(threads))}


def child(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> dict[str, float]:
    """Run a command and wait for it.

    Args:
        command: program and arguments.
        folder: where its output goes to, in a file.
        environ: its environment.

    Returns:
        `wall_seconds`, and `peak_mb` (10^6 bytes): the largest resident set of the command and of any process that it
        waited for.

    Raises:
        Failed: it ended with an error.
    """
    output = folder / "output.txt"
    with output.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environ, cwd=REPOSITORY)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(_last_lines(output.read_text("utf-8", "replace"), process.returncode))
    return {"wall_seconds": seconds, "peak_mb": usage.ru_maxrss * 1024 / 1e6}


def _last_lines(output: str, code: int) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if not lines:
        return f"exit code {code}, no output"
    return " / ".join(lines[-1 if "Traceback" in output else -3 :])


def interleaved(
    contestants: Sequence[Contestant], rounds: int, scratch: Path, *, max_load: float = float("inf")
) -> list[Measured]:
    """Run every contestant once per round; each round starts with a different one.

    One that fails is left out of the rounds that follow.

    Args:
        contestants: what is compared.
        rounds: rounds of each contestant.
        scratch: folder for temporary files.
        max_load: cores that other processes may use beside a round, on average. A round above it is dropped and
            repeated; after three times as many rounds, those that are missing stay out.
    """
    found = {contestant.name: Measured(contestant.name) for contestant in contestants}
    for number in range(3 * rounds):
        first = number % max(1, len(contestants))
        for contestant in [*contestants[first:], *contestants[:first]]:
            measured = found[contestant.name]
            if measured.error is None and len(measured.rounds) < rounds:
                _once(contestant, measured, scratch, number + 1, max_load)
    for measured in found.values():
        if measured.error is None and not measured.rounds:
            measured.error = f"no round with at most {max_load} cores in use by other processes"
    return list(found.values())


def _once(contestant: Contestant, measured: Measured, scratch: Path, number: int, max_load: float) -> None:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    load = OtherLoad(children=True)
    try:
        figures = contestant.run(folder)
        figures["other_load"] = load.measure()
        shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
        if figures["other_load"] <= max_load:
            measured.rounds.append(figures)
        else:
            measured.dropped += 1
            shown += " (dropped: other processes use the cores)"
    except Failed as error:
        measured.error = shown = f"not installed ({error})" if _MISSING in str(error) else str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"    round {number}: {contestant.name}: {shown}", flush=True)


def table(columns: Sequence[Column], measured: Sequence[Measured]) -> str:
    """Return a Markdown table; a failed contestant has its error in place of figures."""
    lines = [f"| | {' | '.join(column.heading for column in columns)} |", "| --- |" + " --- |" * len(columns)]
    by_name = {one.name: one for one in measured}
    for one in measured:
        error = (one.error or "").replace("|", "/")
        cells = (
            [_cell(column, one, by_name) for column in columns] if one.rounds else [error, *[""] * (len(columns) - 1)]
        )
        name = f"{one.name} (failed after {len(one.rounds)} rounds: {error})" if error and one.rounds else one.name
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(column: Column, one: Measured, by_name: Mapping[str, Measured]) -> str:
    value = one.median(column.key)
    if value is None:
        return ""
    if column.spread:
        values = one.values(column.key)
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return f"{statistics.mean(values):,.{column.digits}f} ± {deviation:.{column.digits}f}"
    if column.against is None:
        return f"{value:,.{column.digits}f}"
    other = by_name[column.against].median(column.key) if column.against in by_name else None
    return f"{value / other:.{column.digits}f}" if other else ""


def machine(threads: int) -> dict[str, Any]:
    """Return the facts that the figures depend on."""
    about = Path("/proc/cpuinfo").read_text("utf-8") if Path("/proc/cpuinfo").exists() else ""
    facts = dict(_fact(line) for line in about.splitlines() if ":" in line)
    flags = facts.get("flags", "").split()
    return {
        "processor": facts.get("model name", platform.processor() or platform.machine()),
        "cores": assigned_cores(),
        "threads": threads,
        "bf16": [flag for flag in flags if "bf16" in flag],
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _fact(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def described(facts: Mapping[str, Any]) -> str:
    """Describe the machine in two lines."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['threads']} threads, "
        f"bf16 in the processor: {', '.join(facts['bf16']) or 'no'}, load {os.getloadavg()[0]:.1f}\n"
        f"Python {facts['python']}, {versions}"
    )


def read_result(path: Path) -> dict[str, Any]:
    """Read the JSON object that a contestant has written.

    Raises:
        Failed: it has written none.
    """
    if not path.exists():
        raise Failed(f"it wrote no {path.name}")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
