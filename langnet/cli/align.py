"""`langnet vectors align`: the word vectors of two languages in one space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langnet.cli.app import check_writable, console, examples, write_json
from langnet.cli.options import Seed
from langnet.cli.vectors import VECTORS_HELP, vectors_app
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.encoders.word_space import WordSpace
    from langnet.transfer.alignment import Alignment, AlignOptions

PAIRS_HELP = "A word and its translation a line; without it the languages are aligned by self-learning."
IDENTICAL_HELP = "Take words that are spelled alike on both sides for a dictionary."
LEARN_HELP = "Begin self-learning with the dictionary, or with words spelled alike."


@vectors_app.command(
    epilog=examples(
        "langnet vectors align en.vec it.vec --dictionary en-it.train.txt --test en-it.test.txt",
        "langnet vectors align en.vec it.vec --identical --self-learning --output en.in-it.txt",
        "langnet vectors align en.vec it.vec --test en-it.test.txt --output en.in-it.txt",
    )
)
def align(
    source: Annotated[str, typer.Argument(help=VECTORS_HELP)],
    target: Annotated[str, typer.Argument(help="The same of another language.")],
    dictionary: Annotated[Path | None, typer.Option(help=PAIRS_HELP)] = None,
    identical: Annotated[bool, typer.Option("--identical", help=IDENTICAL_HELP)] = False,
    self_learning: Annotated[bool, typer.Option("--self-learning", help=LEARN_HELP)] = False,
    test: Annotated[Path | None, typer.Option(help="Pairs that the score is taken on.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the source in the common space.")] = None,
    target_output: Annotated[Path | None, typer.Option(help="Write the target in the common space.")] = None,
    reweight: Annotated[bool, typer.Option("--reweight", help="Symmetric reweighting; both sides are mapped.")] = False,
    neighbours: Annotated[int, typer.Option(min=0, help="Of CSLS; 0 takes plain cosines.")] = 10,
    most_frequent: Annotated[int, typer.Option(min=0, help="Words of each side; 0 is all.")] = 50_000,
    learn_from: Annotated[int, typer.Option(min=10, help="Words of each side in self-learning.")] = 10_000,
    seed: Seed = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the score to this file.")] = None,
) -> None:
    """Map two languages into one space, by a dictionary or by self-learning, and score it on translations."""
    from langnet.evaluate.translation_pairs import identical_pairs, precision, read_dictionary
    from langnet.recipes.word_vectors import load_word_space
    from langnet.transfer.alignment import AlignOptions

    if json_file and not test:
        raise LangnetError("--json holds the score on the pairs of --test; name those too, or leave it out")
    read = [source, target, *(str(file) for file in (dictionary, test) if file)]
    check_writable(output, target_output, json_file, inputs=read)
    if reweight and output and not target_output:
        raise LangnetError("reweighting maps both sides; give --target-output too")
    if dictionary and identical:
        raise LangnetError("give either --dictionary or --identical")
    pairs = read_dictionary(dictionary) if dictionary else None
    tested = read_dictionary(test) if test else None
    one, other = load_word_space(source, most_frequent), load_word_space(target, most_frequent)
    pairs = identical_pairs(one, other) if identical else pairs
    options = AlignOptions(neighbours, reweight, most_frequent=learn_from, seed=seed)
    found = _align(one, other, pairs, options, self_learning or pairs is None)
    if tested:
        known = set(pairs or [])
        score = precision(one, other, found, tested, neighbours)
        parts = [f"precision@{rank} {score.at[rank]:.3f} {score.intervals[rank]}" for rank in score.at]
        console.print(
            f"{', '.join(parts)} on {score.n:,} words (95 % intervals); {score.unknown:,} words of {test} are unknown",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        if known & set(tested):
            console.print(f"! {len(known & set(tested)):,} of the test pairs are in the dictionary too", style="yellow")
        if json_file:
            write_json(json_file, score.to_dict())
    for path, side, rows in (
        (output, one, lambda: found.map_source(one.vectors)),
        (target_output, other, lambda: found.map_target(other.vectors)),
    ):
        _write(path, side, rows)


def _align(
    one: WordSpace,
    other: WordSpace,
    pairs: list[tuple[str, str]] | None,
    options: AlignOptions,
    self_learning: bool,
) -> Alignment:
    """The maps; tells what they were made from."""
    from langnet.evaluate.translation_pairs import known_pairs
    from langnet.transfer.alignment import align_supervised, align_unsupervised

    known = None if pairs is None else known_pairs(one, other, pairs)
    if known is not None and pairs is not None:
        console.print(f"{len(known):,} of {len(pairs):,} pairs are known on both sides", highlight=False)
        if not self_learning:
            return align_supervised(one.vectors, other.vectors, known, options)
    with console.status("self-learning") as shown:

        def told(rounds: int, similarity: float, keep: float) -> None:
            shown.update(f"self-learning: round {rounds}, mean cosine {similarity:.4f}, {keep:.0%} kept")

        found = align_unsupervised(one.vectors, other.vectors, options, told, known)
    console.print(f"{found.rounds} rounds of self-learning, mean cosine {found.similarity:.4f}", highlight=False)
    return found


def _write(path: Path | None, side: WordSpace, rows: Any) -> None:
    from langnet.encoders.word_space import WordSpace
    from langnet.hub.exporters.word2vec import write_word2vec

    if path is not None:
        write_word2vec(WordSpace(side.words, rows()), path)
        console.print(f"{path}: {len(side):,} words", highlight=False)
