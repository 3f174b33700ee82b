"""Hidden tokens: how many, which, what stands in their place, and that seed and step alone decide."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.text.batches import Batch
from langnet.text.masking import (
    MaskedBatches,
    MaskOptions,
    every_token_once,
    hidden_targets,
    one_after_another,
    words_of_tokens,
)
from langnet.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(["the quick brown fox jumps over the lazy dog"], "bytes").with_mask()


class Windows:
    """Rows of random ordinary ids behind a start token, the last one with padding."""

    def __init__(self, vocabulary_size):
        self.vocabulary_size = vocabulary_size

    def batch(self, step):
        ids = torch.from_numpy(np.random.default_rng(step).integers(5, self.vocabulary_size - 1, (64, 50)))
        ids[:, 0] = 2
        mask = torch.ones(64, 50, dtype=torch.bool)
        mask[-1, 20:], ids[-1, 20:] = False, 0
        targets = ids.roll(-1, 1)
        targets[:, -1] = -100
        return Batch(ids, mask, targets)


def masked(tokenizer, options, seed=0):
    return MaskedBatches(Windows(tokenizer.vocabulary_size), tokenizer, options, seed)


def test_the_mask_is_one_more_entry(tokenizer):
    plain = Tokenizer.train(["the fox"], "bytes")
    assert plain.mask_id is None
    assert tokenizer.mask_id == plain.vocabulary_size == tokenizer.vocabulary_size - 1
    assert tokenizer.with_mask() is tokenizer
    again = Tokenizer.from_json(tokenizer.to_json())
    assert (again.mask_id, again.special_ids, again.kind) == (tokenizer.mask_id, (0, 1, 2, 3, 4, 261), "bytes")
    assert again.decode([tokenizer.mask_id]) == ""


def test_a_mask_leaves_the_direction():
    backward = Tokenizer.train(["the fox"], "bytes").turned("backward").with_mask()
    assert backward.direction == "backward"
    assert Tokenizer.from_json(backward.to_json()).encode("fox") == backward.encode("fox") != backward.encode("xof")


@pytest.mark.parametrize("kind", ["bpe", "unigram", "words", "characters", "bytes"])
def test_no_text_contains_the_mask(kind):
    text = "a <mask> stands where <mask>s stand; <mask>"
    plain = Tokenizer.train([text] * 20, kind)
    tokenizer = Tokenizer.from_json(plain.with_mask().to_json())
    assert tokenizer.mask_id == plain.vocabulary_size
    assert tokenizer.mask_id not in tokenizer.encode(text)
    assert tokenizer.encode(text) == plain.encode(text)


def test_shares_and_replacements(tokenizer):
    batches = masked(tokenizer, MaskOptions(share=0.15))
    pairs = [(Windows(tokenizer.vocabulary_size).batch(step), batches.batch(step)) for step in range(30)]
    before, after, targets = (
        torch.cat(part) for part in zip(*((p.ids, m.ids, m.targets) for p, m in pairs), strict=True)
    )
    hidden = targets != -100
    assert torch.equal(targets[hidden], before[hidden])
    assert torch.equal(after[~hidden], before[~hidden])
    assert not hidden[:, 0].any()  # the start is special
    assert not torch.cat([m.targets[-1, 20:] != -100 for _, m in pairs]).any()  # padding is not there
    possible = sum(int(p.mask[:, 1:].sum()) for p, _ in pairs)
    assert hidden.sum() / possible == pytest.approx(0.15, abs=0.005)
    kept = (after == before)[hidden].float().mean()
    behind = (after == tokenizer.mask_id)[hidden].float().mean()
    assert behind == pytest.approx(0.8, abs=0.02)
    assert kept == pytest.approx(0.1, abs=0.02)
    exchanged = after[hidden & (after != tokenizer.mask_id) & (after != before)]
    assert not np.isin(exchanged, tokenizer.special_ids).any()


def test_seed_and_step_decide(tokenizer):
    options = MaskOptions(causal_share=0.25, shifted=True)
    first, second = masked(tokenizer, options), masked(tokenizer, options)
    second.batch(7)
    for step in (3, 0, 2):
        a, b = first.batch(step), second.batch(step)
        assert torch.equal(a.ids, b.ids)
        assert torch.equal(a.targets, b.targets)
        assert a.causal == b.causal
    assert not torch.equal(first.batch(2).targets, masked(tokenizer, options, seed=1).batch(2).targets)


def test_shifted_targets_stand_one_to_the_left(tokenizer):
    own = masked(tokenizer, MaskOptions()).batch(4)
    shifted = masked(tokenizer, MaskOptions(shifted=True)).batch(4)
    assert torch.equal(own.ids, shifted.ids)
    assert torch.equal(own.targets[:, 1:], shifted.targets[:, :-1])
    assert (shifted.targets[:, -1] == -100).all()
    assert (own.causal, shifted.causal) == (None, False)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.25, 25), (0.0, 0), (1 / 3, 33)])
def test_causal_batches_are_whole(tokenizer, share, expected):
    batches = masked(tokenizer, MaskOptions(shifted=True, causal_share=share))
    causal = [step for step in range(100) if batches.batch(step).causal]
    assert len(causal) == expected
    for step in causal[:2]:
        assert torch.equal(batches.batch(step).ids, Windows(tokenizer.vocabulary_size).batch(step).ids)
        assert (batches.batch(step).targets != -100).sum() > 64 * 48


def test_every_token_once():
    row = np.array([2, *range(10, 30), 4])
    passes = every_token_once(row, (0, 1, 2, 3, 4), 7)
    assert (passes.sum(0) == np.isin(row, (2, 4), invert=True)).all()
    assert passes.sum(1).max() <= 4
    assert (
        hidden_targets(row[None], passes[:1], True)[0, :-1] == hidden_targets(row[None], passes[:1], False)[0, 1:]
    ).all()


def test_words_of_tokens():
    #       0123456789
    text = "un do, \n é"
    places = np.array([[0, 1], [1, 2], [2, 4], [4, 5], [5, 6], [6, 7], [7, 8], [8, 10], [9, 10]])
    words = words_of_tokens(text, places)
    assert words[[0, 1, 2, 3, 4, 7, 8]].tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert words[5] < 0 > words[6]
    assert words[5] != words[6]
    assert words_of_tokens("", np.zeros((0, 2), dtype=np.int64)).tolist() == []
    assert len(set(words_of_tokens("\n\u3000", np.array([[0, 1], [1, 2], [1, 2]])).tolist())) == 2


def test_one_after_another():
    words = np.array([-1, 0, 0, 0, 1, -1])
    asked = np.array([1, 2, 4])
    assert one_after_another(words, asked, "token").nonzero()[1].tolist() == [1, 2, 4]
    rows, columns = one_after_another(words, asked, "word").nonzero()
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 4)]


def test_what_makes_no_sense_is_refused():
    for options in ({"share": 0.0}, {"share": 1.0}, {"causal_share": 1.0}):
        with pytest.raises(LangnetError, match="share of"):
            MaskOptions(**options)
    with pytest.raises(LangnetError, match="no <mask>"):
        masked(Tokenizer.train(["a"], "bytes"), MaskOptions())
