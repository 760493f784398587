"""The two READMEs: the same sections, the same commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ratsnlp_like

PACKAGE_IMPORT = re.compile(r"from ratsnlp_like(?:\.([\w.]+))? import ([\w, ]+)")
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


def test_notebooks_import_public_names_or_documented_functions() -> None:
    documented = (ROOT / "README.md").read_text(encoding="utf-8")
    found = 0
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        for module, names in PACKAGE_IMPORT.findall(source):
            for name in map(str.strip, names.split(",")):
                found += 1
                public = name in ratsnlp_like.__all__ or name == "anatomy"
                assert public if not module else f"`{module}.{name}`" in documented, (path.name, module, name)
    assert found > 30
