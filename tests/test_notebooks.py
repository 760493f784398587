"""The notebooks of the repository: their form and complete outputs. `make notebooks` runs them."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
REPOSITORY = re.search(r'url="https://github.com/(.+?)"', (FOLDER.parent / "setup.py").read_text())[1]
BADGE = "https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}"
INSTALL = re.compile(
    r'import importlib\.util\n\nif importlib\.util\.find_spec\("ratsnlp_like"\) is None:.*\n'
    r'    %pip install -q "ratsnlp_like(\[[a-z,]+\])? @ git\+https://github\.com/(?P<repository>[\w-]+/[\w-]+)"\n?'
)
HANGUL = re.compile("[가-힣]")


def test_all_notebooks_exist() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(12)]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_title_badge_and_installation_come_first(path: Path, cells: list[dict[str, Any]]) -> None:
    title = source(cells[0])
    assert title.startswith(f"# {path.name[:2]}. ")
    assert BADGE.format(repository=REPOSITORY, name=path.name) in title
    installed = INSTALL.fullmatch(source(cells[1]))
    assert installed
    assert installed["repository"] == REPOSITORY


def test_checkpoint_and_corpus_are_set_in_one_cell(cells: list[dict[str, Any]]) -> None:
    named = []
    for cell in cells[2:]:
        if cell["cell_type"] != "code" or source(cell).lstrip().startswith(("%", "!")):
            continue
        try:
            body = ast.parse(source(cell)).body
        except SyntaxError:  # a shell line
            continue
        targets = [node.targets[0] for node in body if isinstance(node, ast.Assign)]
        if len(targets) == len(body) and all(isinstance(t, ast.Name) and t.id.isupper() for t in targets):
            named.append({t.id for t in targets if isinstance(t, ast.Name)})
    assert named, "no cell that sets only constants"
    assert any(re.search("CHECKPOINT|BERT|GPT|TOKENIZERS", " ".join(names)) for names in named)


def test_texts_are_korean(cells: list[dict[str, Any]]) -> None:
    texts = [source(cell) for cell in cells if cell["cell_type"] == "markdown"]
    assert len(texts) >= 5
    assert all(HANGUL.search(text) for text in texts)


def test_outputs_are_those_of_one_complete_run(cells: list[dict[str, Any]]) -> None:
    run = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in run] == list(range(1, len(run) + 1))
    shown = json.dumps([cell["outputs"] for cell in run], ensure_ascii=False)
    assert '"error"' not in shown
    assert not re.search(r"/(tmp|root|home|work|var|content)/", shown), "a path of a machine"
    assert any(cell["outputs"] for cell in run)


def test_file_size(path: Path) -> None:
    assert path.stat().st_size < 1_500_000


def test_links_to_notebooks_exist(cells: list[dict[str, Any]]) -> None:
    text = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    for target in re.findall(r"\]\(([^)#:]+?\.ipynb)\)", text):
        assert (FOLDER / target).exists(), target
