"""Text drawn by state is what a full recomputation gives; seeds, limits and the sliding window."""

import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.tasks.generation import GenerationOptions, draw, generate_ids, generate_text, kept
from langnet.text.tokenizer import Tokenizer

END = 4
CONTEXT = 16


@pytest.fixture(scope="module", params=["gpt", "gpt-2018"])
def encoder(request):
    encoder = build_encoder(request.param, "tiny", 300, seed=1, context=CONTEXT)
    with torch.no_grad():  # a fresh model's blocks are the identity; give it something to say
        for parameter in encoder.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(7)))
    return encoder.eval()


def recomputed(encoder, ids, options, n):
    """The same draws with the whole window read again at every token."""
    generator = torch.Generator().manual_seed(options.seed)
    start, out = 0, []
    ids = list(ids)
    for _ in range(n):
        if len(ids) - start > CONTEXT:
            start = len(ids) - CONTEXT // 2
        with torch.no_grad():
            logits = encoder.logits(encoder(torch.tensor([ids[start:]])).top[0, -1])
        token = draw(logits, options, generator, END)
        if token == END:
            break
        ids.append(token)
        out.append(token)
    return out


@pytest.mark.parametrize("prompt_length", [1, 5, CONTEXT, CONTEXT + 1, 3 * CONTEXT])
@pytest.mark.parametrize("options", [GenerationOptions(60, seed=3), GenerationOptions(60, temperature=0)], ids=str)
def test_by_state_as_by_recomputation(encoder, prompt_length, options):
    prompt = torch.randint(5, 300, (prompt_length,), generator=torch.Generator().manual_seed(0)).tolist()
    found = list(generate_ids(encoder, prompt, options, END))
    assert found == recomputed(encoder, prompt, options, 60)
    assert found


def test_a_token_costs_one_position(encoder):
    read = []
    handle = encoder.register_forward_pre_hook(lambda module, arguments: read.append(arguments[0].shape[1]))
    found = list(generate_ids(encoder, [2, 7, 8], GenerationOptions(100, temperature=2.0, top_p=1.0), -1))
    handle.remove()
    assert len(found) == 100
    assert read[0] == 3
    assert set(read[1:]) == {1, CONTEXT // 2}
    assert sum(read) <= 2.2 * 100


def test_the_logits_by_state_are_those_of_the_whole(encoder):
    ids = torch.randint(5, 300, (1, CONTEXT), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = encoder.logits(encoder(ids).top)[0]
        state, parts = None, []
        for place in range(CONTEXT):
            encoding = encoder(ids[:, place : place + 1], state=state)
            state = encoding.state
            parts.append(encoder.logits(encoding.top)[0, 0])
    torch.testing.assert_close(torch.stack(parts), whole, atol=1e-4, rtol=1e-4)


def test_the_same_seed_gives_the_same_text(encoder):
    tokenizer = Tokenizer.train([], "bytes")
    texts = [
        "".join(generate_text(encoder, tokenizer, "ab", GenerationOptions(40, temperature=1.5, top_p=1.0, seed=seed)))
        for seed in (0, 0, 1)
    ]
    assert texts[0] == texts[1] != texts[2]


class TestDraw:
    LOGITS = torch.tensor([9.0, 9.0, 9.0, 9.0, 1.0, 3.0, 2.0, 0.0])  # the first four are special

    def drawn(self, options, n=300):
        generator = torch.Generator().manual_seed(0)
        return {draw(self.LOGITS, options, generator, END) for _ in range(n)}

    def test_special_tokens_are_never_drawn_but_the_end(self):
        assert self.drawn(GenerationOptions(temperature=2, top_p=1.0)) == {4, 5, 6, 7}

    def test_temperature_zero_takes_the_most_probable(self):
        assert self.drawn(GenerationOptions(temperature=0)) == {5}

    def test_top_k(self):
        assert self.drawn(GenerationOptions(temperature=2, top_k=2, top_p=1.0)) == {5, 6}
        assert self.drawn(GenerationOptions(temperature=2, top_k=1)) == {5}

    def test_top_p(self):
        probabilities = torch.tensor([0.1, 0.5, 0.3, 0.1])
        assert kept(probabilities, GenerationOptions(top_p=0.5)).nonzero().flatten().tolist() == [1]
        assert kept(probabilities, GenerationOptions(top_p=0.51)).nonzero().flatten().tolist() == [1, 2]
        assert kept(probabilities, GenerationOptions(top_p=1.0)).equal(probabilities)

    def test_frequencies(self):
        generator = torch.Generator().manual_seed(0)
        options = GenerationOptions(temperature=1.0, top_p=1.0)
        draws = [draw(self.LOGITS, options, generator, END) for _ in range(4000)]
        expected = self.LOGITS[4:].softmax(0)
        found = torch.bincount(torch.tensor(draws), minlength=8)[4:] / 4000
        torch.testing.assert_close(found, expected, atol=0.025, rtol=0)


@pytest.mark.parametrize(
    "wrong", [{"tokens": 0}, {"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}], ids=str
)
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(LangnetError):
        GenerationOptions(**wrong)
