"""Run notebooks from a clean kernel, each in a temporary folder, and fail if a cell fails.

    python notebooks/execute.py [NOTEBOOK.ipynb ...] [--save] [--jobs 2]

Without names all notebooks of this folder are run. `--save` writes the outputs into the files; without it the files are
not changed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

HERE = Path(__file__).parent
_SECONDS = 600
"""Timeout of a cell, in seconds."""
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ADVICE = re.compile(r".*TqdmWarning: IProgress not found.*\n.*\n")
"""Warning of a kernel without ipywidgets, which Colab and Jupyter have."""
_MISSING = re.compile(r"\bsh: .*not found")


def run(path: Path, *, save: bool) -> tuple[float, str | None]:
    """Run a notebook.

    Returns:
        Seconds, including the start of the kernel, and the error, if any.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            kernel_name="python3",
            coalesce_streams=True,  # consecutive prints are one output
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=environment(folder))
            check_commands(notebook)
        except (CellExecutionError, CellTimeoutError, DeadKernelError, FileNotFoundError) as error:
            return time.perf_counter() - began, _ESCAPES.sub("", str(error))
    if save:
        nbformat.write(tidied(notebook), path)
    return time.perf_counter() - began, None


def environment(folder: str) -> dict[str, str]:
    """Return the environment of a kernel: commands of this interpreter are found, and the cache is empty."""
    found = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"PATH": found, "RATSNLP_LIKE_CACHE": str(Path(folder, "cache"))}


def check_commands(notebook: Any) -> None:
    """Check that the commands of shell lines exist: a failing shell line does not fail its cell.

    Raises:
        FileNotFoundError: a command was not found.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if _MISSING.search(output.get("text", "")):
                raise FileNotFoundError(f"{cell.source}\n{output.text}")


def tidied(notebook: Any) -> Any:
    """Return a notebook without machine-dependent metadata: times of cells, details of the kernel."""
    notebook.metadata = {
        "kernelspec": _KERNEL,
        "language_info": {"name": "python"},
        "colab": {"provenance": []},
        "accelerator": "GPU",
    }
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_tidied, cell.outputs) if output is not None]
    return notebook


def _tidied(output: Any) -> Any:
    if output.output_type != "stream":
        return output
    # a progress bar overwrites its line: only the text after the last carriage return is visible
    text = _ADVICE.sub("", _ESCAPES.sub("", output.text))
    output.text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return output if output.text.strip() else None


def main() -> int:
    """Run the notebooks given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--save", action="store_true", help="write the outputs of the cells into the files")
    parser.add_argument("--jobs", type=int, default=1, help="number of notebooks run at a time; they share the cores")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // arguments.jobs)))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # a kernel forks for shell lines
    paths = arguments.notebooks or sorted(HERE.glob("*.ipynb"))
    failed = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for path, (seconds, problem) in zip(
            paths, pool.map(lambda path: run(path, save=arguments.save), paths), strict=True
        ):
            failed += problem is not None
            print(f"{path.name:40} {'failed' if problem else 'ok':>6} {seconds:7.1f} s", flush=True)
            if problem:
                print(problem, file=sys.stderr, flush=True)
    print(f"{len(paths) - failed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
