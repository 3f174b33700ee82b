"""A picture of words in two dimensions: near in the picture is, as far as two dimensions allow, near in meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from langnet.encoders.word_space import WordSpace, unit_rows
from langnet.errors import LangnetError
from langnet.study.html import Markup, tag

Projection = Literal["pca", "tsne"]
_LETTER, _LINE = 7.2, 15.0  # pixels of a label's letter and line
_MARGIN = 70.0
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1c1f24}.dot{fill:#0a5ea8}.soft{fill:#5b6470;font-size:12px}"
    ".paper{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e6e9ed}.dot{fill:#74b9ff}.soft{fill:#a2abb6}"
    ".paper{fill:#14171b}}"
)


@dataclass(frozen=True)
class WordMap:
    """Words with places.

    Attributes:
        words: that are shown.
        places: (n, 2).
        described: how the places were found, for the reader of the picture.
    """

    words: list[str]
    places: np.ndarray
    described: str


def map_words(
    space: WordSpace, words: Sequence[str], projection: Projection = "pca", seed: int = 0, top: int = 100, skip: int = 0
) -> WordMap:
    """Places of words in two dimensions, from their directions.

    Args:
        space: where the words are looked up.
        words: to show; none of them shows the most frequent.
        projection: `pca` keeps as much of the spread as a plane can, `tsne` keeps neighbours together (van der Maaten &
            Hinton 2008), and distances between groups say little.
        seed: of t-SNE.
        top: how many of the most frequent words are shown where none are given.
        skip: so many of the most frequent words are left out before.

    Raises:
        LangnetError: a word is unknown, or there are fewer than three.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    chosen = (
        list(dict.fromkeys(words)) or [w for w in space.words if any(sign.isalpha() for sign in w)][skip : skip + top]
    )
    if len(chosen) < 3:
        raise LangnetError(f"a map needs three words or more, not {len(chosen)}")
    rows = unit_rows(np.stack([space.vector(word) for word in chosen])).astype(np.float64)
    if projection == "pca":
        model = PCA(2, random_state=seed).fit(rows)
        shares = model.explained_variance_ratio_
        return WordMap(chosen, model.transform(rows), f"PCA; the plane shows {shares.sum():.0%} of the words' spread")
    perplexity = min(30.0, max(2.0, (len(chosen) - 1) / 3))
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)
    return WordMap(chosen, places, f"t-SNE, perplexity {perplexity:.0f}; distances between groups say little")


def draw_map(found: WordMap, title: str, width: int = 1000, height: int = 800) -> str:
    """The map as an SVG file that stands alone; labels that would cover others are left to the pointer."""
    low, high = found.places.min(axis=0), found.places.max(axis=0)
    part = (found.places - low) / np.where(high > low, high - low, 1)
    x = _MARGIN + part[:, 0] * (width - 2 * _MARGIN)
    y = height - _MARGIN - part[:, 1] * (height - 2 * _MARGIN)
    taken = [(a - 3, b - 3, a + 3, b + 3) for a, b in zip(x, y, strict=True)]
    drawn: list[Markup] = []
    hidden = 0
    for word, a, b in zip(found.words, x.tolist(), y.tolist(), strict=True):
        drawn.append(tag("circle", tag("title", word), class_="dot", cx=a, cy=b, r=3.0))
        box = _free_place(len(word) * _LETTER, a, b, taken, (width, height))
        if box is None:
            hidden += 1
            continue
        taken.append(box)
        # Anchored at the side of the dot: letters are wider or narrower than thought.
        side, at = ("start", box[0]) if box[0] > a else ("end", box[2]) if box[2] < a else ("middle", a)
        drawn.append(tag("text", word, x=at, y=box[3] - 4, text_anchor=side))
    told = f"{len(found.words)} words; {found.described}"
    if hidden:
        told += f"; {hidden} labels would cover others: point at the dots"
    return "<?xml version='1.0' encoding='UTF-8'?>\n" + tag(
        "svg", tag("title", title), tag("desc", told), tag("style", Markup(_STYLE)),
        tag("rect", class_="paper", width=width, height=height), tag("text", title, x=16, y=26),
        tag("text", told, class_="soft", x=16, y=height - 14), drawn,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
    ) + "\n"  # fmt: skip


def _free_place(
    wide: float, x: float, y: float, taken: Sequence[tuple[float, float, float, float]], size: tuple[int, int]
) -> tuple[float, float, float, float] | None:
    """A box for a label beside its dot that covers nothing, or None: right, left, above, below."""
    half = _LINE / 2
    for left, top in (
        (x + 6, y - half), (x - 6 - wide, y - half), (x - wide / 2, y - 5 - _LINE), (x - wide / 2, y + 5),
        (x + 4, y - 3 - _LINE), (x + 4, y + 3), (x - 4 - wide, y - 3 - _LINE), (x - 4 - wide, y + 3),
    ):  # fmt: skip
        box = (left, top, left + wide, top + _LINE)
        inside = left > 4 and box[2] < size[0] - 4 and top > 34 and box[3] < size[1] - 30
        if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            return box
    return None
