"""Every format that langnet imports, as a table; a new format is a module with its rows here."""

from __future__ import annotations

from pathlib import Path

from langnet.errors import LangnetError
from langnet.hub.folder import is_model_folder
from langnet.hub.importers import elmo, fastai_lstm, openai_gpt, transformers_gpt
from langnet.hub.importers.imported import Imported, Importer, ImportOptions
from langnet.hub.importers.tensor_files import is_pickle
from langnet.hub.importers.word_vectors import WORD_VECTORS

_VOCABULARY = frozenset({"vocabulary"})

IMPORTERS: tuple[Importer, ...] = (
    Importer(
        "GPT of transformers",
        transformers_gpt.LOOKS_FOR,
        transformers_gpt.recognises,
        transformers_gpt.read,
        _VOCABULARY,
    ),
    Importer(openai_gpt.FORMAT, openai_gpt.LOOKS_FOR, openai_gpt.recognises, openai_gpt.read, _VOCABULARY),
    Importer(
        fastai_lstm.FORMAT, fastai_lstm.LOOKS_FOR, fastai_lstm.recognises, fastai_lstm.read, _VOCABULARY | {"direction"}
    ),
    Importer(elmo.FORMAT, elmo.LOOKS_FOR, elmo.recognises, elmo.read, _VOCABULARY),
    WORD_VECTORS,
)


def find_importer(path: Path) -> Importer:
    """The importer that recognises a path by its content.

    Raises:
        LangnetError: there is nothing at the path, or no importer recognises it; says what was looked for.
    """
    if not path.exists():
        raise LangnetError(f"there is no file or folder '{path}'; langnet reads what lies here and downloads nothing")
    if path.is_dir() and is_model_folder(path):
        raise LangnetError(f"{path} is a model of langnet already; use it as it is")
    for importer in IMPORTERS:
        if importer.recognises(path):
            return importer
    looked_for = "; ".join(f"{importer.format}: {importer.looks_for}" for importer in IMPORTERS)
    if is_pickle(path):
        raise LangnetError(
            f"{path} is a pickle of no known model; a pickle can run any program when it is read, so langnet reads "
            f"none; looked for: {looked_for}"
        )
    raise LangnetError(f"{path} is of no format that langnet imports; looked for: {looked_for}")


def import_path(path: Path | str, options: ImportOptions | None = None) -> Imported:
    """Read the model of another program, whatever its format.

    Args:
        path: a file or a folder.
        options: what the path does not say.

    Raises:
        LangnetError: the format is unknown, an option has no meaning for it, or the files are damaged.
    """
    path, options = Path(path).expanduser(), options or ImportOptions()
    importer = find_importer(path)
    for name in sorted(options.given() - importer.options):
        raise LangnetError(f"--{name} means nothing for {importer.format}; leave it out")
    return importer.read(path, options)
