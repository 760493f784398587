"""`ratsnlp-like completion`: a script that completes commands, options and names in bash or zsh."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterable
from contextlib import redirect_stdout, suppress
from importlib import import_module

from ..errors import InputError, did_you_mean

_USAGE = """\
usage: ratsnlp-like completion bash|zsh

  bash: echo 'source <(ratsnlp-like completion bash)' >> ~/.bashrc
  zsh:  echo 'source <(ratsnlp-like completion zsh)' >> ~/.zshrc
"""

_SCRIPT = """\
_ratsnlp_like() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words="" files=""
  case $previous in
{values}
    *)
      if [[ $COMP_CWORD == 1 ]]; then words={commands}
      elif [[ $current == -* ]]; then case ${{COMP_WORDS[1]}} in
{options}
        esac
      else case ${{COMP_WORDS[1]}} in
{arguments}
          *) files=yes ;;
        esac
      fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $files ]] && COMPREPLY+=($(compgen -f -- "$current"))
}}
complete -o filenames -F _ratsnlp_like ratsnlp-like
"""


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like completion`."""
    shells = ("bash", "zsh")
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(_USAGE, end="")
        if not arguments:
            raise InputError("missing: the shell", fix="ratsnlp-like completion bash")
        return
    if arguments[0] not in shells:
        raise InputError(f"unknown shell {arguments[0]!r}", fix=did_you_mean(arguments[0], shells))
    if arguments[0] == "zsh":
        print("autoload -U +X bashcompinit && bashcompinit")
    print(script(), end="")


def script() -> str:
    """Return the script, with the commands, options and registered names of this installation."""
    from ..checkpoints.base import bundled
    from ..registry import CHECKPOINTS, CORPORA, TASKS
    from .main import COMMANDS

    tasks = [name for name, _ in TASKS.items()]
    checkpoints = [*bundled(), *(name for name, _ in CHECKPOINTS.items())]
    corpora = [name for name, _ in CORPORA.items()]
    values = {"--task": (tasks, False), "--corpus": (corpora, True), "--checkpoint": (checkpoints, True)}
    options = {command: _flags(command, [[]]) for command in ("evaluate", "predict", "serve", "export", "compare")}
    options |= {"inspect": _flags("inspect", [[]]), "train": _flags("train", [["--task", task] for task in tasks])}
    options["tokenizer"] = sorted({*_flags("tokenizer", [["train"]]), *_flags("tokenizer", [["compare"]])})
    arguments = {
        "list": ["corpora", "tasks", "checkpoints", "formats", "runs"],
        "tokenizer": ["train", "compare"],
        "inspect": corpora,
        "completion": ["bash", "zsh"],
    }
    return _SCRIPT.format(
        commands=_quoted(COMMANDS),
        values="\n".join(
            f"    {flag}) words={_quoted(names)}{' files=yes' if files else ''} ;;"
            for flag, (names, files) in values.items()
        ),
        options="\n".join(f"        {command}) words={_quoted(flags)} ;;" for command, flags in options.items()),
        arguments="\n".join(
            f"          {command}) words={_quoted(names)} files=yes ;;" for command, names in arguments.items()
        ),
    )


def _quoted(words: Iterable[str]) -> str:
    return shlex.quote(" ".join(words))


def _flags(command: str, calls: Iterable[list[str]]) -> list[str]:
    """Return the flags of a command, as its help lists them."""
    shown = io.StringIO()
    for call in calls:
        with redirect_stdout(shown), suppress(SystemExit):
            import_module(f".{command}", __package__).run([*call, "--help"])
    return sorted(set(re.findall(r"(?<![\w-])--[a-z]\w*", shown.getvalue())))
