"""Run the examples of a documentation page as a reader would: in order, in one folder, in one session.

A page is Markdown. Its fenced `sh`, `python` and `console` blocks are run; comments that a reader does not see, each on
the lines before a fence, say how. CONTRIBUTING.md describes the convention for writers. Run as a script, this module
executes the blocks of one page, given as JSON: that is the process in which a page's Python names live on from block to
block.
"""

from __future__ import annotations

import dataclasses
import doctest
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.warm import Commands

RUN = ("sh", "python", "console")
SHOWN = ("", "csv", "html", "json", "makefile", "text", "toml", "yaml", "bibtex")  # for reading only
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w-]*)[^`]*$")
DIRECTIVE = re.compile(r"<!-- test: (?P<text>.*?) ?-->", re.DOTALL)
REPLACE = re.compile(r"replace `(?P<old>[^`]+)` with `(?P<new>[^`]*)`")


class PageError(Exception):
    """A page that breaks the convention, or an example that fails."""


@dataclass(frozen=True)
class Block:
    """One example: what is run, and where it stands."""

    page: str
    line: int
    language: str
    code: str
    slow: bool = False
    skip: bool = False
    compare: bool = False  # whether a console block's output is compared
    setup: bool = False  # run, and not shown


def read_blocks(text: str, page: str) -> list[Block]:
    """The blocks of a page that can be run, hidden set-up included, in order.

    Raises:
        PageError: an unknown comment, a language that is neither run nor shown, a fence that is not closed.
    """
    blocks: list[Block] = []
    directives: list[str] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        fence = FENCE.match(lines[number])
        if fence:
            end = _closing(lines, number, fence["ticks"], page)
            code = "\n".join(line.removeprefix(fence["indent"]) for line in lines[number + 1 : end])
            block = Block(page, number + 2, fence["language"], code)
            blocks += _with_directives(block, directives)
            directives, number = [], end + 1
        elif lines[number].lstrip().startswith("<!-- test:"):
            end = next((n for n in range(number, len(lines)) if "-->" in lines[n]), number)
            comment = DIRECTIVE.search("\n".join(lines[number : end + 1]))
            if comment is None:
                raise PageError(f"{page}:{number + 1}: write <!-- test: ... --> on lines of its own")
            kind, _, code = comment["text"].partition("\n")
            if kind.strip() == "setup":
                blocks.append(Block(page, number + 2, "sh", code, setup=True))
            else:
                directives.append(comment["text"])
            number = end + 1
        else:
            if lines[number].strip() and directives:
                raise PageError(f"{page}:{number + 1}: <!-- test: {directives[0]} --> stands before no block")
            number += 1
    return blocks


def _closing(lines: list[str], opening: int, ticks: str, page: str) -> int:
    for number in range(opening + 1, len(lines)):
        if lines[number].strip() == ticks:
            return number
    raise PageError(f"{page}:{opening + 1}: this fence is never closed")


def _with_directives(block: Block, directives: list[str]) -> list[Block]:
    if block.language in SHOWN and not directives:
        return []
    if block.language not in RUN:
        raise PageError(
            f"{block.page}:{block.line - 1}: {block.language!r} blocks are not run; use {', '.join(RUN)} or text"
        )
    for directive in directives:
        block = _directed(block, directive)
    return [block]


def _directed(block: Block, directive: str) -> Block:
    if directive == "slow":
        return dataclasses.replace(block, slow=True)
    if directive == "output" and block.language == "console":
        return dataclasses.replace(block, compare=True)
    if re.fullmatch(r"skip \(.+\)", directive, re.DOTALL):
        return dataclasses.replace(block, skip=True)
    replacement = REPLACE.fullmatch(directive)
    if replacement and replacement["old"] in block.code:
        return dataclasses.replace(block, code=block.code.replace(replacement["old"], replacement["new"]))
    raise PageError(f"{block.page}:{block.line}: cannot follow <!-- test: {directive} --> here")


def commands(console: str) -> list[tuple[str, str]]:
    """The commands of a console block (after `$ `, continued after `> `), each with the output shown below it."""
    found: list[tuple[str, str]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif not found:
            raise PageError(f"a console block starts with '$ ', not {line!r}")
        elif line.startswith("> ") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def run_page(blocks: list[Block], folder: Path, seconds: float, runner: Commands) -> None:
    """Run blocks in `folder`, where `langnet` and `python` are the runner's.

    Raises:
        PageError: with the output, where a block fails or takes longer than `seconds`.
    """
    tools, home = folder / ".tools", folder / ".home"
    for path in (tools, home):
        path.mkdir()
    for name in ("langnet", "python"):
        (tools / name).write_text(runner.script(name), encoding="utf8")
        (tools / name).chmod(0o755)
    changed = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "COLUMNS": "120",
    }
    page = folder / ".page.json"
    page.write_text(json.dumps([dataclasses.asdict(block) for block in blocks]), encoding="utf8")
    try:
        done = runner.run(["python", __file__, page], folder, changed, seconds, one_stream=True)
    except subprocess.TimeoutExpired as error:
        raise PageError(f"{blocks[0].page} took longer than {seconds:g} seconds; mark a block as slow") from error
    if done.returncode:
        raise PageError(done.stdout)


def main(page: str) -> None:
    """Execute blocks in this process; the first that fails ends it."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in (Block(**held) for held in json.loads(Path(page).read_text(encoding="utf8"))):
        where = f"{block.page}:{block.line}"
        print(f"--- {where} ({block.language})", flush=True)
        if block.language == "python":
            padded = "\n" * (block.line - 1) + block.code  # so that a traceback gives the page's own lines
            exec(compile(padded, block.page, "exec"), names)
        elif block.language == "sh":
            _shell(block.code, where)
        else:
            for command, shown in commands(block.code):
                _compare(_shell(command, where), shown, where) if block.compare else _shell(command, where)


def _shell(code: str, where: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, flush=True)
    if done.returncode:
        sys.exit(f"{where}: exit code {done.returncode} of:\n{code}")
    return done.stdout


def _compare(got: str, shown: str, where: str) -> None:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if not doctest.OutputChecker().check_output(shown, got, options):
        sys.exit(f"{where}: the page shows\n{shown}\nbut the command printed\n{got}")


if __name__ == "__main__":
    main(sys.argv[1])
