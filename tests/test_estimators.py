"""The scikit-learn grammar on texts: kinds of input and labels, settings, errors, company in pipelines and searches."""

import copy
import pickle
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from langnet.errors import LangnetError
from langnet.estimators import TextClassifier, TextFeatures
from langnet.recipes.finetune import FinetuneOptions
from langnet.recipes.raw_text import RawText
from langnet.transfer.schedule import ScheduleConfig


@pytest.fixture
def data(tiny_labelled):
    return tiny_labelled.texts[:60], np.array([3 if label == "pos" else -1 for label in tiny_labelled.labels[:60]])


@pytest.fixture
def quick(tiny_model):
    """A classifier that fits in a blink and learns nothing, for what has nothing to do with accuracy."""
    return TextClassifier(tiny_model, "scratch", epochs=0.2)


@pytest.fixture(scope="module")
def fitted(tiny_model, tiny_labelled):
    return TextClassifier(tiny_model, "frozen").fit(tiny_labelled.texts[:60], tiny_labelled.labels[:60])


def itself(texts):
    return texts


class TestLabels:
    def test_keep_their_type(self, tiny_model, data):
        classifier = TextClassifier(tiny_model, "frozen").fit(*data)
        assert classifier.classes_.tolist() == [-1, 3]
        assert classifier.predict(data[0]).dtype == data[1].dtype
        assert classifier.score(*data) > 0.9
        assert (classifier.classes_[classifier.predict_proba(data[0]).argmax(1)] == classifier.predict(data[0])).all()

    @pytest.mark.parametrize(
        "names",
        [[True, False], [2, 10, 1], [2.0, 1.0], ["b", "a", "ç"], ["10", "9", "2"]],
        ids=["bool", "int", "float", "str", "digits"],
    )
    def test_of_any_type_that_sorts(self, quick, tiny_labelled, names):
        y = np.array([names[i % len(names)] for i in range(12)])
        quick.fit(tiny_labelled.texts[:12], y)
        assert quick.classes_.tolist() == sorted(names)
        predicted = quick.predict(tiny_labelled.texts[:12])
        assert predicted.dtype == quick.classes_.dtype
        assert set(predicted) <= set(names)

    def test_columns_of_probabilities_follow_the_classes(self, tiny_model, tiny_labelled):
        # 9 sorts before 10 as a number and after it as a string.
        y = np.array([9 if label == "pos" else 10 for label in tiny_labelled.labels[:60]])
        classifier = TextClassifier(tiny_model, "frozen").fit(tiny_labelled.texts[:60], y)
        assert classifier.predict_proba(["The film was wonderful. The hero was superb."])[0, 0] > 0.5

    def test_wrong_ones_are_told(self, quick):
        texts = ["one", "two", "three"]
        for y, told in [
            (["a", "a", "a"], "y has 1 class, .*'a'"),
            (["a", "b"], "got 2 labels for 3 texts"),
            (["a", None, "b"], "label 1 of y is missing"),
            ([1.0, float("nan"), 2.0], "label 1 of y is missing"),
            (np.array(["a", 1, "b"], dtype=object), "mixes strings with other labels"),
            ([0.5, 1.5, 2.5], "Unknown label type"),
            ([[0, 1], [1, 0], [1, 1]], "1d array"),
            (None, "requires y"),
        ]:
            with pytest.raises(ValueError, match=told):
                quick.fit(texts, y)


class TestTexts:
    def test_come_in_any_container(self, fitted, tiny_labelled):
        texts = tiny_labelled.texts[:20]
        expected = fitted.predict_proba(texts)
        frame = pd.DataFrame({"text": texts}, index=range(100, 120))
        for held in (
            tuple(texts), np.array(texts), np.array(texts, dtype=object), np.array(texts)[:, None],
            frame["text"], frame, frame["text"].astype("string"),
        ):  # fmt: skip
            assert (fitted.predict_proba(held) == expected).all()

    def test_a_fit_on_a_series_is_the_fit_on_its_list(self, quick, tiny_labelled):
        texts, y = tiny_labelled.texts[:20], tiny_labelled.labels[:20]
        frame = pd.DataFrame({"text": texts, "label": y}, index=np.arange(20)[::-1])
        from_series = clone(quick).fit(frame["text"], frame["label"])
        assert (from_series.predict_proba(texts) == quick.fit(texts, y).predict_proba(texts)).all()

    def test_neither_order_nor_company_matter(self, fitted, tiny_labelled):
        texts = [*tiny_labelled.texts[:30], "", "a", "The film was wonderful. " * 60]
        together = fitted.predict_proba(texts)
        assert fitted.predict_proba(texts[::-1])[::-1] == pytest.approx(together, abs=1e-5)
        assert np.vstack([fitted.predict_proba([text]) for text in texts]) == pytest.approx(together, abs=1e-5)

    def test_wrong_ones_are_told(self, quick, fitted):
        for X, told in [
            ("text", "got one string"),
            (["text", 3], "item 1 is int"),
            (["text", None], "item 1 is NoneType"),
            ([b"text", b"more"], "item 0 is bytes"),
            ([], "one or more texts"),
            ([["a", "b"], ["c", "d"]], "shape"),
        ]:
            with pytest.raises(ValueError, match=told):
                quick.fit(X, ["a", "b"])
            with pytest.raises(ValueError, match=told):
                fitted.predict(X)


class TestSettings:
    def test_every_option_of_the_recipe_is_one(self):
        options, settings = FinetuneOptions(), TextClassifier().get_params()
        # A classifier's head reads means of the states, of which no more are kept.
        for field in (f for f in fields(FinetuneOptions) if f.name != "cached_megabytes"):
            name = {"seed": "random_state"}.get(field.name, field.name)
            expected = None if name in ("schedule", "pseudo_labels") else getattr(options, field.name)
            assert settings[name] == expected, name

    def test_all_reach_the_recipe(self):
        changed = {
            "epochs": 2, "least_steps": 7, "batch_size": 3, "learning_rate": 1e-4, "layer_decay": 2.6,
            "schedule": ScheduleConfig("cosine"), "gradual_unfreezing": True, "auxiliary_lm": 0.5, "head_first": False,
            "document_features": False, "pooling": "concat", "dropout": 0.3, "max_tokens": 99,
            "validation_fraction": 0.1, "random_state": 7, "precision": "no", "device": "cpu", "method": "scratch",
        }  # fmt: skip
        reached = TextClassifier(**changed)._options()
        for name, value in changed.items():
            assert getattr(reached, {"random_state": "seed"}.get(name, name)) == value
        assert TextClassifier(layers=1)._options().layers == 1
        more = {"adapters": 3, "seeds": 2, "forgetting": RawText(("held-out.txt",))}
        reached = TextClassifier(**more)._options()
        assert {name: getattr(reached, name) for name in more} == more

    def test_clone_keeps_every_one(self):
        classifier = TextClassifier("some-lm", "frozen", epochs=3, random_state=7)
        assert clone(classifier).get_params() == classifier.get_params()

    def test_fit_changes_none_and_returns_itself(self, quick, data):
        before = {name: id(value) for name, value in quick.get_params().items()}
        assert quick.fit(*data) is quick
        assert {name: id(value) for name, value in quick.get_params().items()} == before

    def test_the_language_model_stays_as_it_is(self, tiny_model, data):
        before = copy.deepcopy(tiny_model.encoder.state_dict())
        TextClassifier(tiny_model, least_steps=3).fit(*data)
        after = tiny_model.encoder.state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert tiny_model.labels is None

    def test_same_seed_same_classifier(self, quick, data):
        def fit(seed):
            return clone(quick).set_params(random_state=seed).fit(*data).predict_proba(data[0])

        assert (fit(1) == fit(1)).all()
        assert (fit(1) != fit(2)).any()
        assert (fit(np.random.RandomState(1)) == fit(np.random.RandomState(1))).all()

    def test_validation_chooses_a_step(self, quick, data):
        fitted = quick.set_params(validation_fraction=0.3, epochs=2).fit(*data)
        assert any("validation_loss" in record for record in fitted.model_.history)

    def test_verbose_shows_progress(self, quick, data, capfd):
        quick.set_params(verbose=True, validation_fraction=0.3).fit(*data)
        shown = capfd.readouterr()
        assert "fine-tune" in shown.err + shown.out


class TestCompany:
    def test_pipelines_and_searches(self, tiny_model, data):
        pipeline = make_pipeline(FunctionTransformer(itself), TextClassifier(tiny_model, "frozen"))
        assert cross_val_score(pipeline, *data, cv=2).mean() > 0.7
        grid = {"method": ["frozen", "scratch"]}
        search = GridSearchCV(TextClassifier(tiny_model, epochs=1), grid, cv=2).fit(*data)
        assert search.best_params_ == {"method": "frozen"}

    @pytest.mark.slow
    def test_several_processes(self, tiny_model, data, tmp_path):
        folder = tiny_model.save(tmp_path / "lm")
        grid = {"learning_rate": [1e-4, 1e-3]}
        search = GridSearchCV(TextClassifier(folder, "scratch", epochs=0.2, seeds=1), grid, cv=2, n_jobs=2).fit(*data)
        alone = GridSearchCV(TextClassifier(tiny_model, "scratch", epochs=0.2), grid, cv=2).fit(*data)
        assert search.cv_results_["mean_test_score"] == pytest.approx(alone.cv_results_["mean_test_score"])

    def test_calibration(self, quick, data):
        calibrated = CalibratedClassifierCV(quick, cv=2, ensemble=False).fit(*data)
        assert calibrated.predict_proba(data[0]).sum(1) == pytest.approx(np.ones(60))

    def test_pickle_of_a_fitted_one(self, fitted, data):
        again = pickle.loads(pickle.dumps(fitted))
        assert (again.predict_proba(data[0]) == fitted.predict_proba(data[0])).all()

    def test_its_model_is_a_folder(self, fitted, data, tmp_path):
        from langnet.recipes.model import load

        kept = load(fitted.model_.save(tmp_path / "classifier"))
        assert kept.labels == ["neg", "pos"]
        assert kept.facts["finetune"]["training_texts"]["labels"].keys() == {"neg", "pos"}
        # Document vectors are stored in half precision.
        assert kept.predict_proba(data[0]) == pytest.approx(fitted.predict_proba(data[0]), abs=5e-3)


class TestModels:
    def test_none_or_not_there(self, tmp_path):
        with pytest.raises(ValueError, match="TextClassifier needs a language model"):
            TextClassifier().fit(["a", "b"], ["a", "b"])
        with pytest.raises(ValueError, match="TextFeatures needs a language model"):
            TextFeatures().fit(["a", "b"])
        with pytest.raises(LangnetError, match="there is no model 'gone'"):
            TextClassifier(model="gone").fit(["a", "b"], ["a", "b"])
        with pytest.raises(LangnetError, match="is a folder but no model"):
            TextClassifier(model=tmp_path).fit(["a", "b"], ["a", "b"])

    def test_before_fit(self, tiny_model):
        with pytest.raises(NotFittedError):
            TextClassifier(tiny_model).predict(["text"])
        with pytest.raises(NotFittedError):
            TextFeatures(tiny_model).transform(["text"])


class TestTextFeatures:
    def test_what_the_columns_hold(self, tiny_model, tiny_labelled):
        texts = tiny_labelled.texts[:10]
        features = TextFeatures(tiny_model, layers=[0, 2]).fit(texts)
        space, dim = tiny_model.document_vectors.dim, tiny_model.encoder.dim
        got = features.transform(texts)
        assert got.shape == (10, space + 2 * dim)
        names = features.get_feature_names_out()
        assert len(names) == got.shape[1]
        assert [names[0], names[space], names[-1]] == ["document0", "layer0_0", f"layer2_{dim - 1}"]
        # Recomputed for one text: the mean over positions of the normalised top states, and the document's vector.
        example = tiny_model.examples(texts[:1])[0]
        with torch.no_grad():
            top = tiny_model.encoder(torch.from_numpy(example.ids)[None]).top[0].double()
        states = (top - top.mean(1, keepdim=True)) / (top.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        assert got[0, -dim:] == pytest.approx(states.mean(0).numpy(), abs=1e-4)
        assert got[0, :space] == pytest.approx(example.features)

    def test_which_layers(self, tiny_model, tiny_labelled):
        texts = tiny_labelled.texts[:5]
        space, dim = tiny_model.document_vectors.dim, tiny_model.encoder.dim
        for layers, width in (("none", space), ("top", space + dim), ("all", space + 3 * dim)):
            assert TextFeatures(tiny_model, layers=layers).fit_transform(texts).shape == (5, width)
        assert TextFeatures(tiny_model, layers="top", document_vectors=False).fit_transform(texts).shape == (5, dim)

    def test_wrong_ones_are_told(self, tiny_model):
        for settings, told in [
            ({"layers": [3]}, r"no layer 3: this model has 0 \(embeddings\) to 2"),
            ({"layers": "last"}, "layers is 'last'"),
            ({"layers": "none", "document_vectors": False}, "leaves no features"),
        ]:
            with pytest.raises(LangnetError, match=told):
                TextFeatures(tiny_model, **settings).fit(["text"]).transform(["text"])

    def test_serve_any_estimator(self, tiny_model, data):
        pipeline = make_pipeline(TextFeatures(tiny_model), StandardScaler(), LogisticRegression(C=0.1))
        assert cross_val_score(pipeline, *data, cv=3).mean() > 0.9
        search = GridSearchCV(pipeline, {"textfeatures__layers": ["none", "all"]}, cv=2).fit(*data)
        assert search.best_score_ > 0.9
