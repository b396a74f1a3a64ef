"""Which ``__init__.py`` make a namespace that several distributions share (PEP 420 calls these legacy namespaces).

Decided by the syntax tree, not by text: the idiom comes with try/except, aliases and odd formatting, and a package may
mention the words without being a namespace.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

_MAX_PARSED_BYTES = 64 * 1024  # a parser can be made to exhaust the stack; real namespaces have a few lines
_IDIOMS = frozenset({"declare_namespace", "extend_path"})
_TEXT = re.compile(
    rb"^[ \t]*(?:__path__[ \t]*=.*\bextend_path[ \t]*\(|.*\bdeclare_namespace[ \t]*\([ \t]*__name__)", re.MULTILINE
)


def is_namespace_init(source: bytes) -> bool:
    """Whether this ``__init__.py`` declares a ``pkgutil`` or ``pkg_resources`` namespace when it is imported.

    Calls inside functions and classes do not count. Source that is huge, or that this Python cannot parse, is judged by
    its lines.
    """
    if b"extend_path" not in source and b"declare_namespace" not in source:
        return False
    if len(source) > _MAX_PARSED_BYTES:
        return _TEXT.search(source) is not None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in foreign source are not our user's business
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _TEXT.search(source) is not None
    return any(_called_name(node) in _IDIOMS for node in _executed(tree))


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run at import: everything but the bodies of functions and classes."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def _called_name(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or not node.args:
        return None
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else None


def declared_namespaces(text: bytes) -> Iterable[str]:
    """Return the directories (relative to site-packages) that ``namespace_packages.txt`` lists, parents included."""
    found: dict[str, None] = {}
    for line in text.decode("utf-8", "replace").split():
        parts = line.split(".")
        if all(part.isidentifier() for part in parts):
            for length in range(1, len(parts) + 1):
                found["/".join(parts[:length])] = None
    return found
