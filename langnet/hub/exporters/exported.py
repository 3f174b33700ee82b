"""What every exporter takes and returns, and how its files come to stand whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from langnet.encoders.encoder import Encoder
from langnet.encoders.registry import rebuild_encoder
from langnet.encoders.two_way import TwoWay
from langnet.errors import LangnetError
from langnet.hub.folder import FolderContents

_ENCODER = "network.encoder."


@dataclass(frozen=True)
class Exporter:
    """One format as data.

    Attributes:
        name: as users give it.
        summary: one line: what is written, and for whom.
        write: the contents of a model's folder into a new file or folder; returns one line on what was written, and
            raises LangnetError where this model has no such form.
    """

    name: str
    summary: str
    write: Callable[[FolderContents, Path], str]


@contextmanager
def new_place(output: Path) -> Iterator[Path]:
    """A path beside `output` to write to, file or folder, which takes its name when the block ends well.

    Raises:
        LangnetError: something of that name exists, or it cannot be written.
    """
    if output.exists():
        raise LangnetError(f"{output} exists already; choose another --output")
    if not output.absolute().parent.is_dir():
        raise LangnetError(f"cannot write {output}: there is no folder {output.parent}; create it first")
    temporary = output.absolute().parent / f".{output.name}.new-{secrets.token_hex(4)}"
    try:
        yield temporary
        temporary.rename(output.absolute())
    except OSError as error:
        raise LangnetError(f"cannot write {output}: {error.strerror or error}; nothing was changed") from None
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def encoder_of(contents: FolderContents) -> tuple[str, Encoder]:
    """The family and the encoder, with its weights and ready to read, of a model folder's contents.

    Raises:
        LangnetError: the folder holds no encoder that this version knows, or weights of another.
    """
    config = contents.config.get("encoder")
    if not isinstance(config, dict):
        raise LangnetError("this folder holds no encoder of text")
    encoder = rebuild_encoder(config)
    held = {k.removeprefix(_ENCODER): v for k, v in contents.tensors.items() if k.startswith(_ENCODER)}
    try:
        encoder.load_state_dict(held)
    except RuntimeError as error:
        raise LangnetError(f"the weights do not fit config.json: {str(error).splitlines()[-1].strip()}") from None
    encoder.eval()
    if isinstance(encoder, TwoWay):
        raise LangnetError("other programs have no pair of encoders for both directions; export another model")
    return str(config["family"]), encoder
