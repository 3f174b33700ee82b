"""`langnet vectors`: word vectors trained, asked, judged, drawn, and brought together between languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from langnet.cli.app import app, check_output, check_writable, console, examples, training_run, write_bytes, write_json
from langnet.cli.checks import check_sources
from langnet.cli.options import (
    Documents,
    KeepDuplicates,
    LearningRate,
    NewFolder,
    Overwrite,
    Seed,
    Sources,
    TextColumn,
)
from langnet.errors import LangnetError

KindName = Literal["word2vec-skipgram", "word2vec-cbow", "fasttext", "glove"]
VECTORS_HELP = "A folder of word vectors, or a file of word2vec, fastText or GloVe, also packed."
CAP_HELP = "Count from which on all pairs weigh the same in glove; sized to the text by default."
VectorsName = Annotated[str, typer.Argument(metavar="VECTORS", help=VECTORS_HELP)]
Count = Annotated[int, typer.Option(min=1, help="How many words are shown.")]
MostFrequent = Annotated[int, typer.Option(min=0, help="Read only so many words, the first ones; 0 is all.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]

vectors_app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)
app.add_typer(vectors_app, name="vectors", help="Word vectors: train, ask, judge, draw, align.")


@vectors_app.command(
    epilog=examples(
        "langnet vectors train texts/ --output my-vectors",
        "langnet vectors train texts/ --output my-vectors --kind glove --epochs 50 --threads 2",
        "langnet vectors train reviews.csv --text-column body --output my-vectors --kind fasttext --min-count 2",
    )
)
def train(
    sources: Sources,
    output: NewFolder,
    kind: Annotated[KindName, typer.Option(help="What is trained.")] = "word2vec-skipgram",
    dim: Annotated[int, typer.Option(help="Width of the vectors.")] = 100,
    window: Annotated[int | None, typer.Option(help="Largest distance of two words; 15 for glove, else 5.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes; 25 for glove, else 5.")] = None,
    learning_rate: LearningRate = None,
    min_count: Annotated[int, typer.Option(help="Rarer words get no vector.")] = 5,
    vocabulary_size: Annotated[int | None, typer.Option(help="Words at most; all by default.")] = None,
    keep_case: Annotated[bool, typer.Option("--keep-case", help="Tell capitals from small letters.")] = False,
    cap: Annotated[float | None, typer.Option(help=CAP_HELP)] = None,
    buckets: Annotated[int, typer.Option(help="For the n-grams of fasttext.")] = 200_000,
    threads: Annotated[int, typer.Option(help="glove is the same with any; others differ with more than one.")] = 1,
    memory_megabytes: Annotated[int, typer.Option(help="For counting; the rest goes to disk.")] = 1024,
    text_column: TextColumn = "text",
    documents: Documents = "file",
    keep_duplicates: KeepDuplicates = False,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Train word vectors on raw text.

    The tokenised corpus is kept in OUTPUT.run, for the next kind of vectors.
    """
    check_sources(sources)
    check_output(output, overwrite)
    from langnet.recipes.word_vectors import WordVectorOptions, train_word_vectors
    from langnet.text.corpus import CorpusOptions

    options = WordVectorOptions(
        kind, dim, window, epochs, learning_rate, min_count, vocabulary_size, not keep_case, cap,
        buckets=buckets, threads=threads, memory_megabytes=memory_megabytes, seed=seed,
        corpus=CorpusOptions(text_column, documents, drop_duplicates=not keep_duplicates),
    )  # fmt: skip
    with training_run(output, False, kind) as run:
        model = train_word_vectors(sources, options, run)
    model.save(output, overwrite=overwrite)
    facts = model.facts["vectors"]
    console.print(
        f"{output}: {facts['words']:,} words of {dim} dimensions from {facts['tokens']:,} words of text, in "
        f"{facts['minutes']:.1f} minutes", highlight=False, soft_wrap=True,
    )  # fmt: skip


@vectors_app.command(
    epilog=examples(
        "langnet vectors nearest my-vectors good film",
        "langnet vectors nearest glove.6B.zip!glove.6B.100d.txt king",
    )
)
def nearest(
    vectors: VectorsName,
    words: Annotated[list[str], typer.Argument(help="Words.")],
    count: Count = 10,
    most_frequent: MostFrequent = 0,
    as_json: AsJson = False,
) -> None:
    """Show the words with the largest cosines to each word."""
    space = _space(vectors, most_frequent)
    found = {word: space.nearest(word, count) for word in words}
    if as_json:
        print(
            json.dumps({word: [[w, round(c, 6)] for w, c in near] for word, near in found.items()}, ensure_ascii=False)
        )
        return
    for word, near in found.items():
        unseen = space.find(word) is None
        _show_near(f"{word}{' (unseen; by its n-grams)' if unseen else ''}", near)


@vectors_app.command(
    epilog=examples(
        "langnet vectors analogy my-vectors man king woman",
        "langnet vectors analogy my-vectors --questions questions-words.txt",
    )
)
def analogy(
    vectors: VectorsName,
    words: Annotated[list[str] | None, typer.Argument(help="A B C: what is to C as B is to A?")] = None,
    questions: Annotated[Path | None, typer.Option(help="A file in the format of questions-words.txt.")] = None,
    count: Count = 10,
    most_frequent: MostFrequent = 300_000,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file.")] = None,
) -> None:
    """Answer an analogy, or score a file of them (3CosAdd), section by section."""
    from langnet.evaluate.word_vectors import read_analogies, score_analogies

    if (questions is None) == (not words) or (words and len(words) != 3):
        raise LangnetError("give either three words, A B C, or --questions FILE")
    if json_file and words:
        raise LangnetError("--json holds the scores of --questions; three words have none")
    check_writable(json_file, inputs=[str(questions)] if questions else None)
    if words:
        first, second, third = words
        space = _space(vectors, most_frequent)
        _show_near(f"{first} : {second} = {third} : ?", space.analogy(first, second, third, count))
        return
    assert questions is not None
    asked = read_analogies(questions)
    scores = score_analogies(_space(vectors, most_frequent), asked, most_frequent)
    table = Table("section", box=None, pad_edge=False)
    for name in ("accuracy", "95 % interval", "n", "unknown", "of all"):
        table.add_column(name, justify="right", no_wrap=True)
    for score in scores:
        known = (f"{score.accuracy:.3f}", str(score.interval)) if score.n else ("", "")
        table.add_row(score.name, *known, f"{score.n:,}", f"{score.unknown:,}", f"{score.of_all:.3f}")
    console.print(table)
    print("accuracy is of the n questions whose words are all known; of all counts the unknown ones as wrong")
    if json_file:
        write_json(json_file, [score.to_dict() for score in scores])


@vectors_app.command(
    epilog=examples(
        "langnet vectors similarity my-vectors good great",
        "langnet vectors similarity my-vectors --pairs wordsim353.tsv",
    )
)
def similarity(
    vectors: VectorsName,
    words: Annotated[list[str] | None, typer.Argument(help="Two words.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="A file such as WordSim353 or SimLex-999.")] = None,
    most_frequent: MostFrequent = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the score to this file.")] = None,
) -> None:
    """Show the cosine of two words, or how well cosines rank a file's pairs as people do (Spearman)."""
    from langnet.evaluate.word_vectors import read_similarities, score_similarities

    if (pairs is None) == (not words) or (words and len(words) != 2):
        raise LangnetError("give either two words or --pairs FILE")
    if json_file and words:
        raise LangnetError("--json holds the score of --pairs; two words have none")
    check_writable(json_file, inputs=[str(pairs)] if pairs else None)
    if words:
        print(f"{_space(vectors, most_frequent).similarity(words[0], words[1]):.4f}")
        return
    assert pairs is not None
    judged = read_similarities(pairs)
    score = score_similarities(_space(vectors, most_frequent), judged)
    if score.n < 3:
        raise LangnetError(
            f"only {score.n} of the {len(judged):,} pairs of {pairs} are known to {vectors}; is it another language?"
        )
    unknown = f"; unknown: {', '.join(score.unknown_words[:8])}" if score.unknown_words else ""
    more = f" and {len(score.unknown_words) - 8} more" if len(score.unknown_words) > 8 else ""
    print(
        f"Spearman {score.spearman:.3f}, 95 % interval {score.interval}, on {score.n:,} of {score.n + score.unknown:,} "
        f"pairs ({score.coverage:.1%} known{unknown}{more})"
    )
    if json_file:
        write_json(json_file, score.to_dict())


@vectors_app.command(
    "map",
    epilog=examples(
        "langnet vectors map my-vectors good great bad awful film movie --output map.svg",
        "langnet vectors map my-vectors --top 200 --skip 100 --projection tsne --output map.svg",
    ),
)
def draw(
    vectors: VectorsName,
    words: Annotated[list[str] | None, typer.Argument(help="Words; the most frequent where none is given.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture, an SVG file.")] = Path("map.svg"),
    projection: Annotated[Literal["pca", "tsne"], typer.Option(help="From D to two dimensions.")] = "pca",
    top: Annotated[int, typer.Option(min=3, help="How many of the most frequent words.")] = 100,
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many of the most frequent before.")] = 0,
    seed: Seed = 0,
) -> None:
    """Draw words in two dimensions."""
    from langnet.study.word_map import draw_map, map_words

    check_writable(output)
    if output.suffix.lower() != ".svg":
        raise LangnetError(f"{output} does not end in .svg, which is what is drawn; browsers and editors open it")
    found = map_words(_space(vectors, 0), words or [], projection, seed, top, skip)
    write_bytes(output, draw_map(found, f"{Path(vectors).name}: words in two dimensions").encode("utf8"))
    print(f"{output}: {len(found.words)} words; {found.described}")


@vectors_app.command(
    epilog=examples(
        "langnet vectors convert my-vectors vectors.txt",
        "langnet vectors convert my-vectors vectors.bin --binary",
    )
)
def convert(
    vectors: VectorsName,
    file: Annotated[Path, typer.Argument(help="The new file.")],
    binary: Annotated[bool, typer.Option("--binary", help="Numbers as they are instead of text.")] = False,
    most_frequent: MostFrequent = 0,
) -> None:
    """Write word vectors as a file of word2vec, which gensim and most other programs read."""
    from langnet.hub.exporters.word2vec import write_word2vec

    check_writable(file, inputs=[vectors])
    space = _space(vectors, most_frequent)
    write_word2vec(space, file, binary)
    left = "; the n-grams, which the format has no place for, are left out" if space.subwords else ""
    print(f"{file}: {len(space):,} words of {space.dim} dimensions{left}")


def _space(vectors: str, most_frequent: int) -> Any:
    from langnet.recipes.word_vectors import load_word_space

    return load_word_space(vectors, most_frequent)


def _show_near(title: str, near: list[tuple[str, float]]) -> None:
    print(title)
    for word, cosine in near:
        print(f"  {cosine:6.3f}  {word}")
