"""Translation: files, scores equal to sacreBLEU's, a rule that is learned, the estimator, the command line."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sacrebleu
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from langnet import Translator
from langnet.encoders.vectors import vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError, LangnetWarning
from langnet.evaluate.translation_scores import signatures, translation_scores, translation_statistics
from langnet.evaluate.word_translation import WordTranslator
from langnet.recipes.alignments import alignments
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.translate import Translating
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer
from langnet.tasks.examples import in_order
from langnet.text.translations import Translation, read_translations, write_translations

PLACES = [("cat", "Katze"), ("dog", "Hund"), ("house", "Haus"), ("tree", "Baum")]
VERBS = [("sees", "sieht"), ("likes", "mag"), ("finds", "findet")]


def pairs(n, seed):
    """the dog sees the cat: HUND SIEHT KATZE, the object first where it is a tree."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        (a, x), (b, y) = (PLACES[i] for i in generator.choice(4, size=2))
        verb, v = VERBS[generator.choice(3)]
        first, last = (y, x) if b == "tree" else (x, y)
        found.append(Translation(f"the {a} {verb} the {b} now .", f"{first} {v} {last} jetzt ."))
    return found


VOCABULARY = ["the", "a", "cat", "sat", "on", ",", ".", "Größe", "狗", "it's"]
words = st.lists(st.sampled_from(VOCABULARY), max_size=9).map(" ".join)


class TestScores:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(words, words), min_size=1, max_size=5))
    def test_equal_to_sacrebleu(self, drawn):
        texts, references = ([pair[side] for pair in drawn] for side in (0, 1))
        found = translation_scores(translation_statistics(texts, references).sum(0))
        assert found["BLEU"] == pytest.approx(sacrebleu.corpus_bleu(texts, [references]).score, abs=1e-6)
        assert found["chrF"] == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score, abs=1e-6)

    def test_many_sums_at_once(self):
        table = translation_statistics(["a b c d", "x"], ["a b c d", "y z"])
        both = translation_scores(np.stack([table[0], table[1], table.sum(0)]))
        assert both["BLEU"].shape == (3,)
        assert both["BLEU"][0] == pytest.approx(100)
        assert both["BLEU"][1] == 0

    def test_signatures(self):
        assert [line.split(":")[0] for line in signatures()] == ["BLEU", "chrF2"]


class TestWords:
    def test_a_lexicon_is_found(self):
        data = pairs(200, 0)
        lexicon = WordTranslator([one.text for one in data], [one.target for one in data])
        for word, other in [*PLACES, *VERBS]:
            assert lexicon.best[word] == other.casefold()
        assert lexicon.translate("dog zebra").endswith("zebra")

    def test_nothing(self):
        assert WordTranslator([], []).translate("as it is") == "as it is"
        assert WordTranslator([""], [""]).translate("") == ""


class TestFiles:
    def test_two_files(self, tmp_path):
        (tmp_path / "a.en").write_text("one\ntwo  words\n")
        with gzip.open(tmp_path / "a.de.gz", "wt") as file:
            file.write("eins\nzwei Wörter\n")
        found = read_translations([f"{tmp_path}/a.en+{tmp_path}/a.de.gz"])
        assert [(one.text, one.target) for one in found] == [("one", "eins"), ("two  words", "zwei Wörter")]
        assert found[1].source.endswith("a.en:2")
        assert write_translations(found, ["x\ny", "z"]) == "x y\nz\n"

    def test_tables(self, tmp_path):
        (tmp_path / "a.tsv").write_text("en\tde\none\teins\n")
        (one,) = read_translations([tmp_path / "a.tsv"], "en", "de")
        assert (one.text, one.target) == ("one", "eins")
        (tmp_path / "a.jsonl").write_text('{"source": "one", "target": "eins"}\n')
        (one,) = read_translations([tmp_path / "a.jsonl"])
        assert json.loads(write_translations([one], ["uno"])) == {"source": "one", "target": "eins", "predicted": "uno"}
        assert write_translations([one], ["uno"], ".csv") == "source,target,predicted\none,eins,uno\n"
        assert write_translations([one], ["uno"], ".de") == "uno\n"
        (tmp_path / "b.jsonl").write_text('{"source": "one", "target": "eins", "predicted": "ein"}\n')
        (again,) = read_translations([tmp_path / "b.jsonl"])
        assert json.loads(write_translations([again], ["uno"]))["predicted"] == "ein", "nothing of a row is lost"
        kind = Translating()
        kind.check_output([one], ".csv")
        with pytest.raises(LangnetError, match=r"and not into \.csv"):
            kind.check_output([Translation("one", None)], ".csv")
        (one,) = read_translations([tmp_path / "a.jsonl"], labelled=False)
        assert one.target is None

    def test_sentences_by_language(self, tmp_path):
        (tmp_path / "a.json").write_text('{"translation": {"en": "one", "yor": "ọ̀kan", "hau": "daya"}}\n')
        for names, expected in (
            ((None, None), ("one", "ọ̀kan")),
            (("yor", "en"), ("ọ̀kan", "one")),
            ((None, "en"), ("ọ̀kan", "one")),
            (("hau", None), ("daya", "one")),
        ):
            (found,) = read_translations([tmp_path / "a.json"], *names)
            assert (found.text, found.target) == expected
        with pytest.raises(LangnetError, match=r"a.json, line 1: of the languages of 'translation', 'ibo' is missing"):
            read_translations([tmp_path / "a.json"], "en", "ibo")
        (tmp_path / "b.json").write_text('{"translation": {"en": "one"}}\n')
        with pytest.raises(LangnetError, match=r"b.json, line 1: .*a second one is missing"):
            read_translations([tmp_path / "b.json"])
        (alone,) = read_translations([tmp_path / "b.json"], labelled=False)
        assert json.loads(write_translations([alone], ["ọ̀kan"])) == {"translation": {"en": "one"}, "predicted": "ọ̀kan"}

    def test_mistakes(self, tmp_path):
        (tmp_path / "a.en").write_text("one\ntwo\n")
        (tmp_path / "a.de").write_text("eins\n")
        (tmp_path / "a.csv").write_text("source,other\na,b\n")
        (tmp_path / "b.en").write_bytes(bytes(range(256)))
        for source, told in (
            (f"{tmp_path}/a.en+{tmp_path}/a.de", "a.de has 1 lines and"),
            (f"{tmp_path}/a.en+{tmp_path}/b.de", "there is no file"),
            (f"{tmp_path}/a.en+{tmp_path}/b.en", "b.en is no plain text"),
            (f"{tmp_path}/a.en", "has no translations: name the two files"),
            (f"{tmp_path}/a.csv", "there is no column 'target'"),
        ):
            with pytest.raises(LangnetError, match=told):
                read_translations([source])
        (tmp_path / "a.conllu").write_text("1\tone\t_\n")
        with pytest.raises(LangnetError, match=r"a\.conllu holds words or trees, no sentence a line"):
            read_translations([tmp_path / "a.conllu"], labelled=False)


SMALL = {"hidden": 16, "width": 16, "decoder_hidden": 32, "vocabulary_size": 300, "beam": 3}


LEARNED = {**SMALL, "smoothing": 0.0, "decoder_hidden": 64, "width": 32}


@pytest.mark.parametrize("form", ["attention", "sequence"])
def test_nothing_is_translated_into_nothing_and_not_learned_from(tiny_model, form):
    settings = {**SMALL, "hidden": 8} if form == "attention" else {"beam": 2}
    how = TransferOptions(
        FinetuneOptions("finetune", epochs=1, least_steps=1, seeds=1),
        HeadOptions(0.0, settings={**settings, "form": form}),
        head_epochs=1,
    )
    gaps = [Translation("", "nichts", "a.en:1"), Translation("something", " ", "a.en:2")]
    with pytest.warns(LangnetWarning, match=r"2 of 12 pairs have an empty side, a.en:1 first, and are not learned"):
        model = transfer(tiny_model, Translating(), [*gaps, *pairs(10, 0)], how)
    said = [guess.text for guess in model.guess([Translation(text) for text in ("the dog", "", "the cat sees")])]
    assert said[1] == ""
    with pytest.raises(LangnetError, match=r"2 of 2 pairs have an empty side, a.en:1 first; there is nothing to learn"):
        transfer(tiny_model, Translating(), gaps, how)


def test_sentences_are_cleaned_as_those_of_files(tmp_path):
    """Blanks alone were translated into something, and an accent of its own was another letter."""
    given = [" cafe\u0301 ", "  ", "\ufeffone"]
    (tmp_path / "a.en").write_text("".join(f"{text}\n" for text in given), encoding="utf8")
    read = [item.text for item in read_translations([tmp_path / "a.en"], labelled=False)]
    assert [item.text for item in Translator()._items(given)] == read == ["caf\u00e9", "", "one"]


def test_a_rule_is_learned():
    kind, train, test = Translating(), pairs(160, 1), pairs(30, 2)
    options = TransferOptions(
        FinetuneOptions("frozen", epochs=20, batch_size=16),
        HeadOptions(0.0, settings=LEARNED),
        head_learning_rate=1e-2,
    )
    quick = PretrainOptions("gpt", "tiny", context=32, steps=3, batch_tokens=256, document_vectors=False)
    model = transfer(pretrain([one.text for one in train], quick, texts=True), kind, train, options)
    report, _ = evaluate_task(model, kind, test, train)
    scores = {row.name: row.scores["BLEU"].value for row in report.rows}
    assert scores["this model"] > 90
    assert scores["word by word"] < 80
    assert scores["the sentence itself"] < 5
    task, items = model.network.task, [test[0], Translation("the cat")]
    examples = task.examples(items, model.writer, labelled=False)
    for _, batch in in_order(examples, 1000, model.collate):
        with torch.no_grad():
            encoding = model.encoder(batch.ids, batch.mask)
            encoding.layers[-1] = model.network.mix(encoding.layers)
            said = task.guesses(encoding, batch)
            logs = task.guess_scores(encoding, batch, said)
            tables = task.alignment(encoding, batch, said)
        assert logs.tolist() == pytest.approx([one.log_probability for one in said], abs=1e-3)
        for one, table, example in zip(said, tables, batch.examples, strict=True):
            assert table.shape == (len(one.tokens) + 1, example.n_words)
            np.testing.assert_allclose(table.sum(1), 1, atol=1e-5)
    odd = [*items, Translation(""), Translation("👩‍👩‍👧 电影"), Translation("the dog " * 60)]
    said = model.guess(odd)
    for item, guess, drawn in zip(odd, said, alignments(model, odd), strict=True):
        np.testing.assert_allclose(drawn.weights.sum(1), 1, atol=1e-5)
        np.testing.assert_allclose(drawn.by_word().sum(1), 1, atol=1e-5)
        assert drawn.weights.shape == (len(drawn.target.tokens), len(drawn.source.tokens))
        assert "".join(drawn.source.tokens).strip() == item.text.strip()
        assert "".join(drawn.target.tokens).strip() == guess.text.strip()
    meant = {target: source for source, target in [*PLACES, *VERBS]}
    seen = [
        drawn.source.spelled[int(shares.argmax())] == meant[drawn.target.spelled[row]]
        for drawn in alignments(model, test)
        for row, shares in enumerate(drawn.by_word())
        if drawn.target.spelled[row] in meant
    ]
    assert np.mean(seen) > 0.8, "words look where they come from"


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"depth": "2"}, "has no setting 'depth'"),
        ({"attention": "none"}, "attention is 'none'; the task 'translate' knows dot, additive"),
        ({"beam": "0"}, "the size of a beam search must be 1 or more"),
        ({"width": "0"}, "width must be 1 or more"),
        ({"vocabulary": "both"}, "vocabulary is 'both'; the task 'translate' knows separate, shared"),
        ({"smoothing": "1"}, "smoothing must be from 0 to below 1"),
        ({"vocabulary_size": "10"}, "a vocabulary of 10 is too small"),
    ],
)
def test_settings_that_are_refused(tiny_model, chosen, told):
    with pytest.raises(LangnetError, match=told):
        Translating().head(pairs(3, 0), tiny_model.encoder, HeadOptions(settings=chosen))


class TestSharedVocabulary:
    def test_the_decoder_begins_as_the_embeddings(self, tiny_model, tmp_path):
        data = pairs(12, 0)
        options = HeadOptions(settings={"vocabulary": "shared"}, tokenizer=tiny_model.tokenizer)
        head = Translating().head(data, tiny_model.encoder, options)
        rows, own = tiny_model.encoder.embedder.weight, head.decoder.own.weight
        assert own.shape == rows.shape
        torch.testing.assert_close(own / own.norm(), rows / rows.norm())
        assert float(own.detach().square().mean()) == pytest.approx(1 / rows.shape[1], rel=1e-4)
        other = Translating().head(data, tiny_model.encoder, replace(options, settings=options.settings | {"width": 8}))
        assert other.decoder.own.weight.shape == (len(rows), 8)

    def test_it_is_learned_and_kept(self, tiny_model, tmp_path):
        data = pairs(12, 0)
        settings = {"vocabulary": "shared", "hidden": 8, "decoder_hidden": 16, "beam": 1}
        options = TransferOptions(FinetuneOptions("frozen", epochs=1), HeadOptions(settings=settings))
        model = transfer(tiny_model, "translate", data, options)
        assert model.network.task.tokenizer.to_json() == tiny_model.tokenizer.to_json()
        (example,) = model.network.task.examples(data[:1], model.writer)
        assert example.target == tiny_model.tokenizer.encode(data[0].target)
        found = [guess.text for guess in model.guess(data)]
        assert [guess.text for guess in load(model.save(tmp_path / "m")).guess(data)] == found

    def test_what_cannot_write(self):
        encoder, tokenizer = vectors_of(WordSpace(["the", "cat"], np.ones((2, 4), dtype=np.float32)))
        shared = {"vocabulary": "shared"}
        for options, told in (
            (HeadOptions(settings=shared, tokenizer=tokenizer), "does not know 100% of the translations' tokens"),
            (HeadOptions(settings={**shared, "vocabulary_size": 300}, tokenizer=tokenizer), "leave vocabulary_size"),
            (HeadOptions(settings=shared), "tokenizer was not given"),
        ):
            with pytest.raises(LangnetError, match=told):
                Translating().head(pairs(3, 0), encoder, options)


def test_the_estimator(tiny_model):
    X, y = ["a dog", "a cat"] * 4, ["ein Hund", "eine Katze"] * 4
    translator = Translator(tiny_model, method="frozen", epochs=1, settings={**SMALL, "longest": 10}).fit(X, y)
    found = translator.predict(X[:2])
    assert found.shape == (2,)
    assert 0 <= translator.score(X, y) <= 100
    assert [drawn.source.spelled for drawn in translator.alignments(X[:2])] == [["a", "dog", ""], ["a", "cat", ""]]
    assert (clone(translator).fit(X, y).predict(X[:2]) == found).all()
    frame = pd.DataFrame({"en": X, "de": y})
    assert (clone(translator).fit(frame[["en"]], frame["de"]).predict(frame[["en"]]) == translator.predict(X)).all()
    with pytest.raises(ValueError, match=r"shape \(8, 2\)"):
        translator.predict(frame)
    for wrong, other, told in ((X, y[:2], "one translation a sentence"), ("a", "b", "list of sentences"),
                               (X, [1] * 8, "holds int"), (X, None, "requires y")):  # fmt: skip
        with pytest.raises(ValueError, match=told):
            Translator(tiny_model).fit(wrong, other)


def test_the_command_line(tiny_model, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    tiny_model.save("lm")
    data = pairs(12, 0)
    (tmp_path / "a.en").write_text("".join(one.text + "\n" for one in data))
    (tmp_path / "a.de").write_text("".join(one.target + "\n" for one in data))
    head = [part for name, value in SMALL.items() for part in ("--head", f"{name}={value}")]
    quick = ["--method", "frozen", "--epochs", 1]
    code, said = call("finetune", "lm", "a.en+a.de", "--task", "translate", "-o", "m", *head, *quick)
    assert code == 0, said.err
    code, said = call("predict", "m", "a.en", "--output", "out.txt", "--html", "out.html", "--svg", "drawn")
    assert code == 0, said.err
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 12
    assert (tmp_path / "out.html").read_text().count("<svg") == 24
    assert len(list((tmp_path / "drawn").glob("00??-lines.svg"))) == 12
    code, said = call("predict", "m", "a.en", "--svg", "drawn")
    assert code == 2
    assert "drawn holds pictures already" in said.err
    code, said = call("predict", "m", "a.en", "--svg", "out.txt")
    assert (code, said.err.count("\n")) == (2, 1)
    assert "it is a file; give the name of a folder" in said.err
    code, said = call("evaluate", "m", "a.en+a.de")
    assert code == 0, said.err
    assert all(part in said.out for part in ("BLEU", "chrF", "word by word", "tok:13a", "IBM model 1"))
    code, said = call("finetune", "lm", "a.en", "--task", "translate", "-o", "n")
    assert (code, said.err.count("\n")) == (2, 1)
