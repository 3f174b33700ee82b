"""Files of word vectors: read as gensim reads them, written so that gensim reads them, refused where they are bad."""

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.hub.exporters.word2vec import write_word2vec
from langnet.hub.importers.word_vectors import read_word_vectors, recognises

REAL = Path(__file__).parent.parent.parent / "data" / "gensim_test_data"
WORDS = ["the", "Zürich", "学而", "ice_cream", "x1"]
TEXT = b"2 3\nthe 0.5 -1 2e-3\nfilm 1 2 3\n"


@pytest.fixture(scope="module")
def space():
    return WordSpace(WORDS, np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32))


@pytest.fixture(scope="module")
def fasttext(tmp_path_factory):
    """A small model of gensim's, in Facebook's own format."""
    from gensim.models.fasttext import FastText, save_facebook_model

    sentences = [["the", "film", "was", "moving"], ["the", "Größe", "was", "awful"]] * 5
    model = FastText(sentences, vector_size=6, min_count=1, epochs=1, bucket=50, min_n=2, max_n=4, workers=1, seed=1)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return path, model.wv


def same(space, keyed):
    assert list(space.words) == list(keyed.index_to_key)
    np.testing.assert_array_equal(space.vectors, keyed.vectors)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_what_is_written_and_the_other_way_round(space, tmp_path, binary):
    from gensim.models import KeyedVectors

    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_word2vec(space, ours, binary)
    keyed = KeyedVectors.load_word2vec_format(ours, binary=binary)
    same(space, keyed)
    keyed.save_word2vec_format(theirs, binary=binary)
    found = read_word_vectors(theirs)
    same(found.space, keyed)
    assert found.format == ("word2vec binary" if binary else "word2vec text")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["ours", "theirs"]


def test_glove_has_no_header_and_words_with_blanks(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_bytes(b"the 0.5 -1 2e-3\n. . . 1 2 3\n")
    found = read_word_vectors(path)
    assert (found.format, list(found.space.words)) == ("GloVe text", ["the", ". . ."])
    np.testing.assert_array_equal(found.space.vectors, np.float32([[0.5, -1, 2e-3], [1, 2, 3]]))
    assert len(read_word_vectors(path, most=1).space) == 1


def test_fasttext_and_its_unseen_words(fasttext, tmp_path):
    path, keyed = fasttext
    found = read_word_vectors(path)
    assert list(found.space.words) == list(keyed.index_to_key)
    np.testing.assert_allclose(found.space.vectors, keyed.vectors, atol=1e-7)
    for word in ("films", "Größer", "zzz"):
        np.testing.assert_allclose(found.space.vector(word), keyed.get_vector(word), atol=1e-7)
    assert found.space.find("films") is None


def pack(kind, data, path):
    if kind == "gz":
        path.write_bytes(gzip.compress(data))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.txt", data)
            if kind == "two":
                archive.writestr("other.txt", data)
    return path


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_packed_files(kind, tmp_path):
    """By content: the names say nothing."""
    found = read_word_vectors(pack(kind, TEXT, tmp_path / "vectors"))
    assert list(found.space.words) == ["the", "film"]


def test_a_zip_of_several_needs_a_name(tmp_path):
    path = pack("two", TEXT, tmp_path / "v.zip")
    with pytest.raises(LangnetError, match=r"v\.zip holds inner\.txt, other\.txt; name one"):
        read_word_vectors(path)
    assert list(read_word_vectors(f"{path}!other.txt").space.words) == ["the", "film"]


class Bomb:
    def __reduce__(self):
        return (Path("/nowhere").write_text, ("executed",))


def bad_files(fasttext_bytes):
    binary = io.BytesIO()
    binary.write(b"2 3\nthe " + struct.pack("<3f", 1, 2, 3) + b"film " + struct.pack("<2f", 1, 2))
    nan = b"1 2\nthe nan 1\n"
    return {
        "empty": (b"", "is empty"),
        "prose": (b"It was the best of times, it was the worst of times.\n", "holds no word vectors"),
        "zeros": (b"\0" * 4000, "holds no word vectors"),
        "pickle": (pickle.dumps(Bomb()), "is a Python pickle"),
        "old pickle": (pickle.dumps({"a": np.zeros(3)}, protocol=0), "pickle|holds no word vectors"),
        "huge header": (b"25000000 100\nthe 1 2\n", "bytes are too few"),
        "wide header": (b"1 99999999\nthe 1 2\n", "which no such file has"),
        "overflowing header": (b"999999999999999999 999999999999999999\nthe 1\n", "which no such file has"),
        "cut text": (b"3 3\nthe 0.5 -1 2e-3\nfilm 1 2 3\n", "ends after 2 of the 3 words"),
        "more than the header": (TEXT + b"more 1 2 3\n", "more lines than the 2 words"),
        "short line": (b"2 3\nthe 0.5 -1 2e-3\nfilm 1 2\n", "line 3: it has 2 numbers where 3 are expected"),
        "no number": (b"2 3\nthe 0.5 -1 2e-3\nfilm 1 two 3\n", "line 3: after the word 'film' stands something"),
        "more numbers than the header": (
            b"2 2\nthe 1 2 3\nfilm 1 2 3\n",
            "first line has 3 numbers, its header says 2",
        ),
        "glove with a gap": (b"the 1 2\nfilm 1 2\n\nplot 1 2\n", "line 3: it is empty, and more words follow"),
        "glove that changes": (b"the 1 2 3\nfilm 1 2\n", "line 2: it has 2 numbers where 3"),
        "not finite": (nan, "'the' has numbers that are not finite"),
        "cut binary": (binary.getvalue(), "ends within word 2 of the 2"),
        "long line": (b"the 1 2\n" + b"x" * 2**21, "longer than"),
        "cut fastText": (fasttext_bytes[: len(fasttext_bytes) // 3], "cut off|ends"),
        "fastText of a giant": (fasttext_bytes[:8] + struct.pack("<i", 2**30) + fasttext_bytes[12:], "make no sense"),
        "cut gz": (gzip.compress(TEXT * 99)[:40], "cannot read"),
    }


@pytest.mark.parametrize("name", list(bad_files(b"\0" * 100)))
def test_bad_files_are_one_line(name, fasttext, tmp_path):
    content, message = bad_files(fasttext[0].read_bytes())[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(LangnetError, match=message) as told:
        read_word_vectors(path)
    assert "\n" not in str(told.value)
    assert not Path("/nowhere").exists()


def test_bombs_and_pickles_in_a_zip(tmp_path):
    for kind in ("zip", "gz"):
        path = pack(kind, (b"the" + b" " * 4000 + b"0\n") * 2**13, tmp_path / "bomb")
        with pytest.raises(LangnetError, match="which no text does"):
            read_word_vectors(path)
    with zipfile.ZipFile(tmp_path / "torch", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    with pytest.raises(LangnetError, match="pickle"):
        read_word_vectors(tmp_path / "torch")


def test_what_is_mended_is_told(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"4 1\nthe 1\nthe 2\n<pad> 3\n\xff\xfe 4\n")
    found = read_word_vectors(path)
    assert list(found.space.words) == ["the", "\\xff\\xfe"]
    np.testing.assert_array_equal(found.space.vectors, [[1], [4]])
    assert len(found.notes) == 3


def test_recognising_reads_only_the_beginning(tmp_path, fasttext):
    path = tmp_path / "file"
    path.write_bytes(TEXT)
    assert recognises(path)
    assert recognises(fasttext[0])
    path.write_bytes(b"A text about films.\n")
    assert not recognises(path)
    assert not recognises(tmp_path)
    assert not recognises(tmp_path / "nowhere")


def test_a_word_that_the_format_cannot_hold(tmp_path):
    with pytest.raises(LangnetError, match="a blank ends a word"):
        write_word2vec(WordSpace(["ice cream"], np.ones((1, 2), np.float32)), tmp_path / "file")
    assert not list(tmp_path.iterdir())


REAL_FILES = {
    "euclidean_vectors.bin": {"binary": True},
    "high_precision.kv.bin": {"binary": True},
    "high_precision.kv.txt": {},
    "crime-and-punishment.vec": {},
    "lee_fasttext.vec": {},
    "pang_lee_polarity_fasttext.vec": {"unicode_errors": "backslashreplace"},
    "EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt": {},
    "test_glove.txt": {"no_header": True},
    "toy-model.vec": {},
}


@pytest.mark.skipif(not REAL.is_dir(), reason="needs gensim's test data in data/gensim_test_data")
@pytest.mark.parametrize("name", REAL_FILES)
def test_real_files_as_gensim_reads_them(name):
    from gensim.models import KeyedVectors

    same(read_word_vectors(REAL / name).space, KeyedVectors.load_word2vec_format(REAL / name, **REAL_FILES[name]))


@pytest.mark.skipif(not REAL.is_dir(), reason="needs gensim's test data in data/gensim_test_data")
@pytest.mark.parametrize(
    "name",
    ["crime-and-punishment.bin", "lee_fasttext.bin", "lee_fasttext_new.bin", "non_ascii_fasttext.bin", "toy-model.bin"],
)
def test_real_fasttext_as_gensim_reads_it(name):
    from gensim.models.fasttext import load_facebook_vectors

    found, keyed = read_word_vectors(REAL / name).space, load_facebook_vectors(str(REAL / name))
    assert set(found.words) == set(keyed.index_to_key)
    # gensim gives the line's end n-grams, which fastText's own program does not.
    places = [i for i, word in enumerate(found.words) if word != "</s>"]
    expected = np.stack([keyed.get_vector(found.words[i]) for i in places])
    np.testing.assert_allclose(found.vectors[places], expected, atol=1e-6)
    np.testing.assert_allclose(found.vector("unseenword"), keyed.get_vector("unseenword"), atol=1e-6)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs gensim's test data in data/gensim_test_data")
def test_a_real_classifier_of_fasttext():
    """gensim refuses these; fastText's own text file beside it says what is in it."""
    binary, text = (read_word_vectors(REAL / f"pang_lee_polarity_fasttext.{kind}") for kind in ("bin", "vec"))
    assert list(binary.space.words) == list(text.space.words)
    np.testing.assert_allclose(binary.space.vectors, text.space.vectors, atol=1e-5)
    assert any("2 labels" in note for note in binary.notes)
