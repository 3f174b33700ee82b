"""A model: an encoder with its tokenizer, and the task that it was fine-tuned for, if any. What a folder holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from torch import Tensor

from langnet.encoders.document_vectors import DocumentVectors
from langnet.encoders.encoder import Encoder
from langnet.encoders.registry import rebuild_encoder
from langnet.encoders.vectors import FAMILY as VECTORS
from langnet.encoders.vectors import NO_LANGUAGE_MODEL
from langnet.errors import LangnetError
from langnet.evaluate.cache import CacheOptions
from langnet.evaluate.language_model import TextScore, score_texts
from langnet.evaluate.likelihood import Continuation, Likelihood, likelihoods
from langnet.evaluate.pseudo_likelihood import Hiding, PseudoScore, pseudo_likelihoods, pseudo_scores
from langnet.hub.card import CardFacts, is_own, write_card
from langnet.hub.description import architecture, direction_of, network_config
from langnet.hub.folder import FolderContents, read_folder, write_folder
from langnet.hub.names import resolve_model
from langnet.tasks.classify import Classify
from langnet.tasks.examples import Example, collate, encode_documents, in_order
from langnet.tasks.generation import GenerationOptions, generate_text
from langnet.tasks.masked import CausalMaskedLanguageModel, MaskedLanguageModel
from langnet.tasks.multilabel import LabelSetGuess
from langnet.tasks.registry import build_task
from langnet.tasks.task import ClassGuess, SupervisedTask, at_temperature
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.masking import Hide
from langnet.text.tokenizer import Tokenizer
from langnet.transfer.features import ScalarMix
from langnet.transfer.model import TaskModel

TOKENS_AT_ONCE = 8192


@dataclass
class Model:
    """Everything that a folder holds, in memory.

    Attributes:
        family: the encoder's name.
        tokenizer: text to ids.
        network: encoder, mix and tasks.
        labels: names of the classes of a classifier; None for a language model.
        document_vectors: the space of document features, or None.
        facts: what the card and the configuration say beside the architecture: corpus, training, scores.
        history: the records of the run that made the model.
        card: the model card; one that was written by hand is kept, any other is written anew when the model is saved.
        max_tokens: the most tokens of a document that are read.
    """

    family: str
    tokenizer: Tokenizer
    network: TaskModel
    labels: list[str] | None = None
    document_vectors: DocumentVectors | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    card: str = ""
    max_tokens: int = 2048

    @property
    def encoder(self) -> Encoder:
        """The encoder under the task."""
        return self.network.encoder

    @property
    def is_classifier(self) -> bool:
        """Whether the model was fine-tuned for classification."""
        return isinstance(self.network.task, Classify)

    @property
    def is_language_model(self) -> bool:
        """Whether the model has learned from raw text alone, and no task from people's labels."""
        return not isinstance(self.network.task, SupervisedTask | Classify)

    @property
    def direction(self) -> str:
        """In which texts are read: `forward`, `backward` (from their end), or `both`."""
        return direction_of(self.encoder, self.tokenizer)

    @property
    def temperature(self) -> float:
        """What the scores of classes are divided by, so that probabilities are calibrated; 1 before `calibrate`."""
        return float((self.facts.get("calibration") or {}).get("temperature", 1.0))

    @property
    def size(self) -> str | None:
        """The named size of the encoder, where it is known."""
        options = (self.facts.get("pretrain") or {}).get("options") or {}
        size = self.facts.get("size") or options.get("size")
        return size if isinstance(size, str) else None

    def examples(self, texts: Sequence[str], labels: Sequence[Any] | None = None) -> list[Example]:
        """Texts as the network reads them, with their document features where the model has a space for them."""
        return self.writer.documents_as_examples(texts, labels)

    def collate(self, examples: Sequence[Any]) -> Batch:
        """A batch of what `examples` gave, or the task's own `examples`."""
        task = self.network.task
        own = task.collate if isinstance(task, SupervisedTask) else collate
        batch: Batch = own(examples, self.encoder.context, self.tokenizer.pad_id)
        return batch

    @property
    def writer(self) -> Writer:
        """How this model's tasks write text as tokens."""
        encoder = self.encoder
        return Writer(self.tokenizer, encoder.characters, self.max_tokens, encoder.context, self.document_vectors)

    def guess(self, items: Sequence[Any]) -> list[Any]:
        """What the model's supervised task says of each item, in their order.

        Raises:
            LangnetError: the model has no such task.
        """
        task = self.network.task
        if not isinstance(task, SupervisedTask):
            self.refuse("say anything of such items", "fine-tune it first: langnet finetune --task")
        return self.guesses_of(task.examples(items, self.writer, labelled=False)) if items else []

    def guesses_of(self, examples: Sequence[Any]) -> list[Any]:
        """As `guess`, of items that are already examples of the task."""
        out: list[Any] = [None] * len(examples)
        self.network.eval()
        device = next(self.network.parameters()).device
        for index, batch in in_order(examples, TOKENS_AT_ONCE, self.collate):
            for place, guess in zip(index, self.network.guesses(batch.to(device)), strict=True):
                tempered = isinstance(guess, ClassGuess | LabelSetGuess) and self.temperature != 1
                out[place] = guess.at_temperature(self.temperature) if tempered else guess
        return out

    def token_ids(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The tokens of each text, (T,), as document vectors read them; the encoder may read characters instead."""
        return encode_documents(texts, self.tokenizer, self.max_tokens)

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities of the classes, (N, C), columns in the order of `labels`.

        Raises:
            LangnetError: the model is a language model without a task.
        """
        if not self.is_classifier:
            self.refuse("predict labels of texts", "fine-tune it first: langnet finetune")
        return self.probabilities_of(self.examples(texts))

    def probabilities_of(self, examples: Sequence[Example]) -> np.ndarray:
        """As `predict_proba`, of texts that are already examples."""
        out = np.zeros((len(examples), len(self.labels or [])))
        if not len(examples):
            return out
        self.network.eval()
        device = next(self.network.parameters()).device
        for index, batch in in_order(examples, TOKENS_AT_ONCE, self.collate):
            out[index] = self.network.probabilities(batch.to(device)).cpu().double().numpy()
        out /= out.sum(axis=1, keepdims=True)
        return out if self.temperature == 1 else at_temperature(out, self.temperature)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The most probable label of each text."""
        names = np.array(self.labels or [], dtype=object)
        return [str(name) for name in names[self.predict_proba(texts).argmax(axis=1)]] if len(texts) else []

    def stream(self, prompt: str = "", options: GenerationOptions | None = None) -> Iterator[str]:
        """Pieces of the text that the language model writes after `prompt`, each as soon as it is certain.

        A token costs one position; past the context, the last half of it is read anew, and what lies further back is
        forgotten. The text ends where the model ends the document, or after `options.tokens`. A model that reads
        backward writes what stands before `prompt`, in one piece.

        Raises:
            LangnetError: the model is a classifier.
        """
        self.require_language_model("write text")
        if self.encoder.bidirectional:
            raise LangnetError("a model of both directions cannot write text; langnet score says how likely a text is")
        return generate_text(self.encoder, self.tokenizer, prompt, options)

    def generate(
        self,
        prompt: str = "",
        tokens: int = 200,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float = 0.95,
        seed: int = 0,
    ) -> str:
        """The text that the language model writes after `prompt`; see `GenerationOptions` and `stream`.

        Raises:
            LangnetError: the model is a classifier, or a setting makes no sense.
        """
        return "".join(self.stream(prompt, GenerationOptions(tokens, temperature, top_k, top_p, seed)))

    def score_texts(self, texts: Sequence[str], cache: CacheOptions | None = None) -> list[TextScore]:
        """The log-probability of each text, read as a document of its own: for minimal pairs, or bits per byte.

        With a continuous `cache`, `TextScore.with_cache` is the one by model and cache together.

        Raises:
            LangnetError: the model is a classifier.
        """
        self.require_language_model("score text")
        return score_texts(self.encoder, self.tokenizer, texts, cache)

    def pseudo_scores(self, texts: Sequence[str], hide: Hide = "word") -> list[PseudoScore]:
        """The pseudo-log-probability of each text; see `langnet.evaluate.pseudo_likelihood`.

        Args:
            texts: each is a document of its own.
            hide: with a token also what follows in its word, or the token alone.

        Raises:
            LangnetError: the model has not learned to guess hidden tokens.
        """
        return pseudo_scores(self.encoder, self.tokenizer, texts, self._hiding(hide))

    def likelihoods(
        self,
        questions: Sequence[Sequence[Continuation]],
        on_question: Callable[[int], None] | None = None,
        pseudo: Hide | None = None,
    ) -> list[list[Likelihood]]:
        """How probable the language model finds each ending after its prompt; see `langnet.evaluate.likelihood`.

        Args:
            questions: each with its alternatives.
            on_question: called with the number of questions done.
            pseudo: pseudo-log-probabilities instead, so hidden; see `langnet.evaluate.pseudo_likelihood`. Those of
                `way_of_scoring` where it is None.

        Raises:
            LangnetError: the model is a classifier or word vectors, or an ending is empty or too long.
        """
        hide = self.way_of_scoring(pseudo)
        if hide:
            return pseudo_likelihoods(self.encoder, self.tokenizer, questions, self._hiding(hide), on_question)
        self.require_language_model("say how probable an ending is")
        return likelihoods(self.encoder, self.tokenizer, questions, on_question)

    def way_of_scoring(self, pseudo: Hide | None = None) -> Hide | None:
        """How tokens are hidden where text is scored: as asked for, a masked model's else by words; None: none."""
        return pseudo or ("word" if isinstance(self.network.task, MaskedLanguageModel) else None)

    def _hiding(self, hide: Hide) -> Hiding:
        task = self.network.task
        if isinstance(task, MaskedLanguageModel | CausalMaskedLanguageModel):
            return Hiding(hide, task.masks.shifted)
        if not self.is_language_model:
            self.refuse("guess hidden tokens", "give the masked language model it came from")
        raise LangnetError(
            f"this model was pretrained by '{task.name}' and has not learned to guess hidden tokens, so there are no "
            "pseudo-log-probabilities; leave --pseudo out, or pretrain with --objective masked"
        )

    def refuse(self, wanted: str, instead: str) -> NoReturn:
        """Say that the model cannot do what is wanted, and what to do instead.

        Raises:
            LangnetError: always.
        """
        task = "a classifier" if self.is_classifier else f"a model for the task '{self.network.task.name}'"
        what = "a language model without labels" if self.is_language_model else task
        raise LangnetError(f"this model is {what} and cannot {wanted}; {instead}")

    def require_language_model(self, wanted: str) -> None:
        """Nothing, where the model gives texts probabilities.

        Raises:
            LangnetError: it does not; `wanted` is what it then cannot do.
        """
        if not self.is_language_model:
            self.refuse(wanted, "give the language model it came from")
        if not self.encoder.predicts_next:
            if self.family == VECTORS.name:
                raise LangnetError(NO_LANGUAGE_MODEL)
            raise LangnetError(f"this model came without its softmax, so it cannot {wanted}; it can be fine-tuned")
        if not self.network.task.gives_probabilities:
            more = ", and langnet score gives pseudo-log-probabilities" if self.way_of_scoring() else ""
            raise LangnetError(
                f"this model was pretrained by '{self.network.task.name}', which gives texts no probabilities, so it "
                f"cannot {wanted}; it can be fine-tuned{more}"
            )

    def save(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the model's folder; see `langnet.hub.folder`.

        Raises:
            LangnetError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        tensors: dict[str, Tensor] = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        if self.document_vectors is not None:
            tensors |= {f"document_vectors.{k}": v for k, v in self.document_vectors.tensors().items()}
        path = Path(folder)
        card = self.card if is_own(self.card) else write_card(self._card_facts(path.name))
        config = network_config(self.network, self.family, self.size, self.max_tokens, self.facts)
        config["direction"] = self.direction
        if not self.is_language_model:
            config["bits_per_byte"] = config["bits_note"] = None  # its validation was the language model's
        contents = FolderContents(config, tensors, self.tokenizer.to_json(), self.labels, card, self.history)
        write_folder(path, contents, overwrite=overwrite)
        self.card = card
        return path

    def _card_facts(self, name: str) -> CardFacts:
        table = architecture(self.network, self.tokenizer, self.document_vectors)
        task = None if self.is_language_model else self.network.task.name
        return CardFacts(name, self.family, self.size, table, self.labels, self.max_tokens, self.facts, task)


def load(name: str | Path) -> Model:
    """Load a model from its folder, or by the name of a folder among the models of this machine.

    Raises:
        LangnetError: there is no such folder, or it is damaged, or made by a newer version.
    """
    folder = resolve_model(name)
    contents = read_folder(folder)
    config = contents.config
    encoder = rebuild_encoder(config["encoder"])
    task = build_task(config["task"], encoder.mixed_dim if config["scalar_mix"] else encoder.dim)
    mix = ScalarMix(encoder.n_layers + 1) if config["scalar_mix"] else None
    network = TaskModel(encoder, [(task, 1.0)], mix)
    weights = {k.removeprefix("network."): v for k, v in contents.tensors.items() if k.startswith("network.")}
    expected = network.state_dict()
    wrong = sorted(
        (weights.keys() ^ expected.keys())
        | {k for k in weights.keys() & expected.keys() if weights[k].shape != expected[k].shape}
    )
    if wrong:
        raise LangnetError(
            f"{folder}: {len(wrong)} of {len(expected)} tensors do not match config.json, the first is '{wrong[0]}'; "
            "the folder was put together from different models"
        )
    network.load_state_dict(weights)
    network.eval()
    space = {k.split(".", 1)[1]: v for k, v in contents.tensors.items() if k.startswith("document_vectors.")}
    return Model(
        family=config["encoder"]["family"],
        tokenizer=Tokenizer.from_json(contents.tokenizer_json),
        network=network,
        labels=contents.labels,
        document_vectors=DocumentVectors.from_tensors(space) if space else None,
        facts=config["facts"],
        history=contents.history,
        card=contents.card,
        max_tokens=config["max_tokens"],
    )
