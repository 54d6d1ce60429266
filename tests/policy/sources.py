"""The source files that the policies are about, read and parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: str
    """Below the repository, such as ``app/kit/text.py``."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree; every node knows its parent as ``parent``."""
        tree = ast.parse(self.text, self.path)
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]  # ours
        return tree

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n")

    @property
    def room(self) -> str:
        """The package below ``app/``, or the module's name."""
        return self.path.split("/")[1].removesuffix(".py")

    def functions(self) -> Iterator[FunctionNode]:
        """Yield every function, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        """Yield every call."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node

    def texts(self) -> Iterator[ast.Constant]:
        """Yield every string constant that is not a docstring."""
        for node in ast.walk(self.tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and not isinstance(parent_of(node), ast.Expr):
                assert isinstance(node, ast.Constant)
                yield node

    def at(self, node: ast.expr | ast.stmt | ast.excepthandler) -> str:
        """Return a place as editors name it."""
        return f"{self.path}:{node.lineno}"


@cache
def python_files(*folders: str) -> tuple[Source, ...]:
    """Return all Python files below the folders, by path."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text())
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def app_files() -> tuple[Source, ...]:
    """Return the program itself."""
    return python_files("app")


def is_repository(path: str) -> bool:
    """Say whether a file is one of the rooms' homes of SQL."""
    parts = path.split("/")
    return len(parts) > 2 and parts[2].removesuffix(".py") == "repository"


def is_kernel(path: str) -> bool:
    """Say whether a file is a room's pure part."""
    parts = path.split("/")
    return len(parts) > 2 and parts[2].removesuffix(".py") == "kernel"


def parent_of(node: ast.AST) -> ast.AST | None:
    """Return the node around a node of a source's tree."""
    return getattr(node, "parent", None)


def enclosing_function(node: ast.AST) -> str:
    """Return the name of the function around a node; ``""`` at the top of a module."""
    around = parent_of(node)
    while around is not None and not isinstance(around, FunctionNode):
        around = parent_of(around)
    return around.name if isinstance(around, FunctionNode) else ""


def called_name(call: ast.Call) -> str:
    """Return the last part of what is called: ``text`` of ``sa.text(…)``."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""
