"""The Typer application that every verb adds itself to, and what all verbs share: errors and output."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from langnet.errors import LangnetError, LangnetWarning
from langnet.text.paths import matches_of

if TYPE_CHECKING:
    from langnet.recipes.model import Model
    from langnet.recipes.pretrain import Run
    from langnet.text.corpus import CorpusOptions

SHARED_VERBS = ("pretrain", "adapt")  # those that several processes can work on together
INTERRUPTED = 130  # the exit code of Ctrl-C
ORDER = [
    "inspect",
    "pretrain",
    "adapt",
    "finetune",
    "multitask",
    "ulmfit",
    "backtranslate",
    "calibrate",
    "evaluate",
    "predict",
    "explain",
    "generate",
    "score",
    "zero",
    "encoders",
    "models",
    "vectors",
    "study",
    "demo",
]


class Verbs(typer.core.TyperGroup):
    """The verbs in the order of a day's work; what is not in `ORDER` follows."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return sorted(self.commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


app = typer.Typer(
    cls=Verbs, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False
)
console = Console(markup=False, emoji=False)  # labels, words and names of files may hold [brackets] and :signs:


@app.callback()
def check_processes(context: typer.Context) -> None:
    """Pretrain a language model on raw text, transfer it to a task, and see what that bought."""
    processes = os.environ.get("WORLD_SIZE", "1")
    if processes != "1" and context.invoked_subcommand not in SHARED_VERBS:
        raise LangnetError(
            f"{context.invoked_subcommand} runs in one process, not in {processes}; "
            f"only {' and '.join(SHARED_VERBS)} can be started by torchrun"
        )


def examples(*lines: str) -> str:
    """Worked examples for the end of a verb's help, a line each."""
    return "\n\n".join(["[bold]Examples[/bold]", *lines])


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    # Threads that spin while they wait make training on a busy machine several times slower. OpenMP reads this once,
    # when torch is loaded, which no verb has done yet.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a character gets its number, no traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _in_one_line(warnings.showwarning)
            status = app(prog_name="langnet", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # some versions of Typer return it, others raise
            raise KeyboardInterrupt
    except LangnetError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        print(f"langnet: interrupted{_way_on(sys.argv[1:2])}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has seen enough, such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still held would fail again
        _fail(f"{error.filename or 'the output'}: {error.strerror or error}{_hint(error)}")
    except Exception as error:
        # Typer raises its own or Click's exceptions, by its version; both say what is wrong with the arguments.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(describe())
            sys.exit(2)
        command = getattr(getattr(error, "ctx", None), "command_path", "langnet")
        _fail(f"{describe().rstrip('.').replace('Value error, ', '')}; see {command} --help")
    else:
        sys.exit(status or 0)


def _in_one_line(usual: Callable[..., None]) -> Callable[..., None]:
    """Langnet's own warnings as a line without the place in its code; all others as they were."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, LangnetWarning):
            print(f"langnet: warning: {' '.join(str(message).split())}", file=sys.stderr)
        else:
            usual(message, category, *place, **more)

    return show


def _way_on(verb: list[str]) -> str:
    if verb in (["pretrain"], ["adapt"], ["finetune"], ["backtranslate"]):
        return "; the same command with --resume goes on from its last checkpoint, if it had one"
    return "; the same command goes on where it stood" if verb == ["study"] else ""


def _hint(error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return ""
    return "; free some: a run keeps its corpus and checkpoints in OUTPUT.run, temporary files are in TMPDIR"


def _fail(message: str) -> None:
    print(f"langnet: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


def run_folder(output: Path) -> Path:
    """Where a run keeps its corpus, checkpoints and history: beside the model, not in it."""
    return output.with_name(output.name + ".run")


@contextmanager
def training_run(output: Path, resume: bool, title: str) -> Iterator[Run]:
    """A run beside the model's folder that shows its progress; its bars end with the block."""
    from langnet.recipes.pretrain import Run
    from langnet.training.progress import BytesProgress, ConsoleProgress

    reading = BytesProgress("read")
    try:
        yield Run(run_folder(output), resume, ConsoleProgress(title), reading)
    finally:
        reading.stop()


def check_output(output: Path, overwrite: bool) -> None:
    """Say before the work, not after it, that the output exists."""
    if output.exists() and not overwrite:
        raise LangnetError(f"{output} exists already; choose another --output, or add --overwrite")
    if output.exists():
        from langnet.hub.folder import is_model_folder

        if not is_model_folder(output):
            raise LangnetError(
                f"{output} exists and is no langnet model, so it is not replaced; choose another --output"
            )
    parent = output.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise LangnetError(
            f"cannot write {output}: {parent} is no folder that you may write in; choose another --output"
        )
    output.absolute().parent.mkdir(parents=True, exist_ok=True)


def read_texts(sources: list[str] | None, options: CorpusOptions) -> list[str]:
    """The cleaned texts of files, without empty ones and duplicates."""
    from langnet.text.corpus import CorpusReport, clean_documents, read_documents

    report = CorpusReport()
    documents = clean_documents(read_documents(sources or [], options, report), options, report)
    return [document.text for document in documents]


def write_json(path: Path, value: Any) -> None:
    """Write a result; NaN, which JSON does not know, becomes null."""
    from langnet.hub.json_text import to_json

    write_bytes(path, to_json(value, "result", indent=2))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, or say in one line why not."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise LangnetError(f"cannot write {path}: {error.strerror or error}; choose another file") from None


def check_writable(*paths: Path | None, inputs: Sequence[str] | None = None) -> None:
    """Say before the work, not after it, that a file cannot be written, or is one of the files that are read."""
    read = [Path(name).resolve() for source in inputs or [] for name in _named_by(source)]
    written: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        whole = path.resolve()
        if whole in written:
            raise LangnetError(f"{path} would be written twice, and hold the second alone; give each its own name")
        written.add(whole)
        if path.exists() and any(whole == one or whole.is_relative_to(one) for one in read):
            raise LangnetError(f"{path} is one of the files that are read, so it is not written over; name another")
        if path.is_dir():
            raise LangnetError(f"cannot write {path}: it is a folder; give the name of a file")
        if not path.parent.is_dir():
            raise LangnetError(f"cannot write {path}: there is no folder {path.parent}; create it first")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise LangnetError(f"cannot write {path}: no permission; choose another place")


def _named_by(source: str) -> list[str]:
    """The files and folders that a source may mean: itself, those of a pattern, those that lie side by side."""
    return [source, *matches_of(source), *source.split("+")]


def check_picture_folder(folder: Path | None) -> None:
    """Say before the work that pictures cannot be written into a folder; it need not be there."""
    if folder is None:
        return
    if any(folder.glob("[0-9][0-9][0-9][0-9]*.svg")):
        raise LangnetError(f"{folder} holds pictures already, which would stand among the new; name another folder")
    if folder.exists() and not folder.is_dir():
        raise LangnetError(f"cannot write into {folder}: it is a file; give the name of a folder for the pictures")
    if not folder.exists() and not folder.parent.is_dir():
        raise LangnetError(f"cannot make {folder}: there is no folder {folder.parent}; create it first")
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        raise LangnetError(f"cannot write into {folder}: no permission; choose another place")


def check_device(name: str | None) -> None:
    """Say before the work that a device isn't there; torch is only loaded where one is named."""
    if name is None:
        return
    import torch

    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise LangnetError(f"there is no device '{name}' here ({reason}); leave --device out, or take cpu") from None


def tell_facts(model: Model) -> None:
    """A line on the runs that were made, and one on what the model has unlearned, where there is something to tell."""
    from langnet.hub.description import forgetting_line, seeds_line

    for title, line in (("seeds", seeds_line(model.facts)), ("forgetting", forgetting_line(model.facts))):
        if line:
            console.print(f"{title}: {line}", highlight=False, markup=False, soft_wrap=True)


def save_language_model(model: Model, output: Path, overwrite: bool) -> None:
    """Write a new language model, and a line on it; of several processes, the main one does."""
    from langnet.hub.description import held_out_line
    from langnet.training.processes import is_main_process

    if not is_main_process():
        return
    model.save(output, overwrite=overwrite)
    held_out = held_out_line(model.facts["validation"])
    console.print(f"{output}: {model.facts['parameters']:,} parameters; {held_out}", highlight=False, soft_wrap=True)
    tell_facts(model)
