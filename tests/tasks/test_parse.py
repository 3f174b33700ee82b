"""The task of parsing: what is read of an item, tags, long sentences in pieces, and trees that are learned."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError, LangnetWarning
from langnet.evaluate.bracket_scores import bracket_f1
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.parse import Parsing
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.tasks.parse import Parse
from langnet.tasks.registry import build_task
from langnet.text.tree_files import ParseItem, item_of
from langnet.text.trees import bare, parse_trees, spans_of
from tests.recipes.kind_items import trees

TEXT = """
(ROOT (S (NP-SBJ (DT The) (NN film)) (VP (VBD was) (ADJP (JJ fine))) (. .)))
(ROOT (FRAG (NP (NN Film)) (-NONE- *)))
(ROOT (NN film))
"""


@pytest.fixture(scope="module")
def items():
    return [item_of(tree, f"x:{line}") for tree, line in parse_trees(TEXT.splitlines(), "x")]


def head(model, items, **settings):
    torch.manual_seed(0)
    small = {"hidden": 32, "span_hidden": 64, **settings}
    return Parsing().head(items, model.encoder, HeadOptions(0.0, settings=small)).eval()


def test_what_is_learned_of_a_tree(tiny_model, items):
    task = head(tiny_model, items)
    assert task.settings.labels == (("ADJP",), ("FRAG", "NP"), ("NP",), ("S",), ("VP",))
    assert task.settings.tags == (".", "DT", "JJ", "NN", "VBD")
    assert task.settings.outer == "ROOT"
    first, second, third = task.examples(items, tiny_model.writer)
    assert first.spans == [(0, 5, 3), (0, 2, 2), (2, 4, 4), (3, 4, 0)]
    assert (second.spans, second.words, second.tags.tolist()) == ([(0, 1, 1)], ("Film",), [3])
    assert third.spans == []


def test_settings_are_rebuilt_from_json(tiny_model, items):
    task = head(tiny_model, items, tags="file", decoder="linear", beam=2, length_penalty="0.4")
    again = build_task(json.loads(json.dumps(task.config())), tiny_model.encoder.mixed_dim)
    assert isinstance(again, Parse)
    assert again.config() == task.config()
    again.load_state_dict(task.state_dict())


def guesses(model, task, items, **changed):
    task.settings = replace(task.settings, **changed)
    batch = task.collate(task.examples(items, model.writer, labelled=False), 32, model.tokenizer.pad_id)
    with torch.no_grad():
        encoding = model.encoder(batch.ids, batch.mask)
        found = task.guesses(encoding, batch)
        return found, task.guess_scores(encoding, batch, found)


@pytest.mark.parametrize("decoder", ["chart", "linear"])
def test_score_of_a_guess_is_its_probability(tiny_model, items, decoder):
    task = head(tiny_model, items, decoder=decoder, beam=1)
    found, scores = guesses(tiny_model, task, items)
    assert scores.tolist() == pytest.approx([guess.log_probability for guess in found], abs=1e-4)
    for guess, item in zip(found, items, strict=True):
        assert guess.tree.words == item.words
        assert decoder == "linear" or len(guess.probabilities) == len(spans_of(bare(guess.tree)))


@pytest.mark.parametrize("decoder", ["chart", "linear"])
def test_long_sentences_are_parsed_in_pieces(tiny_model, items, decoder):
    task = head(tiny_model, items, decoder=decoder, beam=1)
    long = ParseItem(tuple(f"w{i}" for i in range(10)))
    (guess, other, empty), scores = guesses(tiny_model, task, [long, items[0], ParseItem(())], longest=4)
    assert guess.tree.words == long.words
    assert scores.tolist() == pytest.approx([g.log_probability for g in (guess, other, empty)], abs=1e-4)
    for span in spans_of(bare(guess.tree)):
        assert span.start // 4 == (span.end - 1) // 4, "no span reaches over a border"
    assert str(empty) == ""
    assert len(str(other).split(") (")) >= 1


def test_what_is_too_long_is_not_learned_from(tiny_model, items):
    task = head(tiny_model, items)
    task.settings = replace(task.settings, longest=4)
    with pytest.warns(LangnetWarning, match="1 of 3 sentences have no words, or more than 4"):
        assert len(task.examples(items, tiny_model.writer)) == 2
    with pytest.raises(LangnetError, match="short enough"), pytest.warns(LangnetWarning):
        task.examples(items[:1], tiny_model.writer)


def test_tags_of_the_file_are_read_and_kept(tiny_model, items):
    task = head(tiny_model, items, tags="file")
    tagged = [ParseItem(("The", "film"), ("DT", "NN")), ParseItem(("The", "film"), ("NN", "new"))]
    found, _ = guesses(tiny_model, task, tagged)
    assert [guess.tree.tags for guess in found] == [("DT", "NN"), ("NN", "new")]
    assert found[0].log_probability != found[1].log_probability
    with pytest.raises(LangnetError, match="reads tags, and the file has none"):
        task.examples([ParseItem(("The",))], tiny_model.writer, labelled=False)


def test_unknown_labels_and_missing_trees(tiny_model, items):
    task = head(tiny_model, items[:1])
    with pytest.raises(LangnetError, match=r"x:3: unknown label 'FRAG\+NP'; the model knows ADJP"):
        task.examples(items, tiny_model.writer)
    with pytest.raises(LangnetError, match="no tree to learn from"):
        task.examples([ParseItem(("a",))], tiny_model.writer)
    with pytest.raises(LangnetError, match="no tree has a bracket"):
        head(tiny_model, items[2:])


def test_loss_is_of_trees_and_tags(tiny_model, items):
    task = head(tiny_model, items)
    batch = task.collate(task.examples(items, tiny_model.writer), 32, tiny_model.tokenizer.pad_id)
    with torch.no_grad():
        encoding = tiny_model.encoder(batch.ids, batch.mask)
        states, lengths = task.states(encoding, batch)
        total = -task.decoder.log_probabilities(states, lengths, [e.spans for e in batch.examples]).sum()
        for row, example in enumerate(batch.examples):
            logs = task.say_tags(states[row, : example.n_words]).log_softmax(1)
            total -= logs[torch.arange(example.n_words), torch.from_numpy(example.tags)].sum()
        assert float(task.loss(tiny_model.encoder, encoding, batch)) == pytest.approx(float(total) / 7, rel=1e-5)


@pytest.mark.parametrize("decoder", ["chart", pytest.param("linear", marks=pytest.mark.slow)])
def test_learns_what_reviews_are_made_of(tiny_model, tiny_labelled, decoder):
    items = trees(tiny_labelled)
    head = HeadOptions(0.0, settings={"decoder": decoder, "hidden": 32, "layers": 1, "span_hidden": 64, "beam": 1})
    options = TransferOptions(FinetuneOptions("frozen", least_steps=1), head, 1e-2, head_epochs=6)
    made = transfer(tiny_model, "parse", items[:96], options)
    test = items[200:230]
    found = made.guess(test)
    assert bracket_f1([item.tree for item in test], [guess.tree for guess in found]) > 0.9
    right = np.mean([guess.tree.tags == item.tags for guess, item in zip(found, test, strict=True)])
    assert right > 0.9
