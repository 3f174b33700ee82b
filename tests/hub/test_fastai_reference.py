"""fastai's own AWD_LSTM beside ours: the same logits from the file that it writes, with and without its head."""

import json

import pytest
import torch

from langnet.hub.importers.imported import ImportOptions
from langnet.hub.importers.table import import_path
from langnet.recipes.model import load

pytestmark = pytest.mark.slow

MARKS = ["xxunk", "xxpad", "xxbos", "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj"]
WORDS = [*MARKS, *(f"w{number}" for number in range(91))]


@pytest.fixture
def written(tmp_path):
    """A model of fastai's with random weights, and the folder where its file and its vocabulary lie."""
    models = pytest.importorskip("fastai.text.models.core")
    awdlstm = pytest.importorskip("fastai.text.models.awdlstm")
    config = {**awdlstm.awd_lstm_lm_config, "emb_sz": 24, "n_hid": 40}
    torch.manual_seed(0)
    model = models.get_language_model(awdlstm.AWD_LSTM, len(WORDS), config=config)
    torch.nn.init.normal_(model[1].decoder.bias)
    (tmp_path / "vocab.json").write_text(json.dumps(WORDS))
    return model, tmp_path


def logits_of_theirs(model, ids):
    model.eval()
    model.reset()
    with torch.no_grad():
        return model(ids)[0]  # (B, T, V)


def read_back(folder, name, **options):
    import_path(folder / name, ImportOptions(**options)).write(folder / f"{name}-lm")
    return load(folder / f"{name}-lm")


def logits_of_ours(model, ids):
    with torch.no_grad():
        return model.encoder.logits(model.encoder(ids).top)[..., : len(WORDS)]


def test_logits(written):
    theirs, folder = written
    ids = torch.randint(len(MARKS), len(WORDS), (3, 50), generator=torch.Generator().manual_seed(1))
    torch.save(theirs.state_dict(), folder / "lm.pth")
    expected = logits_of_theirs(theirs, ids)
    torch.testing.assert_close(logits_of_ours(read_back(folder, "lm.pth"), ids), expected, atol=1e-4, rtol=0)


def test_a_file_written_while_weights_were_dropped(written):
    """After a step of training the file has the last batch's weights, some of them zero, beside the whole ones."""
    theirs, folder = written
    ids = torch.randint(len(MARKS), len(WORDS), (2, 30), generator=torch.Generator().manual_seed(2))
    theirs.train()
    theirs.reset()
    theirs(ids)[0].sum().backward()
    held = theirs.state_dict()
    raw = held["0.rnns.0.weight_hh_l0_raw"]
    held["0.rnns.0.module.weight_hh_l0"] = torch.nn.functional.dropout(raw, 0.5)  # as versions did that kept it
    torch.save({"model": held, "opt": {}}, folder / "dropped.pth")
    expected = logits_of_theirs(theirs, ids)
    torch.testing.assert_close(logits_of_ours(read_back(folder, "dropped.pth"), ids), expected, atol=1e-4, rtol=0)


def test_the_state_goes_on_from_batch_to_batch(written):
    theirs, folder = written
    ids = torch.randint(len(MARKS), len(WORDS), (2, 30), generator=torch.Generator().manual_seed(3))
    torch.save(theirs.state_dict(), folder / "lm.pth")
    theirs.eval()
    theirs.reset()
    ours = read_back(folder, "lm.pth").encoder
    with torch.no_grad():
        theirs(ids[:, :13])
        expected = theirs(ids[:, 13:])[0]
        first = ours(ids[:, :13])
        found = ours.logits(ours(ids[:, 13:], state=first.state).top)[..., : len(WORDS)]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_a_model_trained_backward(written):
    theirs, folder = written
    torch.save(theirs.state_dict(), folder / "bwd.pth")
    model = read_back(folder, "bwd.pth", direction="backward")
    assert model.direction == "backward"
    text = "w1 w2 w3 w4"
    ids = torch.tensor([[WORDS.index(word) for word in ("w4", "w3", "w2", "w1")]])
    assert model.tokenizer.encode(text) == ids[0].tolist()
    torch.testing.assert_close(logits_of_ours(model, ids), logits_of_theirs(theirs, ids), atol=1e-4, rtol=0)
