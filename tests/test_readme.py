"""The examples of README.md and docs/ run, in order, as a reader would run them; links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from langnet.recipes.model import Model
from tests.conftest import sentences
from tests.pages import Block, PageError, commands, read_blocks, run_page
from tests.warm import Commands

ROOT = Path(__file__).parent.parent
PAGES = [
    path for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))] if path.exists()
]
LINK = re.compile(r"(?<!`)\[[^\]]*\]\((?!\w+:|#)([^)#\s]+)")
QUICK_SECONDS, SLOW_SECONDS = 120, 3000


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks_of(path: Path) -> list[Block]:
    return [block for block in read_blocks(path.read_text(encoding="utf8"), name(path)) if not block.skip]


def lay_out(folder: Path, model: Model) -> None:
    """The small files that every page starts with: raw.txt, train.csv, test.csv, new.csv, and a model in .tiny-lm."""
    model.save(folder / ".tiny-lm")
    train, test = sentences(200, seed=5), sentences(60, seed=6)
    raw = [*train.texts, *sentences(200, seed=7).texts]
    (folder / "raw.txt").write_text("\n\n".join(raw), encoding="utf8")
    for file, data in (("train.csv", train), ("test.csv", test)):
        rows = [f'"{text}",{label}' for text, label in zip(data.texts, data.labels, strict=True)]
        (folder / file).write_text("\n".join(["text,label", *rows, ""]), encoding="utf8")
    (folder / "new.csv").write_text(
        "\n".join(["text", *(f'"{text}"' for text in test.texts[:10]), ""]), encoding="utf8"
    )


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_quick_examples(path: Path, tmp_path: Path, runner: Commands, tiny_model: Model) -> None:
    blocks = [block for block in blocks_of(path) if not block.slow]
    if any(not block.setup for block in blocks):
        lay_out(tmp_path, tiny_model)
        run_page(blocks, tmp_path, QUICK_SECONDS, runner)


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=name)
def test_all_examples(path: Path, tmp_path: Path, tiny_model: Model) -> None:
    blocks = blocks_of(path)
    if any(block.slow for block in blocks):
        lay_out(tmp_path, tiny_model)
        run_page(blocks, tmp_path, SLOW_SECONDS, Commands(warm=False))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    outside_fences = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf8"), flags=re.DOTALL | re.MULTILINE)
    for target in LINK.findall(outside_fences):
        assert (path.parent / target).exists(), f"{name(path)} links to {target}"


def page(*parts: str) -> list[Block]:
    return read_blocks("\n".join(parts), "page.md")


class TestTheExtractor:
    def test_languages(self) -> None:
        blocks = page(
            "Text",
            "```sh",
            "ls",
            "```",
            "```json",
            "{}",
            "```",
            "```",
            "x",
            "```",
            "1. a",
            "   ```python",
            "   a = 1",
            "   ```",
        )
        assert [(block.language, block.code, block.line) for block in blocks] == [
            ("sh", "ls", 3),
            ("python", "a = 1", 13),
        ]

    def test_directives(self) -> None:
        slow, skipped = page(
            "<!-- test: slow -->", "<!-- test: replace `9` with `1` -->", "", "```sh", "a 9", "```",
            "<!-- test: skip (needs\na GPU) -->", "```sh", "b", "```",
        )  # fmt: skip
        assert (slow.slow, slow.skip, slow.code) == (True, False, "a 1")
        assert (skipped.slow, skipped.skip) == (False, True)

    def test_hidden_setup(self) -> None:
        setup, block = page("<!-- test: setup", "cp a b", "-->", "```sh", "cat b", "```")
        assert (setup.language, setup.code.strip(), block.code) == ("sh", "cp a b", "cat b")
        assert (setup.setup, block.setup) == (True, False)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("```bash\nls\n```", "page.md:1: 'bash' blocks are not run; use sh"),
            ("```sh\nls", "page.md:1: this fence is never closed"),
            ("<!-- test: skip -->\n```sh\nls\n```", "cannot follow <!-- test: skip -->"),
            ("<!-- test: sloow -->\n```sh\nls\n```", "cannot follow"),
            ("<!-- test: replace `x` with `y` -->\n```sh\nls\n```", "cannot follow"),
            ("<!-- test: output -->\n```sh\nls\n```", "cannot follow"),
            ("<!-- test: slow -->\nText.\n```sh\nls\n```", "stands before no block"),
        ],
    )
    def test_a_page_that_breaks_the_convention(self, text: str, told: str) -> None:
        with pytest.raises(PageError, match=re.escape(told)):
            page(text)

    def test_commands(self) -> None:
        assert commands("$ a \\\n> b\nout\n\nmore\n$ c") == [("a \\\nb", "out\n\nmore\n"), ("c", "")]
        with pytest.raises(PageError, match="starts with"):
            commands("out")


class TestTheRunner:
    def test_one_folder_one_session(self, tmp_path: Path, runner: Commands, tiny_model: Model) -> None:
        lay_out(tmp_path, tiny_model)
        code = [
            "```sh", "echo '[1, 2]' > a.json; head -1 train.csv | grep -x text,label", "```",
            "```python", "import json", "from pathlib import Path", "a = json.loads(Path('a.json').read_text())", "```",
            "```python", "Path('b.json').write_text(json.dumps(sum(a)))", "```",
            "<!-- test: output -->", "```console", "$ cat b.json", "3", "$ echo one two", "one ...", "```",
            "```sh", "langnet --help > help.txt", "```",
        ]  # fmt: skip
        run_page(page(*code), tmp_path, 60, runner)
        assert json.loads((tmp_path / "b.json").read_text()) == 3
        assert "pretrain" in (tmp_path / "help.txt").read_text()

    @pytest.mark.parametrize(
        ("code", "told"),
        [
            ("Text\n```sh\nfalse | true\n```", "page.md:3: exit code 1"),
            ("```python\na = 1\n\n1 / 0\n```", 'File "page.md", line 4'),
            ("<!-- test: output -->\n```console\n$ echo 1\n2\n```", "but the command printed\n1"),
        ],
    )
    def test_a_failing_example_is_told(self, code: str, told: str, tmp_path: Path, runner: Commands) -> None:
        with pytest.raises(PageError, match=re.escape(told)):
            run_page(page(code), tmp_path, 60, runner)

    def test_an_endless_example_is_stopped(self, tmp_path: Path, runner: Commands) -> None:
        with pytest.raises(PageError, match="longer than 1 seconds"):
            run_page(page("```python", "while True: pass", "```"), tmp_path, 1, runner)
