"""`ratsnlp-like completion`: the script, run by bash."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers_cli import Cli, check_message

from ratsnlp_like.cli.completion import script

BASH = shutil.which("bash")


@pytest.fixture(scope="module")
def completions() -> str:
    return script()


@pytest.mark.slow
@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tr"], {"train"}),
        (["train", "--task", "question"], {"question-answering"}),
        (["train", "--learning"], {"--learning_rate"}),
        (["train", "--long"], {"--long_text"}),
        (["predict", "--batch"], {"--batch_size"}),
        (["train", "--corpus", "sample-sent"], {"sample-sentiment"}),
        (["inspect", "sample-sent"], {"sample-sentiment"}),
        (["list", "form"], {"formats"}),
        (["predict", "my-ru"], {"my-runs"}),
        (["train", "--checkpoint", "my-ru"], {"my-runs"}),
    ],
    ids=" ".join,
)
def test_bash(completions: str, words: list[str], expected: set[str], tmp_path: Path) -> None:
    (tmp_path / "my-runs").mkdir()
    line = f"COMP_WORDS=(ratsnlp-like {' '.join(words)}); COMP_CWORD={len(words)}"
    code = f"{completions}\n{line}; _ratsnlp_like; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    assert BASH is not None
    done = subprocess.run([BASH, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected


@pytest.mark.slow
def test_zsh_reads_the_script_of_bash(completions: str, cli: Cli) -> None:
    outcome = cli("completion", "zsh")
    assert outcome.code == 0
    assert outcome.out == f"autoload -U +X bashcompinit && bashcompinit\n{completions}"


def test_usage(cli: Cli) -> None:
    assert "completion bash|zsh" in cli("completion", "--help").out
    check_message(cli("completion"), "missing: the shell")
    check_message(cli("completion", "bahs"), "unknown shell 'bahs'", "did you mean 'bash'")
