"""A study computes what was planned, once; its results are those of the methods themselves."""

from dataclasses import replace

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.evaluate.baselines import TfidfBaseline
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.frozen_draws import FrozenDraws
from langnet.study import sample_efficiency
from langnet.study.methods import KINDS
from langnet.study.pace import Pace
from langnet.study.sample_efficiency import CELLS, SampleEfficiencyOptions, plan, study_sample_efficiency, usable_sizes
from langnet.text.labelled import LabelledData


def test_every_method_at_its_sizes_and_draws(study):
    found = {(p.method, p.n_labels): p.n_draws for p in study.points}
    quick = {(method, n): 2 for method in KINDS if not KINDS[method].slow for n in (10, 20, 40)}
    assert found == {**quick, ("scratch", 20): 1, ("finetune", 20): 1}
    assert all(p.n_test == 60 for p in study.points)
    assert study.left_out == []


def test_it_learns_and_orders_methods_as_expected(study):
    assert study.point("tfidf", 40).accuracy > 0.8
    assert study.point("frozen", 40).accuracy > 0.8
    assert study.point("majority", 40).accuracy < 0.65


def test_a_cell_is_what_the_method_itself_gives(study, parts, quick_options):
    train, test = parts
    test = test.subset(60, 0)
    (cell,) = [c for c in study.cells if c.key == ("tfidf", 20, 1)]
    draw = train.subset(20, 1)
    expected = TfidfBaseline().fit_predict(draw.texts, draw.labels, test.texts).labels
    assert [study.class_names[i] for i in cell.predicted] == expected
    assert study.gold.tolist() == [study.class_names.index(label) for label in test.labels]


def test_frozen_draws_give_what_the_recipe_gives(tiny_model, parts):
    train, test = parts
    draws = FrozenDraws(tiny_model, max_tokens=64)
    for seed in (0, 1):
        draw = train.subset(30, seed)
        ours, facts = draws.fit_predict(draw.texts, draw.labels, test.texts, seed)
        options = FinetuneOptions("frozen", max_tokens=64, seed=seed)
        theirs = finetune(tiny_model, draw.texts, draw.labels, options)
        np.testing.assert_allclose(ours.probabilities, theirs.predict_proba(test.texts), atol=1e-4)
        np.testing.assert_allclose(facts["layer_weights"], theirs.facts["finetune"]["layer_weights"], atol=1e-6)


def test_an_interrupted_study_computes_only_what_is_missing(tmp_path, tiny_model, parts, monkeypatch):
    train, test = parts
    options = SampleEfficiencyOptions(sizes=(10, 20), draws=2, methods=("majority", "tfidf"))
    computed = []
    real = sample_efficiency._Study._compute

    def counted(self, cell, *rest):
        if len(computed) == 3:
            raise KeyboardInterrupt
        computed.append((cell.method, cell.n_labels, cell.draw))
        return real(self, cell, *rest)

    monkeypatch.setattr(sample_efficiency._Study, "_compute", counted)
    with pytest.raises(KeyboardInterrupt):
        study_sample_efficiency(tiny_model, [], train, test, options, folder=tmp_path)
    assert len((tmp_path / CELLS).read_text().splitlines()) == 3
    monkeypatch.setattr(sample_efficiency._Study, "_compute", real)
    whole = study_sample_efficiency(tiny_model, [], train, test, options, folder=tmp_path)
    assert len(whole.cells) == 8
    assert len((tmp_path / CELLS).read_text().splitlines()) == 8, "something was computed twice"
    fresh = study_sample_efficiency(tiny_model, [], train, test, options)
    assert [(c.key, c.predicted) for c in fresh.cells] == [(c.key, c.predicted) for c in whole.cells]


def test_other_settings_are_computed_anew(tmp_path, tiny_model, parts):
    train, test = parts
    options = SampleEfficiencyOptions(sizes=(10,), draws=1, methods=("tfidf",))
    for changed in (options, options, replace(options, seed=1), replace(options, n_test=30)):
        study_sample_efficiency(tiny_model, [], train, test, changed, folder=tmp_path)
    assert len((tmp_path / CELLS).read_text().splitlines()) == 3


def test_without_time_cells_are_left_out_and_said(tiny_model, parts):
    train, test = parts
    options = SampleEfficiencyOptions(sizes=(10, 20), draws=2, methods=("majority", "tfidf"))
    found = study_sample_efficiency(tiny_model, [], train, test, options, seconds=0.0)
    assert [cell.key for cell in found.cells] == [("majority", 20, 0), ("tfidf", 20, 0)]
    assert len(found.left_out) == 6
    assert any("left out for lack of time" in warning for warning in found.warnings)


def test_pace():
    pace = Pace(100.0)
    assert pace.fits(80)
    assert not pace.fits(99)
    assert pace.expected("a", 10, 7.0) == 7.0
    pace.measured("a", 10, 2.0)
    assert pace.expected("a", 5, 7.0) == 2.0
    assert 4.0 < pace.expected("a", 20, 7.0) < 5.0
    assert Pace(None).fits(1e9)


def test_slow_methods_come_in_rounds_and_word_vectors_after_the_first():
    options = SampleEfficiencyOptions(sizes=(10, 20), draws=2, further_sizes=(40,), slow_sizes=(20,))
    cells = plan(options)
    assert len(set(cells)) == len(cells)
    keys = [cell.method for cell in cells]
    assert keys.index("finetune") < keys.index("scratch")
    assert keys.index("scratch") < keys.index("word2vec") < len(keys) - 1 - keys[::-1].index("scratch")
    assert set(keys[-2:]) == {"word2vec"}
    assert [cell.draw for cell in cells if cell.method == "scratch"] == [0, 1]


def test_all_methods_have_a_draw_before_the_quick_ones_have_all_of_theirs():
    cells = plan(SampleEfficiencyOptions(sizes=(50, 100), draws=5))
    places = {(cell.method, cell.n_labels, cell.draw): place for place, cell in enumerate(cells)}
    assert len(places) == len(cells) == 5 * 2 * len(KINDS)
    assert places["tfidf", 50, 2] < places["finetune", 100, 0] < places["tfidf", 100, 3] < places["finetune", 100, 1]
    assert [cell.n_labels for cell in cells if cell.method == "svd"][:2] == [100, 50]


def test_sizes_that_do_not_fit():
    data = LabelledData(list("abcdef"), list("xxyyzz"))
    assert usable_sizes(data, SampleEfficiencyOptions(sizes=(2, 3, 6, 50))).sizes == (3, 6)
    with pytest.raises(LangnetError, match="none of the sizes 50, 100 fits: there are 6 labelled texts of 3 classes"):
        usable_sizes(data, SampleEfficiencyOptions(sizes=(50, 100)))
    with pytest.raises(LangnetError, match="two or more classes, not 1"):
        usable_sizes(LabelledData(["a"], ["x"]), SampleEfficiencyOptions())
    with pytest.raises(LangnetError, match="there is no method 'bert'"):
        study_sample_efficiency(None, [], data, data, SampleEfficiencyOptions(sizes=(3,), methods=("bert",)))


def test_warnings_where_transfer_does_not_win(study):
    losing = [d for d in study.comparisons if d.beyond_doubt < 1]
    assert losing, "on these texts TF-IDF is hard to beat"
    text = " ".join(study.warnings)
    assert "does not beat" in text or "is worse than" in text
    assert "rest on 1 or 2 draws" in text


def test_test_texts_among_training_texts_are_counted(tiny_model, parts):
    train, test = parts
    mixed = LabelledData([*test.texts[:5], "new text"], [*test.labels[:5], "pos"])
    pool = LabelledData([*train.texts, *test.texts[:2]], [*train.labels, *test.labels[:2]])
    options = SampleEfficiencyOptions(sizes=(10,), draws=1, methods=("majority",))
    found = study_sample_efficiency(tiny_model, [], pool, mixed, options)
    assert 2 <= found.n_overlap < 6
    assert found.n_in_raw == 0
    assert any("also occur" in warning for warning in found.warnings)
    found = study_sample_efficiency(tiny_model, mixed.texts, pool, mixed, options)
    assert found.n_in_raw == 6
    assert any("are also in the raw text" in warning for warning in found.warnings)
