"""Every format that langnet exports to, as a table; a new format is a module with its row here."""

from __future__ import annotations

from pathlib import Path

from langnet.errors import LangnetError
from langnet.hub.exporters import onnx, transformers_gpt
from langnet.hub.exporters.exported import Exporter
from langnet.hub.folder import read_folder
from langnet.hub.names import resolve_model

EXPORTERS: tuple[Exporter, ...] = (transformers_gpt.EXPORTER, onnx.EXPORTER)


def export_model(model: Path | str, format: str, output: Path | str) -> str:
    """Write a model as another program reads it; returns one line on what was written.

    Args:
        model: folder or name of a model.
        format: one of `EXPORTERS`.
        output: a new file or folder.

    Raises:
        LangnetError: there is no such model or format, or the model has no such form.
    """
    for exporter in EXPORTERS:
        if exporter.name == format:
            return exporter.write(read_folder(resolve_model(model)), Path(output).expanduser())
    names = ", ".join(exporter.name for exporter in EXPORTERS)
    raise LangnetError(f"there is no format '{format}'; choose one of {names}")
