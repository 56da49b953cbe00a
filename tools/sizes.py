"""Fails where a function, a file or a name breaks the house's rules (docs/decisions/0001): `python -m tools.sizes FOLDER ...`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES = 80
FILE_LINES = 500
VAGUE = re.compile(r"(?:^|_)(?:managers?|helpers?|utils?|utilities|data|process)(?:_|$)")
UNFINISHED = re.compile(r"#.*\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def faults(path: Path) -> Iterator[str]:
    """Every breach of the rules in one file, as `path:line: sentence`."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{path}:1: {len(lines)} lines; {FILE_LINES} at most"
    if VAGUE.search(path.stem):
        yield f"{path}:1: the name says nothing about what is inside"
    for number, line in enumerate(lines, start=1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: unfinished work is an issue, not a comment"
    for node in ast.walk(ast.parse(text)):
        yield from _node_faults(path, node)


def _node_faults(path: Path, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        size = (node.end_lineno or node.lineno) - node.lineno + 1
        if size > FUNCTION_LINES:
            yield f"{path}:{node.lineno}: {node.name} has {size} lines; {FUNCTION_LINES} at most"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()
        if VAGUE.search(words) and not words.startswith("test_"):
            yield f"{path}:{node.lineno}: the name {node.name} says nothing about what it is"
    if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
        yield f"{path}:{node.lineno}: an exception is swallowed"


def main(folders: list[str]) -> int:
    """Print every breach; 0 if there is none."""
    files = [
        file for folder in folders for file in sorted(Path(folder).rglob("*.py")) if "migrations" not in file.parts
    ]
    found = [fault for file in files for fault in faults(file)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
