"""Tokenizers: every language comes back as it went in, and the same texts give the same tokenizer."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.errors import LangnetError
from langnet.text.tokenizer import KINDS, SPECIAL_TOKENS, Tokenizer, default_vocabulary_size

SAMPLES = {
    "english": "Don't panic: it's 1984, and 3.14159 isn't 22/7.",
    "chinese": "話說天下大勢，分久必合，合久必分。你好，世界！",
    "yoruba": "Ẹ káàárọ̀, ṣé dáadáa ni? Ọmọ náà ń ṣeré.",
    "hindi": "नमस्ते दुनिया, क्षत्रिय हिन्दी में लिखते हैं।",
    "arabic": "مرحبا بالعالم، كيف حالك؟",
    "emoji": "👨‍👩‍👧 ❤️ 🇳🇬 👍🏽",
    "blanks": "  two  spaces\n\n\ttabs \r and an end  \n",
}
CORPUS = [*SAMPLES.values()] * 3


@pytest.fixture(scope="module")
def trained() -> dict[str, Tokenizer]:
    return {kind: Tokenizer.train(CORPUS, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", ["bpe", "unigram", "bytes", "characters"])
@pytest.mark.parametrize("language", SAMPLES)
def test_texts_round_trip(trained, kind, language):
    text = unicodedata.normalize("NFC", SAMPLES[language])
    assert trained[kind].decode(trained[kind].encode(text)) == text


@settings(max_examples=150, deadline=None)
@given(text=st.text())
def test_any_text_round_trips(trained, text):
    for kind in ("bpe", "unigram", "bytes"):
        tokenizer = trained[kind]
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == unicodedata.normalize("NFC", text)
        assert not {0, 1, 2, 3, 4} & set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_special_tokens_are_text(kind):
    tokenizer = Tokenizer.train([" ".join(SPECIAL_TOKENS)] * 50 + CORPUS, kind)
    for name in SPECIAL_TOKENS:
        assert not set(tokenizer.encode(f"a {name}{name} b")) & {0, 2, 3, 4}
        assert set(tokenizer.encode(name)).isdisjoint({0, 1, 2, 3, 4})


@pytest.mark.parametrize("kind", KINDS)
def test_same_texts_same_tokenizer(kind):
    assert len({Tokenizer.train(CORPUS, kind, 600).to_json() for _ in range(4)}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(trained, kind, tmp_path: Path):
    trained[kind].save(tmp_path / "tokenizer.json")
    again = Tokenizer.load(tmp_path / "tokenizer.json")
    assert again.kind == kind
    assert again.vocabulary_size == trained[kind].vocabulary_size
    assert again.encode_batch(CORPUS) == [trained[kind].encode(text) for text in CORPUS]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [["a"], ["ab"], ["你好"], [""], []])
def test_the_smallest_corpora_are_not_refused(kind, texts):
    tokenizer = Tokenizer.train(texts, kind)
    assert tokenizer.vocabulary_size >= 5
    assert tokenizer.encode("") == []


def test_words_are_words():
    tokenizer = Tokenizer.train(["the cat sat 你好 नमस्ते"], "words")
    assert len(tokenizer.encode("the cat")) == 2
    assert len(tokenizer.encode("你好")) == 2
    assert len(tokenizer.encode("नमस्ते")) == 1
    assert tokenizer.encode("dog") == [tokenizer.unknown_id]


def test_words_keep_their_marks_together_in_bpe():
    tokenizer = Tokenizer.train(["नमस्ते दुनिया हिन्दी " * 50], "bpe", 700)
    assert len(tokenizer.encode(" हिन्दी")) == 1


def test_lone_surrogates_survive(trained):
    for kind in KINDS:
        assert trained[kind].encode("a\ud800b") == trained[kind].encode("a\ufffdb")
        assert trained[kind].encode_batch(["a\ud800b"]) == [trained[kind].encode("a\ufffdb")]


def test_numbers_do_not_fill_the_vocabulary():
    tokenizer = Tokenizer.train([" ".join(str(n) for n in range(1000, 1400))], "bpe", 2000)
    assert len(tokenizer.encode("123456")) == 3


def test_sizes():
    assert default_vocabulary_size(10) <= 512
    assert default_vocabulary_size(30_000_000) == 8192
    assert default_vocabulary_size(10**12) >= 16_384
    assert Tokenizer.train(["a"], "bytes").vocabulary_size == 261


def test_default_vocabulary_counts_bytes():
    syllables = "啊吧擦搭俄发嘎哈击卡啦吗那哦怕七然撒他挖西呀咋"
    generator = np.random.default_rng(0)
    words = ["".join(syllables[i] for i in generator.integers(0, len(syllables), 4)) for _ in range(300)]
    text = "，".join(words[i] for i in generator.integers(0, len(words), 90_000))  # 450,000 signs of three bytes
    assert Tokenizer.train([text]).vocabulary_size == 512


def test_mistakes_are_explained(tmp_path):
    with pytest.raises(LangnetError, match="choose one of"):
        Tokenizer.train(["a"], "wordpiece")
    with pytest.raises(LangnetError, match="too small"):
        Tokenizer.train(["a"], "bpe", 100)
    with pytest.raises(LangnetError, match="cannot read"):
        Tokenizer.load(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text('{"a": 1}')
    with pytest.raises(LangnetError, match=r"bad\.json"):
        Tokenizer.load(tmp_path / "bad.json")


def test_damaged_files_are_named(trained, tmp_path):
    whole = trained["bpe"].to_json()
    path = tmp_path / "tokenizer.json"
    damages = [
        whole[: len(whole) // 2],
        "",
        "[]",
        whole.replace('"bpe"', '"other"', 1),
        whole.replace("<start>", "<s>"),
    ]
    for damage in damages:
        path.write_text(damage, encoding="utf8")
        with pytest.raises(LangnetError, match=r"tokenizer\.json") as caught:
            Tokenizer.load(path)
        assert "\n" not in str(caught.value)
