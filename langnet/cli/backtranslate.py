"""`langnet backtranslate`: translators in both directions from two texts that are no translations of each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from langnet.cli.app import app, check_device, check_output, console, examples, run_folder
from langnet.cli.checks import check_sources
from langnet.cli.options import Device, HeadSettings, Overwrite, Resume, Seed
from langnet.cli.tasks import assignments
from langnet.errors import LangnetError

BACK_HELP = "Folder of the translator in the other direction; OUTPUT-back by default."
DICTIONARY_HELP = "A word and its translation a line, to begin with; words spelled alike by default."
LEARN_HELP = "Words of each side from which self-learning goes, the most frequent ones."
SENTENCES_HELP = "Of each side in every round, drawn anew; 0 takes all."


@app.command(
    epilog=examples(
        "langnet backtranslate mono.en mono.de --output en-de --back-output de-en",
        "langnet backtranslate mono.en mono.de --output en-de --dictionary seed.txt --rounds 6",
        "langnet predict en-de new.en --output new.de",
    )
)
def backtranslate(
    source: Annotated[str, typer.Argument(help="Text of one language, a sentence a line.")],
    target: Annotated[str, typer.Argument(help="Text of the other, of the same sort; no translation is needed.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the translator into the second language.")],
    back_output: Annotated[Path | None, typer.Option(help=BACK_HELP)] = None,
    dictionary: Annotated[Path | None, typer.Option(help=DICTIONARY_HELP)] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of back-translation.")] = 5,
    sentences: Annotated[int, typer.Option(min=0, help=SENTENCES_HELP)] = 10_000,
    epochs: Annotated[float, typer.Option(help="Passes over a round's pairs.")] = 1.0,
    dim: Annotated[int, typer.Option(min=1, help="Width of the word vectors.")] = 50,
    vector_epochs: Annotated[int, typer.Option(min=1, help="Passes of the word vectors.")] = 10,
    min_count: Annotated[int, typer.Option(min=1, help="Rarer words get no vector.")] = 5,
    learn_from: Annotated[int, typer.Option(min=10, help=LEARN_HELP)] = 1000,
    head: HeadSettings = None,
    seed: Seed = 0,
    device: Device = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Learn to translate in both directions from two texts that are no translations of each other.

    Word vectors of both texts in one space, a translation word by word, then rounds of back-translation (Lample et al.
    2018, Artetxe et al. 2018). The rounds stay in OUTPUT.run, where --resume goes on.
    """
    back = back_output or output.with_name(output.name + "-back")
    if back == output:
        raise LangnetError("the two directions need a folder each; name another --back-output")
    check_sources([source, target])
    for folder in (output, back):
        check_output(folder, overwrite)
    from langnet.evaluate.translation_pairs import read_dictionary
    from langnet.recipes.back_translation import back_translate
    from langnet.recipes.unsupervised_translation import HEAD, BackTranslationOptions, BackTranslationRun
    from langnet.recipes.word_vectors import WordVectorOptions
    from langnet.text.translations import read_translations
    from langnet.training.progress import ConsoleProgress
    from langnet.transfer.alignment import AlignOptions

    check_device(device)
    pairs = read_dictionary(dictionary) if dictionary else None
    texts = [[item.text for item in read_translations([path], labelled=False)] for path in (source, target)]
    options = BackTranslationOptions(
        WordVectorOptions(dim=dim, epochs=vector_epochs, min_count=min_count, seed=seed),
        AlignOptions(reweight=True, most_frequent=learn_from, seed=seed),
        rounds=rounds, sentences=sentences or None, epochs=epochs, head={**HEAD, **assignments(head, "--head")},
        seed=seed, device=device,
    )  # fmt: skip
    run = BackTranslationRun(run_folder(output), resume, ConsoleProgress("backtranslate"))
    made = back_translate(texts[0], texts[1], options, run, pairs=pairs)
    for direction, folder in (("forward", output), ("backward", back)):
        made.models[direction].save(folder, overwrite=overwrite)  # type: ignore[index]
    best = made.rounds[made.chosen]
    console.print(
        f"{output}, {back}: translators of round {best.number}, whose sentences come back with BLEU "
        f"{best.round_trip:.1f}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
