"""Every encoder on the same raw text for the same minutes of one thread: the tables `results/equal_budget_*.md`.

    python -m benchmarks.equal_budget --set imdb --minutes 5 --output results/equal_budget_imdb.md
    python -m benchmarks.equal_budget --set yoruba --minutes 3 --output results/equal_budget_yoruba.md

Each row learns from the raw text alone for so many minutes by the clock, then is transferred to a task with few labels:
by a head on its frozen states, by fine-tuning, and, as a control, with the same network from random weights. Document
vectors, which are the same for all encoders and would hide them, are off but in a column of their own. Nothing was
chosen on the test texts: `--development` takes others, from the training part, and is what settings were chosen on.
Interrupted, the same command goes on where it stood; a row's minutes begin anew. `--rows glove --keep-others` computes
that row alone and takes the others, and the neighbours, from the figures beside the page.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import torch
from safetensors.torch import load_file, save_file

from benchmarks.bounds import measure_bounds
from benchmarks.equal_budget_table import kept, write
from benchmarks.equal_budget_texts import READ, TextSet, read_set
from benchmarks.operations import Words, operations_a_token, operations_of_word_vectors
from benchmarks.variants import CPU, fastest_product
from benchmarks.word_vector_budget import options_of, plan_word_vectors
from langnet.encoders.document_vectors import DocumentVectorOptions, DocumentVectors
from langnet.encoders.registry import find_family
from langnet.encoders.vectors import KINDS
from langnet.evaluate.baselines import tuned_logistic_regression
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import Model, load
from langnet.recipes.pretrain import PretrainOptions, Run, pretrain
from langnet.recipes.word_vectors import Kind, WordVectorOptions, train_word_vectors
from langnet.study.cells import Cell
from langnet.study.methods import MethodOptions
from langnet.study.sample_efficiency import SampleEfficiencyOptions, study_sample_efficiency
from langnet.text.batches import LanguageModelBatches
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.text.prepared import open_corpus
from langnet.text.spelling import PredictableDocuments, SpelledBatches
from langnet.training import loop
from langnet.training.machine import default_precision, describe_machine, keep_freed_memory
from langnet.training.progress import ConsoleProgress
from langnet.training.word2vec import word_counts

WORD_VECTORS = ("word2vec-skipgram", "fasttext", "glove")
# A few minutes of one thread are too short for more: the next size of gpt was behind (LOG.md).
SIZES = {"gpt": "tiny", "gpt-2": "tiny", "gpt-2018": "tiny", "awd-lstm": "tiny", "elmo": "tiny"}
ROWS = (*WORD_VECTORS, *SIZES)
CONTEXT = 256  # of the transformers, whose tiny sizes have 128
FINETUNING_RATE = 3e-4  # of the control too, which would learn a little more at 0.001 (LOG.md, 2026-11-30)
NEIGHBOURS = ("majority", "tfidf", "svd")
ENCODERS = ("scratch", "frozen", "finetune")


@dataclass
class Row:
    """A trained encoder, and what was measured of it; what a family lacks is None.

    Attributes:
        key: of the row.
        size: named size of the family, or the width of word vectors.
        facts: of the training and of its speed, by name.
        accuracy: by method, one a draw.
        states_used: in how many draws cross-validation gave the states a weight beside document vectors.
    """

    key: str
    size: str
    facts: dict[str, Any]
    accuracy: dict[str, list[float]] = field(default_factory=dict)
    states_used: int = 0


class Bench:
    """One table: its texts, where its rows are kept, and the steps that make one."""

    def __init__(self, texts: TextSet, work: Path, arguments: argparse.Namespace):
        self.texts, self.work, self.arguments = texts, work, arguments
        self.now = time.process_time if arguments.busy else time.perf_counter
        work.mkdir(parents=True, exist_ok=True)

    def row(self, key: str) -> Row:
        """Train, measure and transfer one encoder, as far as no earlier call has."""
        model = self.trained(key)
        facts = self.remembered(f"{key}/facts.json", lambda: self.measured(key, model))
        size = str(model.encoder.dim) if key in KINDS else self.size(key)
        row = Row(key, size, facts)
        if not self.arguments.pretrain_only:
            alone = self.studied(model, ENCODERS, self.work / key)
            space = replace(model, document_vectors=self.space(self.run_folder(key)))
            both = self.studied(space, ("frozen",), self.work / key / "documents")["frozen"]
            row.accuracy = {method: accuracies(cells) for method, cells in alone.items()}
            row.accuracy["documents"] = accuracies(both)
            row.states_used = sum(cell.facts["choice"]["state_weight"] > 0 for cell in both)
        return row

    def size(self, key: str) -> str:
        """The size of a family that this table takes."""
        return dict(pair.split("=") for pair in self.arguments.size).get(key, SIZES[key])

    def options(self, key: str) -> PretrainOptions:
        """How a language model is trained."""
        chosen = self.arguments
        return PretrainOptions(
            encoder=key, size=self.size(key), context=CONTEXT if key.startswith("gpt") else None,
            minutes=chosen.minutes, document_vectors=False, validations=0, prepare=self.texts.prepare, seed=chosen.seed,
            device="cpu",
            optimizer=chosen.optimizer, learning_rate=chosen.learning_rate, batch_tokens=chosen.batch_tokens,
        )  # fmt: skip

    def run_folder(self, key: str) -> Path:
        """Where the prepared corpus lies; families with one tokenizer share it."""
        if key in KINDS:
            whole = self.plan(key)["texts"] == len(self.texts.raw)
            return self.work / ("words" if whole else f"words-{key}")
        recipe = find_family(key).recipe
        return self.work / (f"{recipe.tokenizer}-spelt" if recipe.spell else recipe.tokenizer)

    def plan(self, key: str) -> dict[str, int]:
        """Passes of word vectors, and over how many texts."""
        chosen = self.arguments
        made: dict[str, int] = self.remembered(
            f"{key}/plan.json",
            lambda: plan_word_vectors(cast(Kind, key), self.texts.raw, chosen.minutes, chosen.seed, self.now),
        )
        return made

    def trained(self, key: str) -> Model:
        """The encoder after its minutes."""
        folder = self.work / key / "model"
        if not folder.exists():
            run = Run(self.run_folder(key), progress=ConsoleProgress(key))
            self.say(f"{key}: {self.arguments.minutes:g} minutes")
            learn = self._vectors if key in KINDS else self._network
            model = learn(key, run)
            folder.parent.mkdir(exist_ok=True)
            model.save(folder)
        return load(folder)

    def _network(self, key: str, run: Run) -> Model:
        options, recipe = self.options(key), find_family(key).recipe
        prepare = replace(options.prepare, tokenizer=recipe.tokenizer, spell=recipe.spell)
        assert run.folder is not None
        prepare_corpus(self.texts.raw, run.folder / "corpus", prepare, texts=True)
        with mock.patch.object(loop, "time", SimpleNamespace(monotonic=self.now)):  # what the budget is counted by
            return self.clocked(lambda: pretrain(self.texts.raw, options, run, texts=True))

    def _vectors(self, key: str, run: Run) -> Model:
        plan = self.plan(key)
        options = WordVectorOptions(cast(Kind, key), epochs=plan["epochs"], seed=self.arguments.seed)
        assert run.folder is not None
        texts = self.texts.raw[:: max(1, len(self.texts.raw) // plan["texts"])][: plan["texts"]]
        prepare_corpus(texts, run.folder / "corpus", _prepared_for(options), texts=True)
        return self.clocked(lambda: train_word_vectors(texts, options, run, texts=True))

    def clocked(self, learn: Callable[[], Model]) -> Model:
        """The model, which then says what its training took by either clock."""
        clock, processor = time.perf_counter(), time.process_time()
        model = learn()
        passed = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
        model.facts["seconds"] = passed
        return model

    def measured(self, key: str, model: Model) -> dict[str, Any]:
        """Budget, likelihood, speed and what bounds it."""
        self.say(f"{key}: what bounds its speed")
        facts: dict[str, Any] = {
            "parameters": model.encoder.n_parameters,
            "vocabulary": model.tokenizer.vocabulary_size,
            "processor_share": model.facts["seconds"]["processor"] / model.facts["seconds"]["clock"],
        }
        measure = self._measured_vectors if key in KINDS else self._measured_network
        found = facts | measure(key, model)
        dtype = torch.bfloat16 if found["precision"] == "bf16" else torch.float32
        peak = fastest_product(self.arguments.matrix, dtype, self.now)
        return found | {"peak": peak, "share_of_peak": found["operations_per_second"] / peak}

    def _measured_vectors(self, key: str, model: Model) -> dict[str, Any]:
        facts = model.facts["vectors"]
        corpus = open_corpus(self.run_folder(key) / "corpus")
        counts = word_counts(corpus.train, len(corpus.tokenizer.words()))
        seconds, passes = model.facts["seconds"]["processor" if self.arguments.busy else "clock"], facts["epochs"]
        options = options_of(facts)
        grams = _grams_a_word(corpus.tokenizer.words(), counts)
        a_pass = operations_of_word_vectors(options, counts[counts > 0], facts.get("pairs", 0), grams)
        tokens = facts["tokens"] * passes
        return {
            "minutes": seconds / 60, "tokens": tokens, "passes": passes, "tokens_per_second": tokens / seconds,
            "operations_per_second": a_pass * passes / seconds, "precision": "no",
        }  # fmt: skip

    def _measured_network(self, key: str, model: Model) -> dict[str, Any]:
        training, scores, recipe = model.facts["pretrain"], model.facts["validation"], find_family(key).recipe
        options, folder = self.options(key), self.run_folder(key)
        bounds = measure_bounds(self.texts.raw, options, folder, tuple(self.arguments.steps), self.now)
        length, words = model.encoder.context or recipe.window, None
        if recipe.spell:
            corpus = open_corpus(folder / "corpus", True)
            assert corpus.spelling is not None
            rows = max(1, (options.batch_tokens or recipe.batch_tokens) // length)
            batches = SpelledBatches(LanguageModelBatches(corpus.train, length, rows, 0), corpus.spelling)
            words = Words.of(batches.batch(step) for step in range(8))
        a_token = operations_a_token(model.encoder, length, recipe.objective.get("negatives", 0), words)
        return {
            "minutes": training["minutes"], "tokens": training["tokens"], "steps": training["steps"],
            "bits_per_byte": scores["bits_per_byte"], "interval": scores["interval"],
            "operations_a_token": a_token,
            "tokens_per_second": bounds.tokens_per_second, "shares": bounds.shares,
            "operations_per_second": a_token * bounds.tokens_per_second, "precision": default_precision(CPU),
        }  # fmt: skip

    def studied(self, model: Model, methods: Sequence[str], folder: Path) -> dict[str, list[Cell]]:
        """The cells of each method, one a draw."""
        chosen, texts = self.arguments, self.texts
        finetuning = FinetuneOptions(least_steps=chosen.finetuning_steps, learning_rate=FINETUNING_RATE, device="cpu")
        options = SampleEfficiencyOptions(
            sizes=(chosen.labels,), draws=chosen.draws, methods=tuple(methods), seed=chosen.seed,
            settings=MethodOptions(finetune=finetuning), slow_draws=chosen.slow_draws,
        )  # fmt: skip
        told = lambda standing: self.say(f"{model.family}, {folder.name}: {standing.doing}")  # noqa: E731
        study = study_sample_efficiency(model, texts.raw, texts.train, texts.test, options, folder=folder, told=told)
        return {method: study.cells_of(method, chosen.labels) for method in methods}

    def space(self, run_folder: Path) -> DocumentVectors:
        """Document vectors of the raw text in the tokens of a run's corpus."""
        file = run_folder / "document_vectors.safetensors"
        if not file.exists():
            self.say(f"document vectors of {run_folder.name}")
            corpus = open_corpus(run_folder / "corpus")
            documents = [corpus.train.document(i) for i in range(corpus.train.n_documents)]
            known = PredictableDocuments(documents, corpus.tokenizer.vocabulary_size)
            save_file(DocumentVectors.fit(known, DocumentVectorOptions()).tensors(), file)
        return DocumentVectors.from_tensors(load_file(file))

    def neighbours(self, key: str) -> dict[str, list[float]]:
        """Accuracy of what is no encoder; that of the key gives the tokens of the document vectors."""
        model = self.trained(key)
        cells = self.studied(model, NEIGHBOURS, self.work / "neighbours")
        found = {method: accuracies(of_method) for method, of_method in cells.items()}
        found["document vectors"] = self.remembered("document_vectors.json", lambda: self._document_vectors(key, model))
        return found

    def _document_vectors(self, key: str, model: Model) -> list[float]:
        """A logistic regression on document vectors alone."""
        space, texts, chosen = self.space(self.run_folder(key)), self.texts, self.arguments
        test, accuracy = space.transform(model.token_ids(texts.test.texts)), []
        for draw in range(chosen.draws):
            data = texts.train.subset(chosen.labels, chosen.seed + draw)
            guessed = tuned_logistic_regression([space.transform(model.token_ids(data.texts))], data.labels, [test])
            right = sum(a == b for a, b in zip(guessed.labels, texts.test.labels, strict=True))
            accuracy.append(right / len(texts.test))
        return accuracy

    def remembered(self, name: str, make: Callable[[], Any]) -> Any:
        """What an earlier call has written into the file, or made now."""
        file = self.work / name
        if not file.exists():
            made = json.dumps(make())
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made, encoding="utf8")
        return json.loads(file.read_text(encoding="utf8"))

    def say(self, text: str) -> None:
        """A line with the time."""
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def accuracies(cells: Sequence[Cell]) -> list[float]:
    """Of cells."""
    return [cell.scores["accuracy"] for cell in cells]


def _prepared_for(options: WordVectorOptions) -> PrepareOptions:
    """How `train_word_vectors` prepares its corpus."""
    return PrepareOptions(
        "words", options.vocabulary_size, 0.0, options.corpus, options.seed, options.min_count, options.lowercase
    )


def _grams_a_word(words: Sequence[str], counts: Any) -> float:
    """n-grams of 3 to 6 characters a running word, its marks of begin and end counted."""
    grams = [sum(max(0, len(word) + 3 - n) for n in range(3, 7)) for word in words]
    return float((counts * grams).sum() / counts.sum())


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--set", choices=("imdb", "yoruba"), required=True)
    found.add_argument("--data", type=Path, default=Path("data"), help="holds imdb, or yoruba_text and masakhane_news")
    found.add_argument("--minutes", type=float, default=5.0, help="of training, a row")
    found.add_argument("--rows", nargs="+", choices=(*KINDS, *SIZES), default=list(ROWS))
    found.add_argument("--keep-others", action="store_true", help="rows not asked for stay as the page has them")
    found.add_argument("--labels", type=int, default=100)
    found.add_argument("--draws", type=int, default=5)
    found.add_argument("--slow-draws", type=int, help="of what trains a network, where they are fewer")
    found.add_argument("--finetuning-steps", type=int, default=60, help="at least; fine-tuned and from scratch")
    found.add_argument("--tests", type=int, default=1000, help="test texts at most, drawn evenly by class")
    found.add_argument("--texts", type=int, default=0, help="only so many raw texts; 0 is all")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--size", nargs="*", default=[], metavar="FAMILY=SIZE", help="where it is not the table's own")
    found.add_argument("--optimizer", help="instead of the families' own, to choose one")
    found.add_argument("--learning-rate", type=float, help="likewise")
    found.add_argument("--batch-tokens", type=int, help="likewise")
    found.add_argument("--development", action="store_true", help="predict a part of the training texts instead")
    found.add_argument("--pretrain-only", action="store_true", help="train and measure, and write no table")
    found.add_argument("--steps", type=int, nargs=3, default=(3, 20, 8), help="left out, timed, profiled")
    found.add_argument("--matrix", type=int, default=2048, help="side of the product that gives the peak")
    found.add_argument("--processor", type=int, help="number of the one processor to run on, where the system can")
    found.add_argument("--busy", action="store_true", help="count processor time, since the machine has other work")
    found.add_argument("--work", type=Path, help="folder for models and finished cells; by default beside the output")
    found.add_argument("--output", type=Path, required=True, help="the page; a .json with its figures lies beside it")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, transfer, and write the page."""
    chosen = parser().parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()
    if chosen.processor is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {chosen.processor})
    texts = read_set(chosen)
    bench = Bench(texts, chosen.work or chosen.output.with_name(chosen.output.stem + ".work"), chosen)
    given = list(sys.argv[1:] if arguments is None else arguments)
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.equal_budget", *given]),
        "date": time.strftime("%Y-%m-%d"), "machine": describe_machine(), "set": chosen.set,
        "minutes": chosen.minutes, "labels": chosen.labels, "draws": chosen.draws, "slow_draws": chosen.slow_draws,
        "tests": len(texts.test),
        "raw_texts": len(texts.raw), "raw_words": sum(len(text.split()) for text in texts.raw), "read": READ,
        "development": chosen.development, "busy": chosen.busy, "matrix": chosen.matrix,
    }  # fmt: skip
    if chosen.keep_others:
        kept(chosen.output, [], facts, ROWS)  # what does not fit is said before the minutes are spent
    made = [asdict(bench.row(key)) for key in chosen.rows]
    if chosen.pretrain_only:
        return
    if chosen.keep_others:
        made, neighbours, facts = kept(chosen.output, made, facts, ROWS)
    else:
        networks = [key for key in chosen.rows if key not in KINDS]
        neighbours = bench.neighbours((networks or chosen.rows)[0])
    write(chosen.output, made, neighbours, facts)


if __name__ == "__main__":
    main()
