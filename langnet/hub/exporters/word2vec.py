"""word2vec's own files, as text or binary: what gensim's KeyedVectors and most other programs load."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import numpy as np

from langnet.encoders.vectors import space_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.hub.exporters.exported import Exporter, encoder_of, new_place
from langnet.hub.folder import FolderContents
from langnet.text.tokenizer import Tokenizer


def write_word2vec(space: WordSpace, path: str | Path, binary: bool = False) -> Path:
    """Write words and vectors; the file stands whole under its name, or nothing has changed.

    Args:
        space: the words; vectors of n-grams have no place in this format and are left out.
        path: of the file, which is replaced.
        binary: the numbers as they are, in a third of the size; as text they have nine digits, which is exact too.

    Raises:
        LangnetError: a word holds a blank, which would end it, or the file cannot be written.
    """
    target = Path(path).expanduser()
    for word in space.words:
        if not word or any(sign.isspace() for sign in word):
            raise LangnetError(f"the word {word!r} cannot be written, since a blank ends a word in this format")
    temporary = target.with_name(f".{target.name}.new-{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.write(f"{len(space)} {space.dim}\n".encode())
            for word, vector in zip(space.words, np.asarray(space.vectors, dtype="<f4"), strict=True):
                if binary:
                    file.write(word.encode("utf8", "surrogateescape") + b" " + vector.tobytes())
                else:
                    numbers = " ".join(f"{number:.9g}" for number in vector.tolist())
                    file.write(word.encode("utf8", "surrogateescape") + b" " + numbers.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise LangnetError(f"cannot write {target}: {error.strerror or error}; choose another file") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def export_word2vec(contents: FolderContents, output: Path, binary: bool) -> str:
    """Write a folder's word vectors; returns what was written.

    Raises:
        LangnetError: the folder holds another model, or the file exists.
    """
    _, encoder = encoder_of(contents)
    space = space_of(encoder, Tokenizer.from_json(contents.tokenizer_json), "this model")
    with new_place(output) as place:
        write_word2vec(space, place, binary)
    return f"{len(space):,} words of {space.dim} dimensions"


WORD2VEC = (
    Exporter("word2vec", "word vectors as binary, for gensim and others", lambda c, o: export_word2vec(c, o, True)),
    Exporter("word2vec-text", "word vectors as text, for gensim and others", lambda c, o: export_word2vec(c, o, False)),
)
