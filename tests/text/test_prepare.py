"""From files to shards: everything arrives, once, on the same side, and in constant memory."""

import tracemalloc
import unicodedata

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions, Document
from langnet.text.prepare import PrepareOptions, _Preparation, prepare_corpus
from langnet.text.tokenizer import Tokenizer


def write_corpus(folder, n, seed=0):
    generator = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    words = np.array(["sun", "moon", "ọ̀run", "天", "water", "fire", "नमस्ते", "stone", "tree", "bird"])
    lines = [" ".join(generator.choice(words, 40)) for _ in range(n)]
    (folder / "a.txt").write_text("\n".join(lines), encoding="utf8")
    return lines


def test_every_document_arrives_once(tmp_path):
    lines = write_corpus(tmp_path / "in", 400)
    options = PrepareOptions(validation_fraction=0.1, corpus=CorpusOptions(documents="line"))
    corpus = prepare_corpus([tmp_path / "in"], tmp_path / "out", options)
    decoded, n_bytes = [], 0
    for shards in (corpus.train, corpus.validation):
        for index in range(shards.n_documents):
            ids = shards.document(index)
            assert (ids[0], ids[-1]) == (corpus.tokenizer.start_id, corpus.tokenizer.extract_id)
            text = corpus.tokenizer.decode(ids)
            assert shards.document_bytes[index] == len(text.encode())
            decoded.append(text)
        n_bytes += shards.n_bytes
    assert sorted(decoded) == sorted(unicodedata.normalize("NFC", line) for line in lines)
    assert n_bytes == corpus.report.bytes
    assert 15 < corpus.validation.n_documents < 80


def test_the_same_sources_are_not_prepared_twice(tmp_path):
    write_corpus(tmp_path / "in", 50)
    options = PrepareOptions(corpus=CorpusOptions(documents="line"))
    prepare_corpus([tmp_path / "in"], tmp_path / "out", options)
    stamp = (tmp_path / "out/train/index.json").stat().st_mtime_ns
    again = prepare_corpus([tmp_path / "in"], tmp_path / "out", options)
    assert (tmp_path / "out/train/index.json").stat().st_mtime_ns == stamp
    assert again.report.documents == 50
    (tmp_path / "in/b.txt").write_text("another line of text")
    more = prepare_corpus([tmp_path / "in"], tmp_path / "out", options)
    assert more.report.documents == 51


def test_a_file_called_as_the_copy_of_standard_input_is_read_anew(tmp_path):
    source = tmp_path / "standard-input.txt"
    for text in ("sun and moon " * 20, "fire"):
        source.write_text(text, encoding="utf8")
        corpus = prepare_corpus([source], tmp_path / "out", PrepareOptions("bytes"))
        assert corpus.report.characters == len(text.strip())


def test_same_corpus_same_bytes(tmp_path):
    write_corpus(tmp_path / "in", 60)
    options = PrepareOptions(corpus=CorpusOptions(documents="line"))
    for name in ("one", "two"):
        prepare_corpus([tmp_path / "in"], tmp_path / name, options)
    for file in ("tokenizer.json", "train/tokens-00000.bin", "validation/tokens-00000.bin"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_one_file_still_gives_validation(tmp_path):
    write_corpus(tmp_path / "in", 400)
    corpus = prepare_corpus([tmp_path / "in"], tmp_path / "out", PrepareOptions(validation_fraction=0.05))
    assert corpus.validation.n_tokens > 0
    assert 0.01 < corpus.validation.n_bytes / (corpus.validation.n_bytes + corpus.train.n_bytes) < 0.2


def test_a_large_document_is_encoded_in_pieces_without_a_trace(tmp_path):
    text = " ".join(write_corpus(tmp_path / "in", 6000))
    tokenizer = Tokenizer.train([text[:50_000]])
    (tmp_path / "in/a.txt").write_text(text, encoding="utf8")
    options = PrepareOptions(validation_fraction=0.0)
    corpus = prepare_corpus([tmp_path / "in"], tmp_path / "out", options, tokenizer=tokenizer)
    assert corpus.train.n_documents == 1
    assert corpus.train.document(0).tolist()[1:-1] == tokenizer.encode(text)


@pytest.mark.parametrize("documents", ["line"])
def test_memory_does_not_grow_with_the_corpus(tmp_path, monkeypatch, documents):
    monkeypatch.setattr("langnet.text.prepare.BATCH_CHARACTERS", 50_000)
    peaks = []
    tokenizer = Tokenizer.train(["sun moon"], "bytes")
    for n in (1_000, 8_000):
        write_corpus(tmp_path / "in", n)
        options = PrepareOptions(corpus=CorpusOptions(documents=documents, drop_duplicates=False))
        tracemalloc.start()
        prepare_corpus([tmp_path / "in"], tmp_path / f"out{n}", options, tokenizer=tokenizer)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_progress_ends_at_its_total(tmp_path):
    write_corpus(tmp_path / "in", 200)
    seen = []
    options = PrepareOptions(corpus=CorpusOptions(documents="line"))
    prepare_corpus(
        [tmp_path / "in"], tmp_path / "out", options, progress=lambda done, total: seen.append((done, total))
    )
    done, total = zip(*seen, strict=True)
    assert list(done) == sorted(done)
    assert total[-1] is not None
    assert 0.8 * total[-1] <= done[-1] <= total[-1]


def test_nothing_to_read_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n ")
    with pytest.raises(LangnetError):
        prepare_corpus([tmp_path / "empty.txt"], tmp_path / "out", PrepareOptions())


def test_a_source_may_be_one_path_whatever_signs_it_has(tmp_path):
    write_corpus(tmp_path / "in", 20)
    path = (tmp_path / "in/a.txt").rename(tmp_path / "in/a-b.txt")
    for number, source in enumerate((str(path), path, [path])):
        assert prepare_corpus(source, tmp_path / str(number), PrepareOptions()).report.files == 1


def test_documents_and_texts_are_prepared_and_reused_alike(tmp_path):
    lines = [f"text number {number} of the set" for number in range(60)]
    options = PrepareOptions()
    one = prepare_corpus(iter(lines), tmp_path / "one", options, texts=True)
    two = prepare_corpus((Document(line, "here") for line in lines), tmp_path / "two", options)
    assert one.train.read(0, 10**6).tolist() == two.train.read(0, 10**6).tolist()
    stamp = (tmp_path / "one/train/index.json").stat().st_mtime_ns
    prepare_corpus(lines, tmp_path / "one", options, texts=True)
    assert (tmp_path / "one/train/index.json").stat().st_mtime_ns == stamp
    prepare_corpus(lines[1:], tmp_path / "one", options, texts=True)
    assert (tmp_path / "one/train/index.json").stat().st_mtime_ns != stamp


def test_a_damaged_folder_is_prepared_again(tmp_path):
    lines = write_corpus(tmp_path / "in", 30)
    options = PrepareOptions(corpus=CorpusOptions(documents="line"))
    whole = prepare_corpus([tmp_path / "in"], tmp_path / "out", options).train.n_tokens
    path = tmp_path / "out/train/tokens-00000.bin"
    path.write_bytes(path.read_bytes()[:-2])
    again = prepare_corpus([tmp_path / "in"], tmp_path / "out", options)
    assert (again.train.n_tokens, again.report.documents) == (whole, len(lines))


@pytest.mark.parametrize("n", [1, 2, 5, 19, 20, 60, 150])
def test_a_small_corpus_holds_some_out(tmp_path, n):
    generator = np.random.default_rng(n)
    lines = [f"{number} " + " ".join(map(str, generator.integers(0, 1000, 80))) for number in range(n)]
    corpus = prepare_corpus(lines, tmp_path, PrepareOptions(), texts=True)
    assert 2 <= corpus.validation.n_documents < 0.4 * corpus.train.n_documents
    if n >= 20:  # whole documents
        assert corpus.validation.n_documents >= 4
        assert corpus.train.n_documents + corpus.validation.n_documents == n
    assert corpus.train.n_bytes + corpus.validation.n_bytes == sum(map(len, lines))


def test_a_copy_of_the_first_document_is_not_held_out(tmp_path):
    texts = [*(f"document {n}" for n in range(40)), "document 0"]
    for seed in range(6):  # the hash of some seeds would hold it out
        options = PrepareOptions("bytes", None, 0.5, CorpusOptions(drop_duplicates=False), seed)
        corpus = prepare_corpus(texts, tmp_path / str(seed), options, texts=True)
        train, held = (
            {corpus.tokenizer.decode(shards.document(index)) for index in range(shards.n_documents)}
            for shards in (corpus.train, corpus.validation)
        )
        assert held
        assert not train & held


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 3])
def test_a_fraction_that_leaves_nothing_is_refused(tmp_path, fraction):
    with pytest.raises(LangnetError, match="fraction"):
        prepare_corpus(["a"], tmp_path, PrepareOptions(validation_fraction=fraction), texts=True)


def test_the_sample_is_bounded_and_spread_over_long_documents(monkeypatch):
    monkeypatch.setattr("langnet.text.prepare.SAMPLE_CHARACTERS", 20_000)
    monkeypatch.setattr("langnet.text.prepare.SAMPLE_PIECE", 1_000)
    short = [f"short {number}" for number in range(4_000)]
    long = " ".join(f"w{number}" for number in range(60_000))
    sample = _Preparation.of([*short, long], PrepareOptions(), True, None).sample()
    assert 15_000 < sum(map(len, sample)) <= 20_000
    places = [long.find(piece) / len(long) for piece in sample if piece in long]
    assert min(places) < 0.3 < 0.7 < max(places)
    everything = _Preparation.of(short[:100], PrepareOptions(), True, None).sample()
    assert everything == short[:100]


def test_one_large_file_gets_a_vocabulary_of_its_size(tmp_path):
    generator = np.random.default_rng(0)
    words = ["".join(map(chr, generator.integers(97, 123, 6))) for _ in range(3000)]
    (tmp_path / "a.txt").write_text(" ".join(generator.choice(words, 400_000)))
    options = PrepareOptions(tokenizer="words")
    assert prepare_corpus(tmp_path / "a.txt", tmp_path / "out", options).tokenizer.vocabulary_size == 1024


def test_a_large_document_is_encoded_a_part_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("langnet.text.prepare.BATCH_CHARACTERS", 10_000)
    monkeypatch.setattr("langnet.text.prepare.PIECE_CHARACTERS", 3_000)
    sizes = []
    encode_batch = Tokenizer.encode_batch

    def noted(self, texts):
        sizes.append(sum(map(len, texts)))
        return encode_batch(self, texts)

    monkeypatch.setattr(Tokenizer, "encode_batch", noted)
    text = "天" * 50_000 + " and\nwords" * 5_000
    tokenizer = Tokenizer.train([text[-1000:]])
    corpus = prepare_corpus([text], tmp_path, PrepareOptions(validation_fraction=0.0), tokenizer, texts=True)
    assert max(sizes) < 13_000
    assert corpus.tokenizer.decode(corpus.train.document(0)) == text
