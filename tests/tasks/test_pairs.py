"""How pairs are read: arrangements against numpy, symmetry, lengths, and that both texts stay in one batch."""

import numpy as np
import pytest
import torch

from langnet.encoders.encoder import Encoding
from langnet.errors import LangnetError
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.tasks.pairs import MOST_ALIGNED, PairConfig, PairReader, document_features
from langnet.tasks.soft_alignment import SoftAlignment
from langnet.text.pairs import Pair

FROZEN = FinetuneOptions("frozen", epochs=1, least_steps=1)
PAIRS = [Pair("The film was superb.", "It was a film.", "a"), Pair("Awful.", "", "b"), Pair("", "The hero", "a")]


def learn(model, settings, kind="entail", items=PAIRS):
    rated = [Pair(p.first, p.second, float(len(p.first))) for p in items] if kind == "similarity" else items
    return transfer(model, kind, rated, TransferOptions(FROZEN, HeadOptions(settings=settings), head_epochs=1))


def encoded(reader, pairs, writer, dim):
    """A batch of pairs and random states of it."""
    batch = reader.collate(reader.examples(pairs, writer, [0.0] * len(pairs)), 8, 0)
    states = torch.randn(*batch.ids.shape, dim, generator=torch.Generator().manual_seed(1))
    return batch, Encoding([states])


def test_separate_texts_side_by_side_as_numpy_has_it(tiny_model):
    reader = PairReader(PairConfig("separate", "max", hidden=0), 6).eval()
    batch, encoding = encoded(reader, PAIRS[:1], tiny_model.writer, 6)
    read = reader(encoding, batch).detach().numpy()[0]
    states, mask = encoding.top.numpy(), batch.mask.numpy()
    owner = batch.document.numpy()
    u, v = (np.max(np.concatenate([states[r][mask[r]] for r in np.flatnonzero(owner == k)]), axis=0) for k in (0, 1))
    expected = np.concatenate([u, v, abs(u - v), u * v])
    expected = (expected - expected.mean()) / np.sqrt(expected.var() + 1e-5)
    np.testing.assert_allclose(read, expected, atol=1e-5)


def test_alignment_as_numpy_has_it():
    torch.manual_seed(0)
    alignment = SoftAlignment(5, 4, 0.0).eval()
    first, second = torch.randn(2, 3, 5), torch.randn(2, 6, 5)
    masks = torch.tensor([[1, 1, 0], [1, 1, 1]]).bool(), torch.tensor([[1] * 6, [1, 1, 0, 0, 0, 0]]).bool()
    u, v = alignment(first, masks[0], second, masks[1])
    weight, bias = (p.detach().numpy() for p in alignment.project.parameters())
    compare, offset = (p.detach().numpy() for p in alignment.compare.parameters())
    for n in range(2):
        a, b = (s[n][m[n]].numpy() @ weight.T + bias for s, m in ((first, masks[0]), (second, masks[1])))
        for own, other, found in ((a, b, u[n]), (b, a, v[n])):
            scores = np.exp(own @ other.T / 2)
            met = scores / scores.sum(1, keepdims=True) @ other
            beside = np.concatenate([own, met, abs(own - met), own * met], axis=1)
            compared = np.maximum(beside @ compare.T + offset, 0)
            expected = np.concatenate([compared.max(0), compared.mean(0)])
            np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-5)


def test_both_orders_are_the_sum_of_both_packed_ones(tiny_model):
    packed, both = (PairReader(PairConfig(how, "last"), 6).eval() for how in ("packed", "both-orders"))
    pair = PAIRS[0]
    (example,) = both.examples([pair], tiny_model.writer, [0.0])
    there, back = packed.examples([pair, Pair(pair.second, pair.first)], tiny_model.writer, [0.0, 0.0])
    np.testing.assert_array_equal(example.rows[0], there.rows[0])
    np.testing.assert_array_equal(example.rows[1], back.rows[0])
    batch = both.collate([example], None, 0)
    encoding = Encoding([torch.randn(*batch.ids.shape, 6)])
    alone = packed(encoding, packed.collate([there, back], None, 0))  # the same two rows, as two pairs
    torch.testing.assert_close(both(encoding, batch)[0], alone.sum(0))


@pytest.mark.parametrize(
    ("settings", "kind", "same"),
    [
        ({"arrangement": "both-orders"}, "entail", True),
        ({"arrangement": "both-orders"}, "similarity", True),
        ({}, "similarity", True),
        ({"arrangement": "packed"}, "entail", False),
        ({}, "entail", False),
    ],
)
def test_exchanging_the_texts(tiny_model, settings, kind, same):
    made = learn(tiny_model, settings, kind)
    there, back = (made.guess([pair])[0] for pair in (PAIRS[0], Pair(PAIRS[0].second, PAIRS[0].first)))
    numbers = [[g.value] if kind == "similarity" else list(g.probabilities.values()) for g in (there, back)]
    assert (np.abs(np.subtract(*numbers)).max() < 1e-5) == same


def test_no_packed_pair_is_longer_than_the_context_and_no_text_than_is_aligned(tiny_model):
    long = [Pair("film " * 10_000, "story " * 10_000)]
    writer, context = tiny_model.writer, tiny_model.encoder.context
    for how in ("packed", "both-orders"):
        (example,) = PairReader(PairConfig(how), 6).examples(long, writer, [0.0])
        assert {len(row) for row in example.rows} <= {context - 1, context}  # both texts by the same limit
    reader = PairReader(PairConfig("separate", alignment=4), 6)
    (example,) = reader.examples(long, writer, [0.0])
    assert [len(row) for row in example.rows] == [MOST_ALIGNED] * 2
    (free,) = PairReader(PairConfig("separate"), 6).examples(long, writer, [0.0])
    assert [len(row) for row in free.rows] == [writer.max_tokens] * 2
    # Cut into rows of the context, each token of a text is aligned once, and the start that opens a row is not again.
    batch = reader.collate([example], context, 0)
    assert batch.ids.shape[1] <= context
    for places, row in zip(batch.places, example.rows, strict=True):
        found = batch.ids.flatten()[places[places >= 0]]
        np.testing.assert_array_equal(found.numpy(), row)


def test_a_batch_holds_all_rows_of_its_pairs(tiny_model):
    reader = PairReader(PairConfig("separate"), 6)
    examples = reader.examples(PAIRS * 3, tiny_model.writer, list(range(9)))
    batch = reader.collate(examples[3:6], 4, 0)
    assert batch.n_examples == 3
    assert sorted(set(batch.document.tolist())) == list(range(6))
    assert batch.labels.tolist() == [3, 4, 5]
    assert all(len(example.ids) == sum(map(len, example.rows)) for example in examples)


def test_document_vectors_beside_the_states(tiny_model):
    first, second = np.eye(2, 3, dtype=np.float32), np.array([[1, 0, 0], [0, 0, 1]], dtype=np.float32)
    features = document_features(first, second)
    np.testing.assert_allclose(features[0], [0, 0, 0, 3, 0, 0, 4])
    np.testing.assert_allclose(features[1], [0, 3**0.5, 3**0.5, 0, 0, 0, 0])
    made = learn(tiny_model, {"documents": "on"})
    assert made.document_vectors is tiny_model.document_vectors
    assert made.network.task.document_dim == tiny_model.document_vectors.dim
    assert learn(tiny_model, {}).document_vectors is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arrangement": "stacked"}, "arrangement is 'stacked'; the task 'entail' knows packed, both-orders, separate"),
        ({"colour": "red"}, "has no setting 'colour'; its settings: arrangement, pooling, alignment, documents"),
        ({"arrangement": "packed", "alignment": "on"}, "set arrangement=separate too"),
    ],
)
def test_settings_that_make_no_sense_are_told(tiny_model, settings, message):
    with pytest.raises(LangnetError, match=message):
        learn(tiny_model, settings)


def test_documents_of_a_model_without_them_are_told(tiny_model):
    off = FinetuneOptions("frozen", epochs=1, least_steps=1, document_features=False)
    with pytest.raises(LangnetError, match="it has none, or they are switched off"):
        transfer(tiny_model, "entail", PAIRS, TransferOptions(off, HeadOptions(settings={"documents": True})))


def test_labels_that_make_no_sense_are_told(tiny_model):
    with pytest.raises(LangnetError, match="two different labels or more, found a"):
        transfer(tiny_model, "entail", PAIRS[:1])
    with pytest.raises(LangnetError, match="numbers to learn from have to differ; found 1"):
        transfer(tiny_model, "similarity", [Pair("a", "b", 1.0)])
    made = learn(tiny_model, {})
    with pytest.raises(LangnetError, match=r"p.csv:3: unknown label 'c'; the model knows a, b"):
        made.network.task.examples([Pair("a", "b", "c", "p.csv:3")], made.writer)
    rated = learn(tiny_model, {}, "similarity")
    with pytest.raises(LangnetError, match="the rating is 'None', and has to be a number"):
        rated.network.task.examples([Pair("a", "b")], rated.writer)


def test_no_rating_leaves_the_range_that_was_learned(tiny_model):
    made = learn(tiny_model, {}, "similarity")
    with torch.no_grad():
        made.network.task.output.bias.fill_(1e6)
    low, high = made.network.task.settings.low, made.network.task.settings.high
    assert [guess.value for guess in made.guess(PAIRS)] == [high] * 3
    assert low == 0
