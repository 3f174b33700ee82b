"""Translation as one sequence: its loss, the search against all sequences without a kept state, a rule learned."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.encoders.vectors import vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.translate import Translating
from langnet.recipes.model import Model, load
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.tasks.language_model import LanguageModel
from langnet.tasks.translate_sequence import SequenceConfig, TranslateSequence
from langnet.tasks.writing import Writer
from langnet.text.batches import IGNORED
from langnet.text.tokenizer import Tokenizer
from langnet.text.translations import Translation
from langnet.transfer.model import TaskModel

WORDS = ["a", "b", "c"]
TOKENIZER = Tokenizer.of_words(WORDS)
FAMILIES = ["gpt", "gpt-2", "gpt-2018", "awd-lstm"]


def encoder_of(family, context=24, seed=0):
    """With probabilities that are far from even, so that the best is not a matter of rounding."""
    encoder = build_encoder(family, "tiny", TOKENIZER.vocabulary_size, seed, context).double().eval()
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return encoder


def task_of(**chosen):
    return TranslateSequence(SequenceConfig(TOKENIZER.to_json(), **chosen)).eval()


def log_probability(encoder, source, target):
    """Of a translation, each token with a forward pass of its own, among the tokens that may be written."""
    t, total = TOKENIZER, 0.0
    read = [t.start_id, *source, t.delimiter_id]
    for token in [*target, t.extract_id]:
        with torch.no_grad():
            scores = encoder.logits(encoder(torch.tensor([read]), causal=True).top[0, -1])
        scores[[i for i in t.special_ids if i != t.extract_id]] = -torch.inf
        total += float(scores.log_softmax(0)[token])
        read.append(token)
    return total


@pytest.mark.parametrize("family", FAMILIES)
def test_the_search_finds_the_best_without_reading_anew(family):
    encoder, task = encoder_of(family), task_of(beam=30, length_penalty=0.0)
    items = [Translation("a b"), Translation("c"), Translation("b a")]
    examples = [replace(one, room=3) for one in task.examples(items, Writer(TOKENIZER, context=24), labelled=False)]
    batch = task.collate(examples, 24, 0)
    said = task.guesses_by(encoder, encoder(batch.ids, batch.mask, causal=True), batch)
    ids = TOKENIZER.encode("a b c")
    for item, guess in zip(items, said, strict=True):
        source = TOKENIZER.encode(item.text)
        ways = [way for n in range(3) for way in itertools.product(ids, repeat=n)]
        best = max(ways, key=lambda way: log_probability(encoder, source, way))
        if len(guess.tokens) < 3:
            assert guess.tokens == best
            assert guess.log_probability == pytest.approx(log_probability(encoder, source, best), abs=1e-6)
        else:  # a longer one ends because it has to, at no cost
            assert guess.log_probability >= log_probability(encoder, source, best)


def test_what_is_learned():
    encoder, item = encoder_of("gpt"), Translation("a b", "c a c")
    t, (a, b, c) = TOKENIZER, TOKENIZER.encode("a b c")
    for chosen, expected in (
        ({}, [-100, -100, -100, c, a, c, t.extract_id, -100]),
        ({"source_loss": True}, [a, b, t.delimiter_id, c, a, c, t.extract_id, -100]),
    ):
        task = task_of(**chosen)
        (example,) = task.examples([item], Writer(t, context=24))
        batch = task.collate([example], 24, t.pad_id)
        assert batch.ids[0].tolist() == [t.start_id, a, b, t.delimiter_id, c, a, c, t.extract_id]
        assert batch.targets[0].tolist() == expected
        encoding = encoder(batch.ids, batch.mask, causal=True)
        logs = encoder.logits(encoding.top)[0].log_softmax(1)
        own = [-float(logs[i, token].detach()) for i, token in enumerate(expected) if token != IGNORED]
        assert float(task.loss(encoder, encoding, batch).detach()) == pytest.approx(np.mean(own))


def test_long_sentences_share_the_context():
    task, writer = task_of(), Writer(TOKENIZER, context=12)
    (example,) = task.examples([Translation("a b " * 20, "c " * 30)], writer)
    assert len(example.ids) <= 12
    (example,) = task.examples([Translation("a b " * 20)], writer, labelled=False)
    assert len(example.ids) + example.room <= 12
    encoder = encoder_of("gpt", context=12)
    batch = task.collate([example], 12, 0)
    (guess,) = task.guesses_by(encoder, encoder(batch.ids, causal=True), batch)
    assert len(guess.tokens) <= example.room


def test_a_rule_is_learned_and_kept(tmp_path):
    """Every letter becomes the next one, in the other order."""
    after = dict(zip(WORDS, [*WORDS[1:], WORDS[0]], strict=True))
    generator = np.random.default_rng(0)
    texts = [generator.choice(WORDS, size=generator.integers(1, 4), replace=False) for _ in range(300)]
    items = [Translation(" ".join(own), " ".join(after[w] for w in own[::-1])) for own in texts]
    base = Model("gpt", TOKENIZER, TaskModel(build_encoder("gpt", "tiny", 8, 0, 16), [(LanguageModel(), 1.0)]))
    options = TransferOptions(
        FinetuneOptions("finetune", epochs=8, batch_size=8, learning_rate=2e-3),
        HeadOptions(settings={"form": "sequence", "beam": "2"}),
    )
    model = transfer(base, "translate", items, options)
    every = [way for n in (1, 2, 3) for way in itertools.permutations(WORDS, n)]
    asked = [Translation(" ".join(own)) for own in every]
    found = [guess.text for guess in model.guess(asked)]
    right = [" ".join(after[w] for w in own[::-1]) for own in every]
    assert np.mean([one == other for one, other in zip(found, right, strict=True)]) > 0.8
    assert [guess.text for guess in load(model.save(tmp_path / "m")).guess(asked)] == found


def test_refused():
    options = HeadOptions(settings={"form": "sequence"}, tokenizer=TOKENIZER)
    gpt = build_encoder("gpt", "tiny", 8, 0, 16)
    elmo = build_encoder("elmo", "tiny", 8, 0)
    vectors, _ = vectors_of(WordSpace(WORDS, np.ones((3, 4), dtype=np.float32)))
    items = [Translation("a", "b")]
    for encoder, chosen, told in (
        (elmo, options, "take form=attention"),
        (vectors, options, "take form=attention"),
        (gpt, replace(options, frozen=True), "a frozen one learns nothing"),
        (gpt, replace(options, settings={"form": "sequence", "width": "8"}), "has no use for width"),
        (gpt, replace(options, settings={"form": "sequence", "vocabulary": "separate"}), "no use for vocabulary"),
        (gpt, replace(options, settings={"source_loss": "on"}), "source_loss is for form=sequence"),
        (gpt, replace(options, settings={"form": "tree"}), "form is 'tree'"),
        (gpt, replace(options, settings={"form": "sequence", "longest": "1"}), "longest must be 3"),
    ):
        with pytest.raises(LangnetError, match=told):
            Translating().head(items, encoder, chosen)
    base = Model("gpt", TOKENIZER, TaskModel(gpt, [(LanguageModel(), 1.0)]))
    with pytest.raises(LangnetError, match="a frozen one learns nothing"):
        transfer(base, "translate", items, TransferOptions(FinetuneOptions("frozen"), options))


def test_where_there_is_no_head_the_top_layer_is_the_first_to_learn():
    base = Model("gpt", TOKENIZER, TaskModel(build_encoder("gpt", "tiny", 8, 0, 24), [(LanguageModel(), 1.0)]).eval())
    items = [Translation("a b", "b a"), Translation("b c", "c b")]
    options = FinetuneOptions(epochs=8, least_steps=1, batch_size=2, gradual_unfreezing=True, seeds=1)
    made = transfer(base, "translate", items, TransferOptions(options, HeadOptions(settings={"form": "sequence"})))
    assert len(made.history) > 0


def test_a_model_that_reads_backward_reads_both_sentences_from_their_ends():
    backward = TOKENIZER.turned("backward")
    task = TranslateSequence(SequenceConfig(backward.to_json()))
    (example,) = task.examples([Translation("a b", "b c")], Writer(backward))
    t = backward
    source, target = t.encode("a b"), t.encode("b c")
    assert example.ids.tolist() == [t.start_id, *source, t.delimiter_id, *target, t.extract_id]
