"""The two READMEs: the same sections, the same commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def sections(text: str) -> list[str]:
    return re.findall(r"^#+ ", text, re.MULTILINE)


def commands(text: str) -> set[str]:
    """Commands of the shell blocks, without comments; those of shown sessions are left out."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return {" ".join(re.sub(r"\s#.*", "", line).split()) for line in lines} - {""}


def test_the_readmes_have_the_same_sections_and_commands() -> None:
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))
    assert sections(english) == sections(korean)
    assert len(commands(english)) > 20
    assert commands(english) <= commands(korean)
