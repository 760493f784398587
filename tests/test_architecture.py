"""Architecture of the package: layers, import cycles, sizes, lazy imports, docstrings, no pickles."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ratsnlp_like"
NAME = PACKAGE.name
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}

# From the bottom up. A module imports from packages below its own and from its own package.
LAYERS = (
    ("errors",),
    ("option_types",),
    ("registry", "arguments", "runtime"),
    ("examples",),
    ("text",),
    ("metrics", "corpora", "checkpoints"),
    ("modeling",),
    ("tasks",),
    ("data",),
    ("inference",),
    ("analysis", "pages"),
    ("training",),
    ("evaluation",),
    ("export",),
    ("anatomy", "serve"),
    ("cli",),
    ("nlpbook", "__main__"),
)
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
KINDS = ("corpora", "tasks", "checkpoints", "metrics", "training.loggers")


def package(module: str) -> str:
    """Return the package of a module; a module of the root is its own package."""
    return module.partition(".")[0]


@functools.cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@functools.cache
def imported(module: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, also within functions.

    Names of the package itself (`from . import __version__`) and imports under TYPE_CHECKING are excluded.
    """
    is_package = MODULES[module].name == "__init__.py"
    above = [NAME, *module.split(".")][: None if is_package else -1]
    return frozenset(found for name in _names(module, above) if (found := _module_of(name)))


def _names(module: str, above: list[str]) -> Iterator[str]:
    """Iterate over the dotted names that a module imports."""
    for statement in tree(module).body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = [*above[: len(above) - node.level + 1]] if node.level else []
                base += node.module.split(".") if node.module else []
                yield from (".".join([*base, alias.name]) for alias in node.names)


def _module_of(name: str) -> str:
    """Return the module of this package that an imported name belongs to, or an empty string."""
    if not name.startswith(f"{NAME}."):
        return ""
    inside = name.removeprefix(f"{NAME}.")
    return inside if inside in MODULES else inside.rpartition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module: str) -> None:
    own = package(module)
    assert own in LEVEL, f"{module} has no layer: add its package to LAYERS"
    for other in imported(module):
        below = package(other)
        assert below in LEVEL, f"{other} has no layer"
        assert below == own or LEVEL[below] < LEVEL[own], f"{module} ({own}) imports {other} ({below})"


def test_no_two_modules_import_each_other() -> None:
    """There is no import circle of any length, function-level imports included; TYPE_CHECKING is left out."""
    graph = {module: {other for other in imported(module) if other != module} for module in MODULES}
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != 1, " -> ".join((*path[path.index(module) :], module))
        if module in state:
            return
        state[module] = 1
        for other in sorted(graph[module]):
            visit(other, (*path, module))
        state[module] = 2

    for module in sorted(graph):
        visit(module, ())


def test_size_of_the_root_and_of_modules() -> None:
    root = [module for module, path in MODULES.items() if path.parent == PACKAGE]
    assert len(root) <= 6, root
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert max(lengths.values()) <= 400, max(lengths, key=lambda module: lengths[module])


FACADE = [module for module in MODULES if module.split(".")[0] == "nlpbook"]


def test_the_facade_of_the_book_is_thin_and_imported_by_no_other_package() -> None:
    """The facade imports the package; nothing of the package imports the facade."""
    assert len(FACADE) > 10
    for module in MODULES:
        assert module in FACADE or not {name for name in imported(module) if name.startswith("nlpbook")}, module
    for module in FACADE:
        assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 150, module


REGISTRIES = {f"{name}.register" for name in ("CORPORA", "TASKS", "CHECKPOINTS", "METRICS", "LOGGERS")}
REGISTERED = [
    name
    for name in MODULES
    if any(isinstance(node, ast.Call) and ast.unparse(node.func) in REGISTRIES for node in ast.walk(tree(name)))
]


@pytest.mark.parametrize("module", REGISTERED)
def test_registered_modules_are_not_imported_by_others(module: str) -> None:
    """A corpus, a task, a checkpoint, a metric or a logger is one file that can be removed: no other imports it."""
    assert module.startswith(tuple(f"{kind}." for kind in KINDS))
    importers = [other for other in MODULES if module in imported(other)]
    assert importers == []


def test_imports_are_found() -> None:
    """Guard against a parser that finds no imports, with which the tests above could not fail."""
    assert imported("errors") == set()
    assert {"registry", "text.spans", "metrics.entities", "tasks.base", "errors"} <= imported("tasks.ner")
    assert "corpora.hub" in imported("corpora.opening")  # within a function
    assert len(REGISTERED) >= 10
    assert "corpora.formats.bio" in imported("corpora.formats.conll")
    assert {"training.finetune", "training.job"} <= imported("cli.train")
    assert imported("registry") == {"errors"}


def test_every_layer_exists() -> None:
    assert {package(module) for module in MODULES} == set(LEVEL)


HEAVY = ("torch", "transformers", "pytorch_lightning", "datasets", "sklearn", "seqeval", "pandas", "pyarrow", "Korpora")


_HELP = ["train", "--task", "ner", "--help"]
_TRAIN = ["train", "--task", "classification", "--corpus", "sample-sentiment", "--checkpoint", "ko-tiny-bert"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "free"),
    [
        (f"import {NAME}", (*HEAVY, "numpy", "jsonargparse")),
        (f"import {NAME}.cli", (*HEAVY, "numpy", "jsonargparse")),
        (f"from {NAME}.cli import main; main([])", (*HEAVY, "numpy")),
        (f"from {NAME}.cli import main\ntry: main({_HELP})\nexcept SystemExit: pass", (*HEAVY, "numpy")),
        *(
            (f"from {NAME}.cli import main; assert main(['list', {what!r}]) == 0", HEAVY)
            for what in ("corpora", "tasks", "checkpoints", "formats")
        ),
        *(
            (f"from {NAME}.cli import main; assert main({_TRAIN} + {wrong!r}) == 2", (*HEAVY, "numpy"))
            for wrong in (
                ["--checkpoint", "nosuch"],
                ["--corpus", "nosuch.csv"],
                ["--corpus", "nosuch"],
                ["--eval_corpus", "nosuch.csv"],
                ["--learning_rate", "-1"],
                ["--normalization", "nosuch"],
            )
        ),
        (f"import {NAME}.text.steps, {NAME}.text.spans, {NAME}.metrics.entities, {NAME}.examples", HEAVY),
    ],
)
def test_heavy_libraries_are_imported_lazily(code: str, free: tuple[str, ...]) -> None:
    code += f"\nimport sys; print('LOADED', *(set({free!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]


def public(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes of a module, and public methods of its public classes."""
    nodes: list[ast.stmt] = list(tree(module).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                nodes += node.body


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_has_a_docstring(module: str) -> None:
    assert ast.get_docstring(tree(module)), module
    for node in public(module):
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), f"{module}: {node.name}"


def _methods() -> Iterator[tuple[str, str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in MODULES:
        for node in public(module):
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                        yield module, node.name, inner


@pytest.mark.slow
def test_every_public_function_and_method_has_a_docstring() -> None:
    """A method needs none where the method of a base class, here or in a library, has one."""
    classes = {
        node.name: [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ClassDef)
    }
    documented = {(name, method.name) for _, name, method in _methods() if ast.get_docstring(method)}
    of_libraries = {"on_", "state_dict", "load_state_dict", "forward"}

    def inherits(name: str, method: str) -> bool:
        bases = classes.get(name, [])
        return any((base, method) in documented or inherits(base, method) for base in bases) or (
            bool(bases) and any(method.startswith(start) for start in of_libraries)
        )

    for module, name, method in _methods():
        assert (name, method.name) in documented or inherits(name, method.name), f"{module}: {name}.{method.name}"
    for module in MODULES:
        for node in tree(module).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{module}: {node.name}"


FLAGS = {
    "arguments": {"CorpusArguments", "DataArguments", "ModelArguments", "TrainingArguments"},
    "corpora.formats.base": {"Options"},
    "serve.limits": {"Limits"},
    **{module: {"Task", "Classifier", "Classification", "Ner"} for module in MODULES if module.startswith("tasks.")},
}


def test_every_flag_has_a_help_text() -> None:
    """The text below a field is the help of its flag."""
    seen = 0
    for module, names in FLAGS.items():
        for node in public(module):
            if not isinstance(node, ast.ClassDef) or node.name not in names:
                continue
            for statement, below in pairwise(node.body):
                if isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation):
                    seen += 1
                    what = f"{node.name}.{ast.unparse(statement.target)}"
                    assert isinstance(below, ast.Expr), what
                    assert isinstance(below.value, ast.Constant), what
                    assert len(str(below.value.value)) > 15, what
    assert seen > 30


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_pickled(module: str) -> None:
    """Safetensors, JSON and Arrow; what torch loads, it loads with weights_only."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = {(node.module or "").split(".")[0]}
        else:
            names = set()
        assert not names & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert called != "torch.load" or given.get("weights_only") == "True"
            assert called != "torch.save" or module == "training.checkpoint_io"  # the format of Lightning
            assert given.get("allow_pickle") in {None, "False"}
            assert given.get("weights_only") in {None, "True"}
