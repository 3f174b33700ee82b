"""From files to shards: everything arrives, once, on the same side, and in constant memory."""

import tracemalloc

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions
from langnet.text.prepare import PrepareOptions, prepare_corpus
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
    import unicodedata

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
