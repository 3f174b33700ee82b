"""Every objective on every family: trained, saved, loaded, transferred, gone on with; or refused in one line."""

import json
import sys
from dataclasses import fields, replace
from inspect import signature

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.cli.pretrain import OBJECTIVES as OBJECTIVE_HELP
from langnet.cli.pretrain import pretrain as pretrain_command
from langnet.encoders.registry import FAMILIES, find_family
from langnet.errors import LangnetError
from langnet.hub.exporters.table import export_model
from langnet.hub.folder import list_models
from langnet.recipes import pretrain as pretrain_recipe
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load
from langnet.recipes.objectives import OBJECTIVES, ObjectiveOptions, plan_objective
from langnet.recipes.pretrain import PretrainOptions, Run, adapt, pretrain
from langnet.tasks.examples import collate
from langnet.text.prepare import PrepareOptions
from langnet.training.checkpoint import write_checkpoint

REFUSED = {("elmo", "causal"), ("elmo", "causal+masked"), ("awd-lstm", "causal+masked")}
PAIRS = [(f, o) for f in ("gpt", "gpt-2018", "gpt-2", "awd-lstm", "elmo") for o in OBJECTIVES if (f, o) not in REFUSED]
SCORES = {
    "causal": {"bits_per_byte"},
    "bidirectional": {"bits_per_byte"},
    "masked": {"masked_loss"},
    "causal+masked": {"bits_per_byte", "masked_loss"},
    "denoising": {"reconstruction_loss"},
    "skip-thoughts": {"neighbour_loss"},
}
WRITES, HAS_LIKELIHOOD = {"causal", "causal+masked"}, {"causal", "causal+masked", "bidirectional"}


def options_for(family, objective, **more):
    words = PrepareOptions(tokenizer="words", vocabulary_size=40)  # a small softmax, so that many models are quick
    settings = {"context": 16, "steps": 2, "batch_tokens": 96, "document_vectors": False, "prepare": words}
    return PretrainOptions(family, "tiny", objective=objective, **{**settings, **more})


@pytest.mark.parametrize(("family", "objective"), PAIRS)
def test_contract(tmp_path, tiny_labelled, family, objective):
    texts, labels = tiny_labelled.texts[:40], tiny_labelled.labels[:40]
    made = pretrain(texts, options_for(family, objective), texts=True)
    assert made.facts["pretrain"]["objective"] == objective
    assert {name for names in SCORES.values() for name in names} & set(made.facts["validation"]) == SCORES[objective]
    model = load(made.save(tmp_path / "lm"))
    assert made.network.state_dict().keys() == {f"encoder.{name}" for name in made.encoder.state_dict()}  # no head left
    (listed,) = list_models(tmp_path)
    assert listed.task == OBJECTIVES[objective].task
    assert (listed.bits_per_byte is not None) == ("bits_per_byte" in SCORES[objective])
    before, after = (m.encoder(*_read(m, texts[:3])).layers for m in (made, model))
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert [layer.shape[-1] for layer in after] == list(model.encoder.layer_dims)
    _writes_and_scores_or_says_why_not(model, objective)
    classifier = finetune(model, texts, labels, FinetuneOptions("finetune", epochs=0.2, least_steps=1))
    classifier.save(tmp_path / "classifier")
    probabilities = load(tmp_path / "classifier").predict_proba(texts[:5])
    np.testing.assert_allclose(probabilities, classifier.predict_proba(texts[:5]), atol=1e-5)


def _read(model, texts):
    batch = collate(model.examples(texts), model.encoder.context, model.tokenizer.pad_id)
    return batch.ids, batch.mask


def _writes_and_scores_or_says_why_not(model, objective):
    if objective in HAS_LIKELIHOOD:
        assert np.isfinite(model.score_texts(["The film was superb."])[0].log_probability)
    else:
        with pytest.raises(LangnetError, match="gives texts no probabilities, so it cannot score text"):
            model.score_texts(["The film was superb."])
    if "masked" in objective:
        assert np.isfinite(model.pseudo_scores(["The film was superb."])[0].pseudo_log_probability)
    else:
        with pytest.raises(LangnetError, match="has not learned to guess hidden tokens"):
            model.pseudo_scores(["The film was superb."])
    if objective in WRITES:
        assert isinstance(model.generate("The film", tokens=3), str)
    else:
        with pytest.raises(LangnetError, match="cannot write text"):
            model.generate("The film")


def test_the_folder_of_each_says_what_it_learned(tmp_path, tiny_labelled):
    model = pretrain(tiny_labelled.texts[:40], options_for("gpt", "masked"), texts=True)
    model.save(tmp_path / "lm")
    assert "Guessing of hidden tokens from both sides over" in model.card
    assert "Masked loss of" in model.card
    assert "generate" not in model.card
    config = json.loads((tmp_path / "lm" / "config.json").read_text())
    assert config["task"] == {"name": "masked_language_model", "share": 0.15}
    assert config["encoder"]["causal"] is False
    with pytest.raises(LangnetError, match=r"not the next token|no architecture"):
        export_model(tmp_path / "lm", "transformers", tmp_path / "out")


@pytest.mark.parametrize(("family", "objective"), sorted(REFUSED))
def test_what_makes_no_sense_is_refused_before_the_corpus_is_read(family, objective):
    with pytest.raises(LangnetError, match=f"{family}.*take a? ?gpt"):
        pretrain(["no-such-file.txt"], options_for(family, objective))


def test_wrong_names_and_settings_are_told_before_the_corpus_is_read():
    with pytest.raises(LangnetError, match="no objective 'mlm'; choose one of causal, bidirectional, masked"):
        pretrain(["no-such-file.txt"], options_for("gpt", "mlm"))
    wrong = [("masked", {"mask_share": 2.0}), ("denoising", {"drop": 1.5}), ("skip-thoughts", {"sentence_tokens": 0})]
    for objective, settings in wrong:
        options = options_for("gpt", objective, objective_options=ObjectiveOptions(**settings))
        with pytest.raises(LangnetError, match=r"must be|at most 0"):
            pretrain(["no-such-file.txt"], options)


def test_the_familys_own_objective_is_the_default():
    for name in FAMILIES:
        own = plan_objective(find_family(name), None, ObjectiveOptions())
        assert plan_objective(find_family(name), own.objective, ObjectiveOptions()) == own
        assert own.task == find_family(name).recipe.objective


def test_the_help_lists_them():
    assert OBJECTIVE_HELP.startswith(", ".join(OBJECTIVES) + ";")


@pytest.mark.parametrize(
    ("family", "objective"),
    [("gpt", "causal+masked"), ("gpt", "denoising"), ("awd-lstm", "masked"), ("gpt-2018", "skip-thoughts")],
)
def test_a_resumed_run_ends_where_the_whole_does(tiny_labelled, tmp_path, monkeypatch, family, objective):
    class Stop(Exception):
        pass

    def stop_at_two(folder, network, optimizers, state, *rest):
        write_checkpoint(folder, network, optimizers, state, *rest)
        if state["step"] >= 2:
            raise Stop

    options, texts = options_for(family, objective, steps=4), tiny_labelled.texts[:40]
    whole = pretrain(texts, options, texts=True)
    loop_config = pretrain_recipe._loop_config
    monkeypatch.setattr("langnet.training.loop.write_checkpoint", stop_at_two)
    monkeypatch.setattr(pretrain_recipe, "_loop_config", lambda *a: replace(loop_config(*a), checkpoint_minutes=0.0))
    with pytest.raises(Stop):
        pretrain(texts, options, Run(tmp_path), texts=True)
    monkeypatch.undo()
    resumed = pretrain(texts, options, Run(tmp_path, resume=True), texts=True)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name
    assert resumed.facts["validation"] == whole.facts["validation"]


@pytest.mark.parametrize(
    "objective",
    [
        "masked",
        "denoising",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("bidirectional", "causal+masked", "skip-thoughts")),
    ],
)
def test_it_learns(tiny_labelled, objective):
    model = pretrain(tiny_labelled.texts[:200], options_for("gpt", objective, steps=40, batch_tokens=256), texts=True)
    name = f"validation_{min(SCORES[objective])}"
    losses = [record[name] for record in model.history if name in record]
    assert losses[-1] < 0.7 * losses[0]


def test_what_is_thrown_away_learns_too(tiny_labelled, monkeypatch):
    """The decoders' weights are in the optimiser."""
    seen = {}

    class Spy(pretrain_recipe.Trainer):
        def run(self, resume=False):
            decoders = dict(self.model.task.named_parameters())
            before = {name: parameter.detach().clone() for name, parameter in decoders.items()}
            result = super().run(resume)
            seen.update({name: not torch.equal(before[name], decoders[name]) for name in decoders})
            return result

    monkeypatch.setattr(pretrain_recipe, "Trainer", Spy)
    pretrain(tiny_labelled.texts[:40], options_for("gpt", "skip-thoughts"), texts=True)
    assert len(seen) == 10
    assert all(seen.values())


@pytest.mark.parametrize("objective", ["masked", "denoising"])
def test_adapting_goes_on_with_the_objective(tiny_labelled, objective):
    model = pretrain(tiny_labelled.texts[:40], options_for("gpt", objective), texts=True)
    options = PretrainOptions(steps=2, document_vectors=False)
    adapted = adapt(model, tiny_labelled.texts[40:80], options, texts=True)
    assert adapted.facts["pretrain"]["objective"] == objective
    assert SCORES[objective] <= set(adapted.facts["validation"])
    with pytest.raises(LangnetError, match=f"by the objective '{objective}', and goes on with it"):
        adapt(model, tiny_labelled.texts[:4], replace(options, objective="causal"), texts=True)


def test_no_next_token_is_learned_where_it_is_seen(tiny_labelled):
    model = pretrain(tiny_labelled.texts[:40], options_for("gpt", "masked"), texts=True)
    with pytest.raises(LangnetError, match="sees the next token; leave --auxiliary-lm out"):
        finetune(model, ["a", "b"], ["x", "y"], FinetuneOptions(auxiliary_lm=0.5))


def test_a_plain_model_has_no_mask(tiny_model):
    with pytest.raises(LangnetError, match="'causal', and goes on with it"):
        adapt(tiny_model, ["a text"], PretrainOptions(objective="masked"), texts=True)


def test_skip_thoughts_needs_neighbours():
    texts = [f"only one sentence number {i}" for i in range(30)]
    with pytest.raises(LangnetError, match="no document has two sentences"):
        pretrain(texts, options_for("gpt", "skip-thoughts"), texts=True)


def test_nothing_held_out(tiny_labelled):
    options = options_for("gpt", "masked", prepare=PrepareOptions("words", 40, validation_fraction=0.0))
    assert pretrain(tiny_labelled.texts[:40], options, texts=True).facts["validation"] == {}


def test_on_the_command_line(tmp_path, monkeypatch, capsys, tiny_labelled):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.txt").write_text("\n\n".join(tiny_labelled.texts[:60]), encoding="utf8")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["langnet", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code, said.out if stopped.value.code == 0 else said.err

    sizes = ("--size", "tiny", "--steps", "2", "--batch-tokens", "128", "--context", "16", "--no-document-vectors")
    code, said = run("pretrain", "raw.txt", "-o", "lm", "--documents", "paragraph", "--objective", "masked", *sizes)
    assert code == 0, said
    assert "masked loss" in said.splitlines()[-1]
    assert "nats a token" in said.splitlines()[-1]
    assert "masked_language" in run("models", ".")[1]
    assert "Pseudo-perplexity" in run("score", "lm", "raw.txt")[1]
    for verb in (("generate", "lm"), ("evaluate", "lm", "raw.txt")):
        code, said = run(*verb)
        assert code == 2
        assert "gives texts no probabilities" in said.splitlines()[-1]
    code, said = run("pretrain", "raw.txt", "-o", "no", "--encoder", "elmo", "--objective", "causal+masked", *sizes)
    assert (code, len(said.strip().splitlines())) == (2, 1)
    assert "take a gpt" in said


OPTION_FIELDS = {option for objective in OBJECTIVES.values() for option in objective.settings.values()}
FLAGS = {"mask_share": 0.3, "causal_share": 0.25, "drop": 0.2, "swap": 0.4, "sentence_tokens": 20}


def flag(name):
    return "--" + name.replace("_", "-")


def test_every_setting_is_an_option_of_the_command():
    assert {one.name for one in fields(ObjectiveOptions)} == OPTION_FIELDS == set(FLAGS)
    explained = {
        name: parameter.annotation.__metadata__[0].help
        for name, parameter in signature(pretrain_command, eval_str=True).parameters.items()
        if name in FLAGS
    }
    for name, said in explained.items():
        assert said.endswith(f"{getattr(ObjectiveOptions(), name):g} if unsaid.")
    assert explained.keys() == FLAGS.keys()


@pytest.mark.parametrize("objective", ["masked", "causal+masked", "denoising", "skip-thoughts"])
def test_what_is_set_on_the_command_line_is_what_the_task_has(tmp_path, tiny_labelled, answered, objective):
    raw, lm = tmp_path / "raw.txt", tmp_path / "lm"
    raw.write_text("\n\n".join(tiny_labelled.texts[:40]), encoding="utf8")
    settings = OBJECTIVES[objective].settings
    given = [part for option in settings.values() for part in (flag(option), FLAGS[option])]
    sizes = ("--size", "tiny", "--steps", 1, "--batch-tokens", 96, "--context", 16, "--no-document-vectors")
    answered("pretrain", raw, "-o", lm, "--documents", "paragraph", "--objective", objective, *given, *sizes)
    config = json.loads((lm / "config.json").read_text())["task"]
    assert config == {"name": OBJECTIVES[objective].task, **{key: FLAGS[option] for key, option in settings.items()}}


@pytest.mark.parametrize(
    ("objective", "name", "value", "message"),
    [
        ("masked", "mask_share", 1, "share of masked tokens must be above 0 and below 1, not 1"),
        ("masked", "mask_share", "nan", "share of masked tokens must be above 0 and below 1, not nan"),
        ("causal+masked", "mask_share", 0, "share of masked tokens must be above 0 and below 1, not 0"),
        ("causal+masked", "causal_share", 1, "share of causal batches must be from 0 to below 1, not 1"),
        ("denoising", "drop", -0.5, "share of dropped tokens must be from 0 to below 1, not -0.5"),
        ("denoising", "swap", 1.5, "share of swapped tokens must be from 0 to below 1, not 1.5"),
        ("skip-thoughts", "sentence_tokens", 1, "a sentence of at most 1 tokens holds nothing to predict"),
        ("masked", "causal_share", 0.5, "no setting of the objective 'masked'; leave it out, or take --objective"),
        ("skip-thoughts", "drop", 0.1, "'skip-thoughts'; leave it out, or take --objective denoising"),
        (None, "mask_share", 0.15, "'causal'; leave it out, or take --objective masked or causal+masked"),
        ("mlm", "mask_share", 0.2, "no objective 'mlm'; choose one of causal"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(tmp_path, answered, objective, name, value, message):
    (tmp_path / "raw.txt").write_text("The film was superb.", encoding="utf8")
    chosen = ("--objective", objective) if objective else ()
    arguments = ("-o", tmp_path / "lm", "--size", "tiny", "--steps", 1, *chosen, flag(name), value)
    said = answered("pretrain", tmp_path / "raw.txt", *arguments, code=2)
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["raw.txt"]
