"""Bits per byte of a model that lacks words: the unknown ones are counted, and said wherever the figure stands."""

import sys

import pytest

from langnet.cli import main
from langnet.evaluate.language_model import TextScore, sum_up, unknown_note
from langnet.hub.folder import list_models
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.score import score_sources
from langnet.text.prepare import PrepareOptions
from tests.conftest import sentences

NOTE = "% of words unknown: not comparable with models that spell every word"


@pytest.fixture(scope="module", params=["gpt", "elmo"])
def folder(request, tmp_path_factory):
    """A model of the most frequent words only, in a folder."""
    folder = tmp_path_factory.mktemp("unknown")
    options = PretrainOptions(request.param, "tiny", steps=2, batch_tokens=256, document_vectors=False)
    options = PretrainOptions(
        **{**vars(options), "prepare": PrepareOptions("words", 18, spell=request.param == "elmo")}
    )
    pretrain(sentences(120, seed=2).texts, options, texts=True).save(folder / "words")
    (folder / "raw.txt").write_text("The film was Zanzibar.\nThe film was moving.\n" * 12)
    return folder


def test_unknown_words_are_counted_one_by_one(folder):
    model = load(folder / "words")
    known = set(model.tokenizer.words())
    texts = ["The film was Zanzibar.", "Zanzibar Zanzibar . .", "was was was", ""]
    for text, score in zip(texts, model.score_texts(texts), strict=True):
        pieces = text.replace(".", " .").split()
        assert score.n_unknown == sum(piece not in known for piece in pieces)
        assert score.n_tokens == len(pieces) + 1
    _, total = score_sources(model, [folder / "raw.txt"])
    assert total.to_dict()["n_unknown"] == total.n_unknown > 0
    assert model.facts["validation"]["n_unknown"] > 0


def test_a_model_that_spells_has_nothing_to_say(tiny_model):
    (score,) = tiny_model.score_texts(["Zanzibar ☂"])
    assert (score.n_unknown, sum_up([score]).note, unknown_note(0, 5)) == (0, "", "")
    assert "n_unknown" not in sum_up([score]).to_dict()
    assert sum_up([TextScore(-1.0, 10, 40, n_unknown=1), TextScore(-1.0, 30, 90)]).note == f"2.5 {NOTE}"
    assert unknown_note(1, 100_000) == f"< 0.1 {NOTE}"


def test_it_is_said_wherever_the_figure_stands(folder, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(sys, "argv", ["langnet", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        assert stopped.value.code == 0, said.err
        return " ".join(said.out.split())

    card = load(folder / "words").card
    assert NOTE in card
    assert "compare between all" not in card
    assert NOTE in run("score", "words", "raw.txt")
    assert NOTE in run("evaluate", "words", "raw.txt", "--documents", "line")
    out = run("models", ".")
    assert f"* words: {next(list_models(folder)).bits_note}" in out
    assert NOTE in out
    made = run("adapt", "words", "raw.txt", "-o", "adapted", "--documents", "line", "--steps", "1", "--keep-duplicates")
    assert NOTE in made
