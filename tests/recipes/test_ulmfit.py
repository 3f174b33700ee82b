"""The three stages in one call: their folders, their settings, going on where a run stopped, both directions."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import langnet
from langnet.cli import main
from langnet.errors import LangnetError
from langnet.recipes import ulmfit as recipe
from langnet.recipes.finetune import FinetuneOptions
from langnet.recipes.model import load
from langnet.recipes.ulmfit import STAGES, ULMFiTOptions, classifier_options, general_options, target_options
from langnet.text.prepare import PrepareOptions
from tests.conftest import sentences


def options(direction="forward", steps=40, epochs=12):
    vocabulary = PrepareOptions(vocabulary_size=300)
    return ULMFiTOptions(
        direction,
        replace(general_options(), size="tiny", steps=steps, batch_tokens=560, prepare=vocabulary),
        replace(target_options(), steps=6, batch_tokens=560, prepare=replace(vocabulary, new_vocabulary=True)),
        replace(classifier_options(), epochs=epochs),
    )


@pytest.fixture(scope="module")
def general(tmp_path_factory):
    path = tmp_path_factory.mktemp("general") / "raw.txt"
    path.write_text("\n".join(sentences(150, seed=1).texts * 2))
    return path


def trained(folder, general, n, how):
    train = sentences(n, seed=3)
    more = sentences(40, 5).texts
    return folder, langnet.ulmfit(train.texts, train.labels, folder, how, general=[general], unlabelled=more)


@pytest.fixture(scope="module")
def both(tmp_path_factory, general):
    return trained(tmp_path_factory.mktemp("both"), general, 48, options("both"))


@pytest.fixture(scope="module")
def hardly(tmp_path_factory, general):
    """Of whom nothing is asked but that they are there."""
    return trained(tmp_path_factory.mktemp("hardly"), general, 16, options("both", 2, 1))


def test_settings_are_the_papers():
    target, classifier = target_options(), classifier_options()
    for stage in (target, classifier):
        assert (stage.layer_decay, stage.betas) == (2.6, (0.7, 0.99))
        assert (stage.schedule.name, stage.schedule.warmup, stage.schedule.floor) == ("slanted-triangular", 0.1, 1 / 32)
    assert (target.learning_rate, classifier.learning_rate) == (4e-3, 3e-3)
    assert classifier.gradual_unfreezing
    assert (classifier.pooling, classifier.hidden, classifier.scalar_mix) == ("concat", 50, False)
    assert classifier.learned_tokens == FinetuneOptions().learned_tokens


@pytest.mark.slow
def test_every_stage_has_its_folder(both):
    folder, made = both
    for direction, model in zip(("forward", "backward"), made.models, strict=True):
        general, target, classifier = (load(folder / direction / stage) for stage in STAGES)
        assert {m.direction for m in (general, target, classifier, model)} == {direction}
        assert general.labels is None
        assert target.facts["adapted_from"]["pretrain"]["steps"] == 40
        overlap = target.facts["new_vocabulary"]
        assert 0 < overlap["matched"] <= overlap["entries"]
        assert "The vocabulary was learned anew" in target.card
        task = classifier.network.task
        assert (task.settings.pooling, task.settings.hidden) == ("concat", 50)
        assert classifier.network.layer_weights() is None
        assert not (folder / direction / "2-target.run" / "checkpoint").exists()


@pytest.mark.slow
def test_the_average_of_both_directions(both):
    folder, made = both
    test = sentences(60, seed=4)
    parts = [load(folder / d / "3-classifier").predict_proba(test.texts) for d in ("forward", "backward")]
    np.testing.assert_allclose(made.predict_proba(test.texts), sum(parts) / 2, atol=5e-3)
    assert np.mean(np.array(made.predict(test.texts)) == np.array(test.labels)) > 0.8


@pytest.mark.slow
def test_a_second_run_takes_what_is_there(both, general, monkeypatch):
    folder, made = both
    train, more = sentences(48, seed=3), sentences(40, 5).texts
    for name in ("pretrain", "adapt", "finetune"):
        monkeypatch.setattr(recipe, name, lambda *args, **named: pytest.fail("made again"))
    again = recipe.ulmfit(train.texts, train.labels, folder, options("both"), general=[general], unlabelled=more)
    np.testing.assert_allclose(again.predict_proba(more[:5]), made.predict_proba(more[:5]), atol=5e-3)
    with pytest.raises(LangnetError, match=r"forward/1-general was begun with other settings or texts"):
        recipe.ulmfit(train.texts, train.labels, folder, options("both", 41), general=[general], unlabelled=more)
    with pytest.raises(LangnetError, match=r"forward/2-target was begun with other settings or texts"):
        recipe.ulmfit(train.texts, train.labels, folder, options("both"), general=[general])


@pytest.mark.slow
def test_an_interrupted_run_goes_on(tmp_path, both, general, monkeypatch):
    """Stage 2 is broken off after its first stage is kept; the next run makes only what is missing."""
    _, made = both
    train, more = sentences(48, seed=3), sentences(40, 5).texts
    kept = {"general": [general], "unlabelled": more}

    def stop(*args, **named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(recipe, "adapt", stop)
        with pytest.raises(KeyboardInterrupt):
            recipe.ulmfit(train.texts, train.labels, tmp_path, options(), **kept)
    assert [stage for stage in STAGES if (tmp_path / "forward" / stage).exists()] == ["1-general"]
    monkeypatch.setattr(recipe, "pretrain", lambda *args, **named: pytest.fail("made again"))
    found = recipe.ulmfit(train.texts, train.labels, tmp_path, options(), **kept)
    expected = made.models[0].predict_proba(more[:5])
    np.testing.assert_allclose(found.predict_proba(more[:5]), expected, atol=5e-3)


def test_a_pretrained_model_takes_the_first_stage(tmp_path, hardly):
    folder, _ = hardly
    train = sentences(16, seed=3)
    base = folder / "forward" / "1-general"
    made = recipe.ulmfit(train.texts, train.labels, tmp_path / "a", options(epochs=1), pretrained=[base])
    assert not (tmp_path / "a" / "forward" / "1-general").exists()
    assert made.models[0].facts["adapted_from"]["pretrain"]["steps"] == 2
    for wrong, choice, message in (
        ([base], "both", "no pretrained model reads backward: forward is what there is"),
        ([base, base], "forward", "two pretrained models read forward"),
        ([base, folder / "backward" / "1-general"], "forward", "reads backward, which is not asked for"),
        ([folder / "forward" / "3-classifier"], "forward", "the pretrained model is a classifier"),
    ):
        with pytest.raises(LangnetError, match=message):
            recipe.ulmfit(train.texts, train.labels, tmp_path / "b", options(choice), pretrained=wrong)
    with pytest.raises(LangnetError, match="give general text for the first stage, or a pretrained"):
        recipe.ulmfit(train.texts, train.labels, tmp_path / "b", options())
    with pytest.raises(LangnetError, match="there is no direction 'up'"):
        ULMFiTOptions("up")


def test_the_command(tmp_path, hardly, monkeypatch, capsys):
    folder, _ = hardly
    train = sentences(24, seed=3)
    rows = [json.dumps({"text": t, "label": y}) for t, y in zip(train.texts, train.labels, strict=True)]
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    monkeypatch.chdir(tmp_path)
    arguments = ["ulmfit", "train.jsonl", "--output", "mine", "--adapt-minutes", "0.001", "--epochs", "1"]
    models = ["--model", str(folder / "forward/1-general"), "--model", str(folder / "backward/1-general")]
    monkeypatch.setattr(sys, "argv", ["langnet", *arguments, *models, "--direction", "both", "--new-vocabulary"])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert stopped.value.code == 0, said.err
    assert "mine/backward/3-classifier: a classifier of 2 classes" in said.out
    assert "langnet evaluate mine/forward/3-classifier test.csv --with mine/backward/3-classifier" in said.out
    assert load(tmp_path / "mine" / "backward" / "3-classifier").direction == "backward"
