"""The house keeps its own rules: rooms in order, files and functions of a readable size, nothing that unpickles."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import langnet

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "langnet"

# A room may import only from rooms before it. Where the code shows a better order, change it here too.
ROOMS = ["errors", "text", "encoders", "tasks", "transfer", "training", "evaluate", "hub", "recipes"]
ROOMS += ["study", "serve", "estimators", "cli"]
DOORS = ["__init__", "__main__"]  # these two look into every room

LONGEST_FILE = 400
LONGEST_FUNCTION = 70
SHORT_METHOD = 12  # a public method longer than this says what it does
MOST_PARAMETERS = 8
# Imported in the functions that use them, not at the top; estimators inherit from scikit-learn's.
HEAVY = {"datasets", "gensim", "h5py", "pandas", "pyarrow", "scipy.optimize", "scipy.stats", "sklearn", "transformers"}
HEAVY_BY_NATURE = {"estimators": {"sklearn"}}
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
DISTRIBUTIONS = {"sklearn": "scikit-learn", "google": "protobuf"}  # where a package is imported by another name
MACHINE_PATH = re.compile(r"(?<![\w.~/:}\])-])/(?:home|mnt|opt|root|Users|work)/\w")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


@functools.cache  # every rule reads every module
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf8"), filename=str(path))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_names(tree: ast.AST, package: str = "langnet") -> Iterator[tuple[str, int]]:
    """Every dotted name that is imported anywhere in the tree, with its line; `package` resolves relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def back_arrows(tree: ast.AST, room: str, package: str = "langnet") -> list[str]:
    """Imports of a later room, or of the package's public names, which live in later rooms."""
    found = []
    for name, line in imported_names(tree, package):
        parts = name.split(".")
        if parts[0] != "langnet" or parts[1:] == ["__version__"]:
            continue
        target = parts[1] if len(parts) > 1 else "langnet itself"
        if target not in ROOMS or ROOMS.index(target) > ROOMS.index(room):
            found.append(f"line {line}: {room} imports {name}")
    return found


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> int:
    """How many parameters a caller sees: without self and cls."""
    names = [a.arg for a in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]
    return len([name for name in names if name not in ("self", "cls")])


def may_have_many(function: Function, room: str) -> bool:
    """Whether many parameters are its nature: a command's are its flags, scikit-learn reads an estimator's off it."""
    command = any("app.command" in ast.unparse(decorator) for decorator in function.decorator_list)
    return (room == "cli" and command) or (room == "estimators" and function.name == "__init__")


def undocumented(tree: ast.Module) -> list[str]:
    """Public functions and classes of a module, and their longer public methods, that say nothing of themselves."""
    found = []
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            found.append(f"line {node.lineno}: {node.name}")
        methods = node.body if isinstance(node, ast.ClassDef) else []
        for method in methods:
            long = isinstance(method, Function) and length(method) > SHORT_METHOD and not method.name.startswith("_")
            if long and not ast.get_docstring(method):
                found.append(f"line {method.lineno}: {node.name}.{method.name}")
    return found


def unsafe(tree: ast.AST) -> list[str]:
    """What runs code that a file or a string brings along."""
    found = [f"line {line}: {name}" for name, line in imported_names(tree) if name.split(".")[0] in UNPICKLERS]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        pickled = any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords)
        shell = any(k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords)
        weights_only = any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords)
        unpickles = called == "torch.load" and not weights_only
        if called in ("eval", "exec", "torch.save", "os.system") or unpickles or pickled or shell:
            found.append(f"line {node.lineno}: {called}")
    return found


def run_at_import(node: ast.AST) -> Iterator[ast.stmt]:
    """The import statements that run when the module is imported: not in functions, not `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not isinstance(child, Function) and not (
            isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        ):
            yield from run_at_import(child)


def imported_at_once(tree: ast.AST) -> set[str]:
    """Packages, and their parts by two names, that are loaded when the module is imported."""
    names = [name.split(".") for statement in run_at_import(tree) for name, _ in imported_names(statement)]
    return {".".join(parts[:length]) for parts in names for length in (1, 2)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
class TestEveryModule:
    def test_rooms_in_order(self, path: Path) -> None:
        room = room_of(path)
        if room in DOORS:
            return
        assert room in ROOMS, f"give {room} its place in ROOMS"
        package = ".".join(path.relative_to(ROOT).parts[:-1])
        assert not back_arrows(read(path), room, package)

    def test_sizes(self, path: Path) -> None:
        tree = read(path)
        assert len(path.read_text(encoding="utf8").splitlines()) <= LONGEST_FILE, "split the file"
        long = [f"{f.name}: {length(f)} lines" for f in functions(tree) if length(f) > LONGEST_FUNCTION]
        assert not long, "split the function"
        many = [f for f in functions(tree) if parameters(f) > MOST_PARAMETERS and not may_have_many(f, room_of(path))]
        assert not [f"{f.name}: {parameters(f)}" for f in many], "make a config dataclass of them"

    def test_safe(self, path: Path) -> None:
        assert not unsafe(read(path))

    def test_documented(self, path: Path) -> None:
        tree = read(path)
        assert ast.get_docstring(tree), "a module says what it is for"
        assert not undocumented(tree)

    def test_heavy_imports_wait(self, path: Path) -> None:
        heavy = HEAVY - HEAVY_BY_NATURE.get(room_of(path), set())
        assert not heavy & imported_at_once(read(path)), "import it in the function that needs it"


def test_float64_is_made_where_there_is_one() -> None:
    """Apple's MPS has none: what a device holds is fetched first, or becomes what `encoders.precision.exact` makes."""
    for path in modules():
        for node in ast.walk(read(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "double":
                fetched = ast.unparse(node.func.value).endswith(".cpu()")
                assert fetched, f"{path.relative_to(ROOT)}:{node.lineno} makes float64 of what may lie on any device"


def test_one_function_reads_torch_files() -> None:
    found = [f"{p.name}:{f.name}" for p in modules() for f in functions(read(p)) if "torch.load(" in ast.unparse(f)]
    assert found == ["tensor_files.py:read_torch"], "read PyTorch's files with hub.importers.tensor_files.read_torch"


def test_every_room_is_a_package_that_only_says_its_name() -> None:
    folders = {path.parent for path in modules()}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").exists()]
    # The console script enters at langnet.cli:main, and estimators are imported from langnet.estimators.
    for folder in folders - {PACKAGE, PACKAGE / "cli", PACKAGE / "estimators"}:
        tree = read(folder / "__init__.py")
        assert len(tree.body) == 1, f"{folder.name}/__init__.py holds one docstring and nothing else"
        assert ast.get_docstring(tree)


def test_tests_mirror_the_package() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    strays = [p.parent.name for p in (ROOT / "tests").glob("*/test_*.py") if p.parent.name not in rooms]
    assert not strays, "a folder of tests has the name of the room it tests"


def test_imports_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    declared = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in wanted}
    known = sys.stdlib_module_names | {"langnet"}
    for path in modules():
        for name, line in imported_names(read(path)):
            top = name.split(".")[0]
            distribution = DISTRIBUTIONS.get(top, top).lower().replace("_", "-")
            assert top in known or distribution in declared, f"{path.name}:{line}: {top} is not in pyproject.toml"


def test_everything_declared_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    pinned = set(re.findall(r"^([\w.-]+)==[^+\s]+$", (ROOT / "constraints.txt").read_text(encoding="utf8"), re.M))
    pinned = {name.lower().replace("_", "-") for name in pinned}
    for line in [*project["dependencies"], *extras]:
        name = re.split(r"[^\w.-]", line)[0].lower()
        assert name in pinned | {"langnet"}, f"{name} has no exact version in constraints.txt: make constraints"


def test_one_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf8")
    assert f"\nversion: {langnet.__version__}\n" in citation
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf8")
    assert re.search(rf"^## \[?(Unreleased|{re.escape(langnet.__version__)})", changelog, re.MULTILINE)


def test_no_path_of_one_machine() -> None:
    folders = [ROOT / name for name in ("langnet", "tests", "benchmarks", "docs", "results", "tools", ".ci")]
    files = [p for folder in folders for p in folder.rglob("*") if p.suffix in (".py", ".md", ".sh", ".json", "")]
    files += [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile"]
    for path in files:
        if path.is_file() and "__pycache__" not in path.parts:
            found = MACHINE_PATH.search(path.read_text(encoding="utf8", errors="replace"))
            assert not found, f"{path.relative_to(ROOT)}: {found.group() if found else ''}"


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("langnet", {"torch", "numpy", "scipy", "sklearn", "rich"}),
        ("langnet.cli", {"torch", "numpy", "scipy", "sklearn"}),
        ("langnet.hub.folder", {"torch", "scipy", "sklearn"}),  # langnet models
        ("langnet.recipes.model", {"scipy.stats", "sklearn", "pandas"}),  # langnet predict
    ],
)
def test_import_is_light(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [name for name in langnet.__all__ if name != "__version__"])
def test_public_names_are_there(name: str) -> None:
    assert name in dir(langnet)
    assert getattr(langnet, name).__name__ == name


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'pretrian'; public names: .*TextClassifier"):
        _ = langnet.pretrian  # type: ignore[attr-defined]


class TestTheRulesThemselves:
    """A rule that cannot fail is no rule."""

    @pytest.mark.parametrize(
        "code",
        [
            "from langnet.hub.folder import read_folder",
            "import langnet.cli",
            "from langnet import pretrain",
            "import langnet",
            "from ..recipes import model",
            "def f():\n    from langnet.training import loop",
        ],
    )
    def test_back_arrow(self, code: str) -> None:
        assert back_arrows(ast.parse(code), "tasks", "langnet.tasks")

    @pytest.mark.parametrize(
        "code",
        [
            "from langnet.text.batches import Batch",
            "from langnet import __version__",
            "import torch",
            "from . import task",
        ],
    )
    def test_forward_arrow(self, code: str) -> None:
        assert not back_arrows(ast.parse(code), "tasks", "langnet.tasks")

    @pytest.mark.parametrize(
        "code",
        [
            "import pickle",
            "from joblib import load",
            "torch.load('x')",
            "torch.load('x', weights_only=False)",
            "torch.load('x', weights_only=flag)",
            "eval('1')",
            "np.load('x', allow_pickle=True)",
            "run('ls', shell=True)",
        ],
    )
    def test_unsafe(self, code: str) -> None:
        assert unsafe(ast.parse(code))

    @pytest.mark.parametrize(
        "code",
        ["model.eval()", "np.load('x', allow_pickle=False)", "run(['ls'])", "torch.load(x, weights_only=True)"],
    )
    def test_safe(self, code: str) -> None:
        assert not unsafe(ast.parse(code))

    def test_undocumented(self) -> None:
        code = "def f(): pass\ndef _g(): pass\nclass A:\n    'Doc.'\n    def m(self):\n" + "        x = 1\n" * 20
        assert undocumented(ast.parse(code)) == ["line 1: f", "line 5: A.m"]

    def test_heavy(self) -> None:
        code = "import a\ntry:\n    import b\nexcept ImportError: pass\nclass C:\n    def f(self):\n        import d\n"
        code += "if TYPE_CHECKING:\n    import e"
        assert [ast.unparse(node) for node in run_at_import(ast.parse(code))] == ["import a", "import b"]
        code = "from scipy import sparse, stats\nfrom sklearn.utils.extmath import randomized_svd"
        assert imported_at_once(ast.parse(code)) & HEAVY == {"scipy.stats", "sklearn"}

    def test_parameters(self) -> None:
        (function,) = functions(ast.parse("def f(self, a, /, b, *, c=1): pass"))
        assert parameters(function) == 3

    def test_machine_path(self) -> None:
        path = "/".join(["", "root", "data"])
        assert MACHINE_PATH.search(f"cd {path}")
        assert MACHINE_PATH.search(f'"{path}"')
        assert not MACHINE_PATH.search(f"https://example.org{path} ~{path} a{path}")
