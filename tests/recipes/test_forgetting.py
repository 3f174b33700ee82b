"""What is forgotten: bits per byte as `evaluate` gives them, before and after; the same where nothing was learned."""

import json
import sys

import numpy as np
import pytest

from langnet.cli import main
from langnet.errors import LangnetError
from langnet.recipes.evaluate import evaluate_language_model
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.forgetting import Forgetting
from langnet.recipes.pretrain import PretrainOptions, adapt, pretrain
from langnet.recipes.raw_text import RawText
from langnet.recipes.together import transfer_together
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.text.corpus import CorpusOptions
from tests.recipes.kind_items import TRAIN
from tests.recipes.test_switches import learned, word_vectors  # noqa: F401 - a fixture

PARAGRAPHS = CorpusOptions(documents="paragraph")


@pytest.fixture(scope="module")
def raw(tmp_path_factory, tiny_labelled):
    """A file of held-out reviews."""
    path = tmp_path_factory.mktemp("raw") / "raw.txt"
    path.write_text("\n\n".join(tiny_labelled.texts[300:330]))
    return RawText((str(path),), PARAGRAPHS)


@pytest.mark.parametrize("kind", ["classify", "choose"])
def test_frozen_forgets_nothing(tiny_model, tiny_labelled, raw, kind):
    made = learned(tiny_model, tiny_labelled, kind, FinetuneOptions("frozen", forgetting=raw))
    found = made.facts["finetune"]["forgetting"]
    expected = evaluate_language_model(tiny_model, raw.sources, raw.corpus).model.to_dict()
    assert found["before"] == expected, "as langnet evaluate says of the base"
    assert found["after"] == expected
    assert (found["change"], found["interval"]) == (0, [0, 0])


@pytest.mark.parametrize("kind", ["classify", "choose"])
def test_fine_tuning_forgets(tiny_model, tiny_labelled, raw, kind):
    options = FinetuneOptions(epochs=3, learning_rate=0.02, least_steps=1, forgetting=raw)
    made = learned(tiny_model, tiny_labelled, kind, options)
    found = made.facts["finetune"]["forgetting"]
    before, after = (found[when]["bits_per_byte"] for when in ("before", "after"))
    assert after > before + 0.1
    assert found["change"] == after - before
    low, high = found["interval"]
    assert 0 < low < found["change"] < high
    # A classifier's encoder is a language model still: what it says now is what a transfer from it starts with.
    again = Forgetting.begin(made, raw)
    assert sum(-s.log_probability for s in again.before) / np.log(2) / found["after"]["n_bytes"] == pytest.approx(after)


def test_adaptation(tmp_path, tiny_model, raw):
    options = PretrainOptions(steps=8, learning_rate=0.01, document_vectors=False, forgetting=raw)
    adapted = adapt(tiny_model, ["zebra quagga okapi " * 20] * 30, options, texts=True)
    found = adapted.facts["forgetting"]
    assert found["change"] > 0.1
    assert found["after"] == evaluate_language_model(adapted, raw.sources, raw.corpus).model.to_dict()
    with pytest.raises(LangnetError, match="pretraining starts from nothing"):
        pretrain(["a text"], options, texts=True)


def test_tasks_together_forget_alike(tiny_model, tiny_labelled, raw):
    tasks = {kind: (kind, TRAIN[kind](tiny_labelled)[:8]) for kind in ("choose", "similarity")}
    options = FinetuneOptions(epochs=1, least_steps=1, learning_rate=0.02, forgetting=raw)
    made = transfer_together(tiny_model, tasks, TransferOptions(options, head_epochs=1))
    found = [one.facts["finetune"]["forgetting"] for one in made.values()]
    assert found[0] == found[1]
    assert found[0]["change"] > 0


def test_models_without_probabilities_are_told_at_once(tmp_path, tiny_labelled, word_vectors, raw):  # noqa: F811
    options = FinetuneOptions("frozen", forgetting=raw)
    with pytest.raises(LangnetError, match="word vectors give no probabilities"):
        learned(word_vectors, tiny_labelled, "choose", options)
    pretraining = PretrainOptions(size="tiny", context=16, steps=1, objective="masked", document_vectors=False)
    masked = pretrain(tiny_labelled.texts[:30], pretraining, texts=True)
    with pytest.raises(LangnetError, match="what it forgets cannot be measured"):
        learned(masked, tiny_labelled, "classify", options)
    classifier = learned(masked, tiny_labelled, "choose", FinetuneOptions("frozen"))
    with pytest.raises(LangnetError, match="no language model that gives texts probabilities"):
        learned(classifier, tiny_labelled, "classify", options)
    with pytest.raises(LangnetError, match="nothing is kept that could be forgotten"):
        FinetuneOptions("scratch", forgetting=raw)
    with pytest.raises(LangnetError, match="several"):
        RawText("raw.txt")


def test_no_text(tmp_path, tiny_model, tiny_labelled):
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(LangnetError, match=r"there is no text in .*empty.txt"):
        finetune(tiny_model, ["a", "b"], ["x", "y"], FinetuneOptions(forgetting=RawText((tmp_path / "empty.txt",))))
    empty = TransferOptions(FinetuneOptions(forgetting=RawText((str(tmp_path / "empty.txt"),))))
    with pytest.raises(LangnetError, match="no text in"):
        transfer(tiny_model, "choose", TRAIN["choose"](tiny_labelled)[:4], empty)


def test_on_the_command_line(tmp_path, monkeypatch, capsys, tiny_model, tiny_labelled, raw):
    tiny_model.save(tmp_path / "lm")
    rows = [f'"{t}",{y}' for t, y in zip(tiny_labelled.texts[:8], tiny_labelled.labels[:8], strict=True)]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    stories = [{"premise": text, "choice1": "x", "choice2": "y", "label": 0} for text in tiny_labelled.texts[:6]]
    (tmp_path / "stories.jsonl").write_text("\n".join(map(json.dumps, stories)))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["langnet", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code, " ".join((said.out + said.err).split())

    more = ["--forgetting", raw.sources[0], "--documents", "paragraph"]
    line = r"bits per byte before and "
    code, said = run("finetune", "lm", "train.csv", "-o", "made", "--epochs", "1", *more)
    assert (code, said.count(line), "on 30 texts of" in said) == (0, 1, True)
    code, said = run("models", "made", "--card")
    assert (code, said.count(f"What was forgotten: {tiny_bits(tiny_model, raw)} {line}")) == (0, 1)
    code, said = run("finetune", "lm", "stories.jsonl", "--task", "choose", "-o", "other", "--method", "frozen", *more)
    assert (code, said.count(line), "(+0.000 [0.000, 0.000])" in said) == (0, 1, True)
    code, said = run("adapt", "lm", "train.csv", "-o", "adapted", "--steps", "1", *more)
    assert (code, said.count(line)) == (0, 1)
    code, said = run("finetune", "lm", "train.csv", "-o", "third", "--forgetting", "nowhere.txt")
    assert (code, "nowhere.txt" in said) == (2, True)


def tiny_bits(model, raw):
    return f"{evaluate_language_model(model, raw.sources, raw.corpus).model.bits_per_byte:.3f}"
