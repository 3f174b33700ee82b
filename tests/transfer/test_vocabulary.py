"""A new vocabulary under an old model: rows that both know are kept, others start as the mean."""

import numpy as np
import pytest
import torch

from langnet.encoders.awd_lstm import AWDLSTM, AWDLSTMConfig
from langnet.encoders.gpt import GPT, PUBLISHED_2018, GPTConfig
from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.text.shards import ShardWriter, TokenShards
from langnet.text.tokenizer import Tokenizer
from langnet.transfer.vocabulary import require_rows, with_vocabulary

OLD = Tokenizer.of_words(["the", "film", "was", "good", "bad"])
NEW = Tokenizer.of_words(["cat", "the", "was", "dog"])
SAME = [
    (NEW.entries()[word], OLD.entries()[word]) for word in ("<pad>", "<unknown>", "<start>", "<extract>", "the", "was")
]
FRESH = [NEW.entries()[word] for word in ("cat", "dog")]


@pytest.fixture
def text(tmp_path):
    with ShardWriter(tmp_path, NEW.vocabulary_size) as writer:
        writer.add_document([NEW.start_id, *NEW.encode("the cat was the dog"), NEW.extract_id], 19)
    return TokenShards.open(tmp_path)


@pytest.fixture(params=["awd-lstm", "gpt", "gpt-2018", "untied"])
def encoder(request):
    size, torch_seed = OLD.vocabulary_size, torch.manual_seed(0)
    assert torch_seed is not None
    if request.param == "awd-lstm":
        made = AWDLSTM(AWDLSTMConfig(size, dim=size, hidden=6, n_layers=2))  # as wide as the vocabulary is long
        torch.nn.init.normal_(made.softmax_bias)
        return made.eval()
    fixed = PUBLISHED_2018 if request.param == "gpt-2018" else {"tie_embeddings": request.param != "untied"}
    return GPT(GPTConfig(size, 8, 20, 1, 2, 20, **fixed)).eval()


def test_rows_are_kept_or_the_mean(encoder, text):
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    made, report = with_vocabulary(encoder, OLD, NEW, text)
    assert made.config.vocabulary_size == NEW.vocabulary_size
    assert (report.entries, report.matched) == (4, 2)
    assert report.token_share == pytest.approx(3 / 5)
    assert "2 of 4 entries, 60.0% of the text's tokens, keep their rows" in str(report)
    tables = 0
    for name, tensor in made.state_dict().items():
        assert torch.equal(before[name], encoder.state_dict()[name])
        if tensor.shape == before[name].shape:
            assert torch.equal(tensor, before[name])
            continue
        tables += 1
        for new, old in SAME:
            assert torch.equal(tensor[new], before[name][old])
        for new in FRESH:
            torch.testing.assert_close(tensor[new], before[name].mean(0))
    assert tables == (1 if isinstance(encoder, GPT) and encoder.softmax is None else 2)
    assert made.n_parameters < encoder.n_parameters
    assert sum(p.requires_grad for p in made.parameters()) == len(list(encoder.parameters()))


def test_known_words_have_the_states_they_had(encoder, text):
    made, _ = with_vocabulary(encoder, OLD, NEW, text)
    old = torch.tensor([[OLD.start_id, *OLD.encode("the was the")]])
    new = torch.tensor([[NEW.start_id, *NEW.encode("the was the")]])
    torch.testing.assert_close(made(new).top, encoder(old).top)
    known_new, known_old = (torch.tensor(column) for column in zip(*SAME, strict=True))
    torch.testing.assert_close(
        made.logits(made(new).top)[..., known_new], encoder.logits(encoder(old).top)[..., known_old]
    )


def test_the_same_size_is_no_exception(tmp_path):
    new = Tokenizer.of_words(["good", "bad", "was", "film", "cat"])  # as many, in another order
    with ShardWriter(tmp_path, new.vocabulary_size) as writer:
        writer.add_document([2, *new.encode("cat"), 4], 3)
    encoder = AWDLSTM(AWDLSTMConfig(OLD.vocabulary_size, dim=4, hidden=6, n_layers=2))
    made, report = with_vocabulary(encoder, OLD, new, TokenShards.open(tmp_path))
    table, known = made.token_embedding.weight, encoder.token_embedding.weight
    assert torch.equal(table[new.entries()["good"]], known[OLD.entries()["good"]])
    assert (report.matched, report.token_share) == (4, 0.0)


def test_what_has_no_rows(tiny_labelled):
    elmo = build_encoder("elmo", "tiny", 40, seed=0)
    with pytest.raises(LangnetError, match="reads words as characters and has no row a token"):
        require_rows(elmo, OLD)
    lstm = build_encoder("awd-lstm", "tiny", 261, seed=0)
    with pytest.raises(LangnetError, match="reads bytes, of which there are no new ones"):
        require_rows(lstm, Tokenizer.train(["a"], "bytes"))
    require_rows(lstm, OLD)


def test_mean_of_the_numbers():
    weight = np.arange(20.0).reshape(10, 2)
    encoder = AWDLSTM(AWDLSTMConfig(10, dim=2, hidden=3, n_layers=1))
    encoder.token_embedding.weight.data = torch.from_numpy(weight).float()
    from langnet.transfer.vocabulary import _rebuilt

    made = _rebuilt(encoder, torch.tensor([9, -1, 0]))
    assert made.token_embedding.weight.tolist() == [[18.0, 19.0], [9.0, 10.0], [0.0, 1.0]]
