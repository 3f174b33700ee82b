"""The table of tasks, encoders and methods: its cells, intervals and pages; one small run of it, twice."""

import json

import numpy as np
import pytest

from benchmarks import transfer_table
from benchmarks.transfer_cells import CellFolder, Resampler, TableCell, write_cells
from benchmarks.transfer_encoders import VECTORS
from benchmarks.transfer_page import write
from benchmarks.transfer_rows import set_table
from benchmarks.transfer_sets import CLASSIFY, MINIMAL_PAIRS, SETS, TaskSet, find_sets
from langnet.errors import LangnetError
from langnet.recipes.word_vectors import WordVectorOptions, train_word_vectors
from langnet.recipes.zero_choices import hit_scores
from tests.conftest import sentences

PAIRS = TaskSet("made <up>", MINIMAL_PAIRS, "english", 0, 200, lambda data: ([], []))
TEXTS = TaskSet("texts", CLASSIFY, "english", 20, 60, lambda data: ([], []))


def cell(encoder: str, method: str, draw: int, hits: np.ndarray, name: str = "texts") -> TableCell:
    n = len(hits)
    statistics = np.zeros((n, 4))
    statistics[np.arange(n), np.where(hits, 0, 1)] = 1  # of a confusion matrix whose gold class is the first
    scores = {"accuracy": float(hits.mean()), "macro_f1": 0.25}
    return TableCell(name, encoder, method, draw, 20, scores, 1.5, "settings", statistics)


def hits(share: float, n: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(n) < share


def accuracy(sums: np.ndarray) -> dict[str, np.ndarray]:
    return {"accuracy": sums[..., 0] / sums.sum(-1)}


class TestIntervals:
    def test_one_draw_is_the_bootstrap_over_items(self) -> None:
        made = cell("gpt", "frozen", 0, hits(0.7))
        value, interval = Resampler(400, accuracy).mean([made])
        spread = (value * (1 - value) / 400) ** 0.5
        assert value == made.scores["accuracy"]
        assert interval.high - interval.low == pytest.approx(2 * 1.96 * spread, rel=0.1)

    def test_draws_that_differ_widen_it(self) -> None:
        near = [cell("gpt", "frozen", draw, hits(0.7, seed=draw)) for draw in range(3)]
        far = [cell("gpt", "frozen", draw, hits(share, seed=draw)) for draw, share in enumerate((0.5, 0.7, 0.9))]
        widths = [(i.high - i.low) for _, i in (Resampler(400, accuracy).mean(cells) for cells in (near, far))]
        assert widths[1] > 3 * widths[0]

    def test_differences_are_paired(self) -> None:
        first = hits(0.7)
        better = first | hits(0.1, seed=9)
        resampler = Resampler(400, accuracy)
        value, interval = resampler.difference([cell("a", "x", 0, better)], [cell("a", "y", 0, first)]) or (0, None)
        assert value == pytest.approx(better.mean() - first.mean())
        assert 0 < interval.low < value < interval.high < 2 * value
        assert resampler.difference([cell("c", "x", 0, first)], [cell("b", "x", 1, first)]) is None
        value, interval = resampler.difference([cell("c", "x", 0, first)], [cell("b", "x", 0, first)]) or (1, None)
        assert (value, interval.low, interval.high) == (0, 0, 0)


class TestCells:
    def test_kept_and_found_again(self, tmp_path) -> None:
        made = cell("gpt", "frozen", 0, hits(0.5), "a/b c")
        folder = CellFolder(tmp_path / "cells")
        folder.add(made)
        again = CellFolder(tmp_path / "cells")
        found = again.find(made.key, "settings")
        assert found is not None
        assert (found.scores, found.key) == (made.scores, made.key)
        assert np.array_equal(found.statistics, made.statistics)
        assert again.find(made.key, "other settings") is None
        assert [one.key for one in again.all()] == [made.key]

    def test_cells_travel_in_one_file(self, tmp_path) -> None:
        made = [cell("gpt", "frozen", draw, hits(0.5, seed=draw)) for draw in range(3)]
        made[2].statistics[:] *= 0.37
        write_cells(tmp_path / "page.cells.npz", made)
        folder = CellFolder(tmp_path / "cells")
        own = cell("gpt", "frozen", 1, hits(0.9))
        folder.add(own)
        folder.take_from(tmp_path / "page.cells.npz")
        folder.take_from(tmp_path / "missing.npz")
        found = folder.all()
        assert [one.scores for one in found] == [made[0].scores, own.scores, made[2].scores]  # what is here stays
        assert found[2].statistics == pytest.approx(made[2].statistics, rel=1e-6)


class TestPages:
    def test_the_part_of_the_gap_is_of_the_draws_that_both_have(self) -> None:
        scratch = [hits(share, seed=draw) for draw, share in enumerate((0.5, 0.9))]
        cells = [cell("gpt", "scratch", draw, one) for draw, one in enumerate(scratch)]
        made = set_table(TEXTS, [*cells, cell("gpt", "frozen", 0, np.ones_like(scratch[0]))])
        assert made is not None
        assert made.rows[1].closed == pytest.approx(1.0)

    def test_gains_and_summary(self, tmp_path) -> None:
        low, high = hits(0.5), hits(0.5) | hits(0.4, seed=3)
        cells = [cell("", name, 0, low) for name in ("majority", "TF-IDF")]
        cells += [
            cell("gpt", method, 0, one)
            for method, one in (("scratch", low), ("frozen", high), ("finetune", low), ("longer", high))
        ]
        made = set_table(TEXTS, cells)
        assert made is not None
        names = [row.name for row in made.rows]
        assert names[:4] == ["majority", "TF-IDF", "gpt, from scratch", "gpt, from scratch, 30 passes"]
        gaps = {row.method: row.over_scratch for row in made.rows}
        assert gaps["scratch"] is None
        assert [gaps[name].beyond_doubt for name in ("frozen", "finetune", "longer")] == [1, 0, 1]  # type: ignore[union-attr]
        assert [row.closed is None for row in made.rows if row.encoder] == [True, True, False, False]
        write(tmp_path / "page.md", cells, [TEXTS, PAIRS], {"command": "c <x>", "date": "d", "machine": "m"})
        page = (tmp_path / "page.md").read_text()
        assert "| gpt, frozen | 1 | 1 / 0 / 0 | 1 / 0 / 0 |" in page
        assert "c &lt;x&gt;" in (tmp_path / "page.html").read_text()
        held = json.loads((tmp_path / "page.json").read_text())
        frozen = held["sets"][0]["rows"][4]
        assert frozen["over_scratch"]["value"] == pytest.approx(high.mean() - low.mean())
        assert frozen["closed"] == pytest.approx((high.mean() - low.mean()) / (1 - low.mean()))
        assert frozen["scores"] == {"accuracy": high.mean(), "macro_f1": 0.25}
        assert "| macro f1 0.250 | 1 | 2 |" in page
        shown = (tmp_path / "page.html").read_text()
        assert shown.count("<circle") == len(made.rows)
        assert shown.count('<span class="above"><b>') == 2, "two methods are above both"

    def test_pairs_have_no_gains(self) -> None:
        own = np.array([[1.0, 1.0], [0.0, 1.0]] * 50)
        cells = [TableCell("p", name, "zero labels", 0, 0, {"accuracy": 0.5}, 1, "", own) for name in ("", "gpt")]
        made = set_table(PAIRS, cells)
        assert made is not None
        assert all(row.over_neighbour is None for row in made.rows)
        assert hit_scores(own.sum(0))["accuracy"] == 0.5


class TestRun:
    def test_sets_are_found_by_name(self) -> None:
        assert [one.name for one in find_sets(["TREC"])] == ["TREC"]
        assert find_sets([]) == list(SETS)
        with pytest.raises(LangnetError, match="there is no set 'IMDB2'; choose from IMDB"):
            find_sets(["IMDB2"])

    def test_items_are_drawn(self) -> None:
        made = TaskSet("a", CLASSIFY, "english", 5, 3, lambda data: (list(range(10)), list(range(10, 20))))
        assert made.train_items(None, 0) != made.train_items(None, 1)  # type: ignore[arg-type]
        assert made.test_items(None) == made.test_items(None)  # type: ignore[arg-type]
        assert {len(made.train_items(None, 2)), len(made.test_items(None))} == {5, 3}  # type: ignore[arg-type]

    def test_it_runs_and_goes_on_where_it_stood(self, tmp_path, monkeypatch, capsys) -> None:
        def read(data):
            parts = sentences(60, seed=1), sentences(40, seed=2)
            return tuple(part.items for part in parts)

        raw = sentences(100, seed=3).texts
        model = train_word_vectors(raw, WordVectorOptions(VECTORS, dim=8, epochs=1, min_count=1), texts=True)
        made = TaskSet("small", CLASSIFY, "english", 40, 30, read)
        monkeypatch.setattr(transfer_table, "find_sets", lambda names, of: [made])
        monkeypatch.setattr(transfer_table.Encoders, "get", lambda self, name, raw: model)
        command = ["--data", str(tmp_path), "--encoders", VECTORS, "--draws", "1", "--output", str(tmp_path / "t.md")]
        transfer_table.main(command)
        told = capsys.readouterr().out
        assert told.count("small | word2vec-skipgram") == 3
        assert "failed" not in told
        pages = [(tmp_path / name).read_text() for name in ("t.md", "t.json", "t.html")]
        assert all("TF-IDF" in page for page in pages)
        transfer_table.main(command)
        assert "small |" not in capsys.readouterr().out
        for cell in (tmp_path / "transfer" / "cells").glob("*.npz"):
            cell.unlink()
        transfer_table.main([*command, "--only-write"])  # from what the file beside the page holds
        assert "small |" not in capsys.readouterr().out
        assert (tmp_path / "t.md").read_text() == pages[0]
