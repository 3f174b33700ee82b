"""The house's own rules: imports run one way, files and functions stay small, nothing unpickles."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "langnet"
ROOMS = [
    "errors", "text", "encoders", "tasks", "transfer", "training", "evaluate", "hub", "recipes", "study", "serve",
    "estimators", "cli",
]  # fmt: skip
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_upwards(path):
    own = ROOMS.index(room_of(path))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("langnet."):
            other = node.module.split(".")[1]
            assert ROOMS.index(other) <= own, f"{path.name}:{node.lineno} imports from {other}, a later room"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf8")
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 70, f"{node.name} is {node.end_lineno - node.lineno + 1} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_unpickles(path):
    forbidden = re.compile(r"^\s*(import|from) (pickle|joblib|dill)\b|torch\.load\(|\b(eval|exec)\(", re.MULTILINE)
    found = [m for m in forbidden.finditer(path.read_text(encoding="utf8")) if not m.group().startswith("eval")]
    assert not found


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=str)
def test_every_folder_is_a_package(folder):
    assert (folder / "__init__.py").exists()
