"""Size and wording of the source tree: modules, functions, `Any`, docstrings, words to avoid.

    python -m benchmarks.codestats [ROOT ...]

ROOT is a checkout (default: this one). With several, one column each.
"""

from __future__ import annotations

import argparse
import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "ratsnlp_like"
WORDS = (
    *("ask", "asks", "asked", "asking", "say", "says", "said", "tell", "tells", "told", "learnt", "anew"),
    *("mend", "stands", "lies", "behind", "beside", "guess", "guessed", "keeper", "meter", "room", "garbage"),
)
OPENINGS = {
    "docstrings opening with What/Whether/How/Where": ("What", "Whether", "How", "Where"),
    "docstrings opening with See": ("See",),
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


def body_lines(function: Function) -> int:
    """Return the lines from the first to the last statement of a function, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _sources(folder: Path) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}


def _lines(sources: dict[Path, str]) -> Iterator[str]:
    for text in sources.values():
        yield from text.splitlines()


def code_stats(root: Path) -> dict[str, str]:
    """Return what is counted in a checkout, by the name of its row."""
    package, tests = _sources(root / PACKAGE), _sources(root / "tests")
    nodes = [(path, node) for path, text in package.items() for node in ast.walk(ast.parse(text))]
    functions = [(body_lines(node), node.name, path) for path, node in nodes if isinstance(node, Function)]
    docstrings = [ast.get_docstring(node) or "" for _, node in nodes if isinstance(node, Documented)]
    opening = [text.split(maxsplit=1)[0] for text in docstrings if text]
    names = sum(isinstance(node, ast.Name) and node.id == "Any" for _, node in nodes)
    lengths = {path: len(text.splitlines()) for path, text in package.items()}
    total = sum(lengths.values())
    longest = max(lengths, key=lambda path: lengths[path])
    size, name, where = max(functions, key=lambda function: function[0])
    return {
        "modules in the root of the package": str(
            sum(path.parent == root / PACKAGE and path.name != "__init__.py" for path in package)
        ),
        "longest module": f"{lengths[longest]} ({longest.relative_to(root / PACKAGE)})",
        "modules over 400 lines": str(sum(length > 400 for length in lengths.values())),
        "longest function, lines of body": f"{size} ({where.relative_to(root / PACKAGE)}: {name})",
        "median function, lines of body": f"{statistics.median(function[0] for function in functions):g}",
        "`Any` per 1,000 lines": f"{1000 * names / total:.1f} ({names})",
        "docstrings": str(len(opening)),
        **{row: str(sum(word in words for word in opening)) for row, words in OPENINGS.items()},
        "lines of the package": str(total),
        "lines of the tests": str(sum(1 for _ in _lines(tests))),
        **{
            f"lines with '{word}', package / tests": " / ".join(
                str(sum(bool(re.search(rf"\b{word}\b", line, re.IGNORECASE)) for line in _lines(sources)))
                for sources in (package, tests)
            )
            for word in WORDS
        },
    }


def main() -> None:
    """Print the counts of each checkout as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roots", nargs="*", type=Path, default=[Path(__file__).parents[1]], metavar="ROOT")
    roots = parser.parse_args().roots
    columns = [code_stats(root) for root in roots]
    print("| count |", " | ".join(str(root) for root in roots), "|")
    print("|---|" + "---|" * len(roots))
    for row in columns[0]:
        print(f"| {row} |", " | ".join(column[row] for column in columns), "|")


if __name__ == "__main__":
    main()
