"""Translation from two texts that share no pairs: rounds that beat word by word on a cipher, resuming, the command."""

from dataclasses import replace

import numpy as np
import pytest

from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.evaluate.translation_scores import translation_scores, translation_statistics
from langnet.recipes.back_translation import back_translate
from langnet.recipes.model import load
from langnet.recipes.unsupervised_translation import (
    BackTranslationOptions,
    BackTranslationRun,
    denoising_pairs,
    translated,
    untrained_translator,
)
from langnet.recipes.word_vectors import WordVectorOptions
from langnet.text.noise import BLANK, NoiseOptions
from langnet.transfer.alignment import AlignOptions
from langnet.transfer.word_by_word import WordByWordOptions

WHO = ["dog", "cat", "girl", "boy", "man", "woman"]
DOES = ["sees", "likes", "finds", "wants"]
WHAT = ["house", "tree", "ball", "hat", "book", "lamp"]
CIPHER = {word: word[::-1] + "o" for word in ["the", "now", *WHO, *DOES, *WHAT]}
PAIRS = [*CIPHER.items(), (".", ".")]


def sentences(n, seed):
    """the dog sees the house now ."""
    generator = np.random.default_rng(seed)
    return [
        f"the {generator.choice(WHO)} {generator.choice(DOES)} the {generator.choice(WHAT)} now ." for _ in range(n)
    ]


def ciphered(text):
    """The same in the other language, whose verb stands last and whose adverb stands first."""
    the, who, does, _, what, now, dot = (CIPHER.get(word, word) for word in text.split())
    return " ".join([now, the, who, the, what, does, dot])


OPTIONS = BackTranslationOptions(
    WordVectorOptions(dim=16, epochs=15, min_count=1, window=3),
    AlignOptions(most_frequent=50),
    WordByWordOptions(candidates=4, neighbours=4),
    rounds=2, sentences=None, epochs=2.0, denoising=1.0, held_out=20, learning_rate=1e-2, dropout=0.0,
    head={"hidden": 24, "decoder_hidden": 48, "vocabulary_size": 400, "lexical": True, "beam": 1, "smoothing": 0.0,
          "input_feeding": False},
)  # fmt: skip


def bleu(texts, references):
    return float(translation_scores(translation_statistics(texts, references).sum(0))["BLEU"])


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Both directions from 320 sentences a side that share no pair; the rounds are kept."""
    folder = tmp_path_factory.mktemp("rounds")
    source, target = sentences(320, 0), [ciphered(text) for text in sentences(320, 1)]
    seen = []
    run = BackTranslationRun(folder, on_round=lambda done, models: seen.append((done, set(models))))
    return back_translate(source, target, OPTIONS, run, pairs=PAIRS), folder, (source, target), seen


class TestRounds:
    def test_they_beat_word_by_word(self, learned):
        made = learned[0]
        asked = sentences(40, 2)
        right = [ciphered(text) for text in asked]
        for direction, texts, references in (("forward", asked, right), ("backward", right, asked)):
            words = bleu([made.words[direction].translate(text) for text in texts], references)
            rounds = bleu(translated(made.models[direction], texts), references)
            assert rounds > max(words + 15, 50), (direction, words, rounds)

    def test_what_is_told(self, learned):
        made, _, _, seen = learned
        assert [done.number for done, _ in seen] == [0, 1, 2]
        assert [models for _, models in seen] == [set(), {"forward", "backward"}, {"forward", "backward"}]
        assert made.rounds[made.chosen].round_trip == max(one.round_trip for one in made.rounds[1:])
        facts = made.models["forward"].facts["unsupervised_translation"]
        assert facts["sentences"] == [300, 300]

    @pytest.mark.slow
    def test_they_go_on(self, learned):
        made, folder, (source, target), _ = learned
        seen = []
        run = BackTranslationRun(folder, resume=True, on_round=lambda done, models: seen.append(done))
        again = back_translate(source, target, OPTIONS, run, pairs=PAIRS)
        assert seen == made.rounds == again.rounds
        texts = sentences(5, 3)
        assert translated(again.models["forward"], texts) == translated(made.models["forward"], texts)
        kept = load(folder / f"round-{made.chosen}" / "forward")
        assert translated(kept, texts) == translated(made.models["forward"], texts)
        for other in (replace(OPTIONS, denoising=0.0), replace(OPTIONS, seed=1)):
            with pytest.raises(LangnetError, match="other texts or with other options"):
                back_translate(source, target, other, run, pairs=PAIRS)

    @pytest.mark.slow
    def test_a_killed_run_ends_the_same(self, learned, tmp_path):
        source, target = sentences(150, 0), [ciphered(text) for text in sentences(150, 1)]
        quick = replace(OPTIONS, epochs=0.5, head={**OPTIONS.head, "hidden": 8, "decoder_hidden": 8})

        def stop(done, models):
            if done.number == 1:
                raise KeyboardInterrupt

        whole = back_translate(source, target, quick, pairs=PAIRS)
        with pytest.raises(KeyboardInterrupt):
            back_translate(source, target, quick, BackTranslationRun(tmp_path, on_round=stop), pairs=PAIRS)
        rest = back_translate(source, target, quick, BackTranslationRun(tmp_path, resume=True), pairs=PAIRS)
        assert [one.round_trip for one in rest.rounds] == [one.round_trip for one in whole.rounds]
        for direction in ("forward", "backward"):
            for (name, one), other in zip(
                whole.models[direction].network.state_dict().items(),
                rest.models[direction].network.state_dict().values(), strict=True,
            ):  # fmt: skip
                assert (one == other).all(), name

    def test_mistakes(self):
        many = sentences(200, 0)
        strangers = [" ".join(f"{word}x" for word in text.split()) + "x" for text in many]
        for source, target, pairs, told in (
            (many[:20], many, None, "each side needs 120 sentences"),
            (many, [text.replace(".", "") for text in strangers], None, "no word is spelled alike"),
            (many, strangers, [("nothing", "here")], "no pair of the dictionary is known"),
        ):
            with pytest.raises(LangnetError, match=told):
                back_translate(source, target, OPTIONS, pairs=pairs)
        for wrong in ({"rounds": 0}, {"sentences": 5}, {"denoising": -1.0}, {"epochs": 0}):
            with pytest.raises(LangnetError):
                replace(OPTIONS, **wrong)


def test_an_untrained_translator_reads_both_languages():
    one = WordSpace(["house", "in"], np.eye(4, dtype=np.float32)[:2], lowercase=True)
    other = WordSpace(["haus", "in"], np.eye(4, dtype=np.float32)[2:], lowercase=True)
    model = untrained_translator(one, other, ["Haus in Haus"] * 40, OPTIONS)
    rows = model.encoder.embedder.weight
    read = [rows[model.tokenizer.encode(word)[0]].tolist() for word in ("house", "HAUS", "in")]
    assert read == [one.vectors[0].tolist(), other.vectors[0].tolist(), one.vectors[1].tolist()]
    head = model.network.task
    index = head.tokenizer.encode("Haus")
    assert len(index) == 1
    assert head.decoder.own.weight[index[0]].tolist() == other.vectors[0].tolist()


def test_noise():
    generator = np.random.default_rng(0)
    text = " ".join(f"w{i}" for i in range(30))
    pairs = denoising_pairs([text] * 200 + ["", "one"], NoiseOptions(0.2, 0.1, 3), generator)
    assert {pair.target for pair in pairs} == {text, "", "one"}
    read = [pair.text.split() for pair in pairs[:200]]
    assert np.mean([len(words) for words in read]) == pytest.approx(24, abs=0.5)
    assert np.mean([words.count(BLANK) / len(words) for words in read]) == pytest.approx(0.1, abs=0.02)
    assert pairs[200].text == ""
    assert pairs[201].text in ("one", BLANK)
    (moved,) = denoising_pairs([text], NoiseOptions(0, 0, 3), generator)
    places = [int(word[1:]) for word in moved.text.split()]
    assert sorted(places) == list(range(30))
    assert 0 < max(abs(place - i) for i, place in enumerate(places)) <= 3
    assert denoising_pairs([text], NoiseOptions(0, 0, 0), generator)[0].text == text
    for wrong in ({"drop": 1.0}, {"blank": -0.1}, {"distance": -1}):
        with pytest.raises(LangnetError):
            NoiseOptions(**wrong)


def test_the_command_line(learned, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    source, target = learned[2]
    for name, texts in (("a.en", source[:320]), ("a.xx", target[:320])):
        (tmp_path / name).write_text("".join(text + "\n" for text in texts))
    (tmp_path / "seed.txt").write_text("".join(f"{one} {other}\n" for one, other in PAIRS))
    quick = [
        "--rounds",
        1,
        "--sentences",
        100,
        "--epochs",
        0.3,
        "--dim",
        8,
        "--min-count",
        1,
        "--dictionary",
        "seed.txt",
    ]
    head = ["--head", "vocabulary_size=300", "--head", "hidden=8", "--head", "decoder_hidden=8", "--head", "beam=1"]
    code, said = call("backtranslate", "a.en", "a.xx", "-o", "en-xx", "--back-output", "xx-en", *quick, *head)
    assert code == 0, said.err
    assert "translators of round 1" in said.out
    for model, text in (("en-xx", "a.en"), ("xx-en", "a.xx")):
        code, said = call("predict", model, text)
        assert code == 0, said.err
        assert len(said.out.splitlines()) == 320
    assert "Back-translation" in (tmp_path / "en-xx" / "card.md").read_text()
    code, said = call("backtranslate", "a.en", "a.xx", "-o", "en-xx")
    assert (code, said.err.count("\n")) == (2, 1)
    code, said = call("backtranslate", "a.en", "a.xx", "-o", "new", "--back-output", "new")
    assert (code, said.err.count("\n")) == (2, 1)
    code, said = call("backtranslate", "a.en", "none.xx", "-o", "new")
    assert (code, said.err.count("\n")) == (2, 1)
