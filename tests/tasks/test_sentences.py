"""Sentence decoders: the loss against a GRU in numpy, and what a model keeps of them."""

import numpy as np
import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.tasks.registry import build_task
from langnet.tasks.sentences import DenoisingAutoencoder, SkipThoughts, sentence_vector
from langnet.text.batches import Batch


def normalised(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(decoder, inputs):
    """Cho et al. 2014 with PyTorch's gates r, z, n, over inputs (S, I)."""
    wi, wh, bi, bh = (p.detach().numpy() for p in decoder.gru.parameters())
    h, states = np.zeros(wh.shape[1]), []
    for x in inputs:
        (ri, zi, ni), (rh, zh, nh) = np.split(wi @ x + bi, 3), np.split(wh @ h + bh, 3)
        r, z = sigmoid(ri + rh), sigmoid(zi + zh)
        h = (1 - z) * np.tanh(ni + r * nh) + z * h
        states.append(h)
    return np.array(states)


def decoded_nats(decoder, vector, written, words, bias):
    """Summed -log probability of one sentence, and its tokens."""
    written = written[written != -100]
    read = np.concatenate([decoder.begin.detach().numpy()[None], normalised(words[written[:-1]])])[: len(written)]
    inputs = np.concatenate([read, np.tile(normalised(vector), (len(written), 1))], axis=1)
    scores = gru(decoder, inputs) @ words.T + bias
    logs = scores - scores.max(1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(1, keepdims=True))
    return -logs[np.arange(len(written)), written].sum(), len(written)


@pytest.mark.parametrize("task", [DenoisingAutoencoder(), SkipThoughts()], ids=lambda task: task.name)
@pytest.mark.parametrize("family", ["gpt", "awd-lstm"])
def test_loss(family, task):
    encoder = build_encoder(family, "tiny", 30, seed=0, context=12).double().eval()
    task = build_task(task.config(), encoder.dim).with_decoders(encoder, seed=1).double()
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 30, (3, 7), generator=generator)
    mask = torch.arange(7) < torch.tensor([7, 4, 5])[:, None]
    targets = torch.tensor([[5, 9, 12, 4], [6, 4, -100, -100], [8, 9, 4, -100]])
    previous = torch.tensor([[7, 4, -100], [11, 12, 4], [-100, -100, -100]])
    batch = Batch(ids, mask, targets, previous if task.n_decoders == 2 else None)
    encoding = encoder(ids, mask)
    top, words = encoding.top.detach().numpy(), encoder.output_weight().detach().numpy()
    bias = 0 if encoder.output_bias() is None else encoder.output_bias().detach().numpy()
    parts = [previous, targets] if task.n_decoders == 2 else [targets]
    total = count = 0
    for decoder, part in zip(task.decoders, parts, strict=True):
        for row, last in enumerate((6, 3, 4)):
            if (part[row] != -100).any():
                nats, n = decoded_nats(decoder, top[row, last], part[row].numpy(), words, bias)
                total, count = total + nats, count + n
    assert task.loss(encoder, encoding, batch).item() == pytest.approx(total / count, rel=1e-6)


def test_the_vector_has_read_the_whole_sentence():
    encoder = build_encoder("awd-lstm", "tiny", 30, seed=0, reading="two-way").eval()
    ids = torch.randint(5, 30, (2, 7), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(7) < torch.tensor([7, 4])[:, None]
    with torch.no_grad():
        top = encoder(ids, mask).top
        vector = sentence_vector(encoder, top, mask)
        half = encoder.dim // 2
        assert torch.equal(vector[:, :half], top[[0, 1], [6, 3], :half])
        assert torch.equal(vector[:, half:], top[:, 0, half:])
        for place in range(4):
            changed = ids.clone()
            changed[:, place] = (changed[:, place] + 3) % 25 + 5
            other = sentence_vector(encoder, encoder(changed, mask).top, mask)
            assert ((other - vector).abs().amax(1) > 1e-7).all()


def test_decoders_are_made_for_a_run_and_not_kept():
    encoder = build_encoder("gpt", "tiny", 30, seed=0)
    first, second = (SkipThoughts().with_decoders(encoder, seed=1) for _ in range(2))
    assert len(first.decoders) == 2
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    kept = build_task(first.config(), encoder.dim)
    assert not list(kept.parameters())
    ids = torch.full((1, 3), 6)
    with pytest.raises(LangnetError, match="were not kept"):
        kept.loss(encoder, encoder(ids), Batch(ids, torch.ones_like(ids, dtype=torch.bool), ids, ids))


def test_settings_that_make_no_sense():
    for wrong in ({"drop": 1.0}, {"swap": -0.1}, {"longest": 1}):
        with pytest.raises(LangnetError):
            DenoisingAutoencoder(**wrong)
