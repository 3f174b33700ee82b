"""What a model says of words, drawn: which drawing each kind of thing has, on a page and as pictures in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langnet.errors import LangnetError
from langnet.study.alignment_picture import lines_picture, matrix_picture
from langnet.study.chain_picture import chain_picture
from langnet.study.chain_text import chain_text
from langnet.study.html import Content, Markup, tag
from langnet.study.structures import from_right, picture, picture_file
from langnet.study.tree_picture import tree_picture
from langnet.text.structures import Aligned, Chained, Drawing
from langnet.text.trees import JudgedTree

MOST = 500  # that are drawn, on a page or in files


def pictures(drawing: Drawing) -> dict[str, Markup]:
    """The pictures of one thing, by what is added to the name of each one's file."""
    if isinstance(drawing, Aligned):
        return {"-lines": lines_picture(drawing), "-matrix": matrix_picture(drawing)}
    if isinstance(drawing, Chained):
        return {"": chain_picture(drawing)}
    return {"": tree_picture(drawing) if isinstance(drawing, JudgedTree) else picture(drawing)}


def on_page(drawing: Drawing, name: str) -> Content:
    """The drawing as a part of a page; `name` begins the names of places in it."""
    if isinstance(drawing, Chained):
        return tag("div", chain_text(drawing, name), dir="rtl" if from_right(drawing.words) else "ltr")
    texts: list[Markup] = []
    if isinstance(drawing, Aligned):
        texts = [tag("p", "".join(side.tokens).strip(), dir="auto") for side in (drawing.source, drawing.target)]
    return [*texts, *(_scrolled(one, from_right(_words(drawing))) for one in pictures(drawing).values())]


def write_pictures(folder: Path, drawings: Sequence[Drawing]) -> int:
    """Write `0001.svg` and so on into a folder, which is made where there is none; the number of files.

    Of more than `MOST` drawings the first ones are written.

    Raises:
        LangnetError: a file cannot be written.
    """
    written = 0
    try:
        folder.mkdir(exist_ok=True)
        for number, drawing in enumerate(drawings[:MOST], 1):
            for ending, one in pictures(drawing).items():
                (folder / f"{number:04}{ending}.svg").write_bytes(picture_file(one).encode("utf8", "replace"))
                written += 1
    except OSError as error:
        raise LangnetError(f"cannot write into {folder}: {error.strerror or error}; choose another folder") from None
    return written


def _words(drawing: Drawing) -> Sequence[str]:
    """What tells from which side the drawing is read."""
    if isinstance(drawing, Aligned):
        return drawing.source.tokens
    return drawing.tree.words if isinstance(drawing, JudgedTree) else drawing.words


def _scrolled(drawn: Markup, turned: bool) -> Markup:
    return tag(
        "div", drawn, class_="scroll", tabindex=0, role="region", aria_label="drawing", dir="rtl" if turned else "ltr"
    )
