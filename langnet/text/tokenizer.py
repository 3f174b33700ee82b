"""Tokenizers by the `tokenizers` library: text to ids and back, for any language and any size of corpus."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend

from langnet.errors import LangnetError

T = TypeVar("T")
Kind = Literal["bpe", "unigram", "words", "characters", "bytes", "imported"]
KINDS = ("bpe", "unigram", "words", "characters", "bytes")  # those that are trained
Direction = Literal["forward", "backward"]
DIRECTIONS = ("forward", "backward")
SPECIAL_TOKENS = ("<pad>", "<unknown>", "<start>", "<delimiter>", "<extract>")
MASK = "<mask>"  # stands for a hidden token; only tokenizers of models that were pretrained so have it
_CHARACTERS = Regex(r"[\s\S]")
# Where bpe and unigram may not merge across: GPT-2's cut, with combining marks and joiners kept in their word (Hindi
# and Yoruba would fall apart), and digits by twos, so that numbers do not fill a small vocabulary.
_CUT = Regex(
    r"['’](?i:s|t|re|ve|m|ll|d)(?![\p{L}\p{M}])| ?[\p{L}\p{M}][\p{L}\p{M}\x{200C}\x{200D}]*+|\p{N}{1,2}"
    r"| ?[^\s\p{L}\p{M}\p{N}]++|\s+(?!\S)|\s"
)
_SCORE_NOISE = 0.05  # span of the penalties that UnigramTrainer hands out in random order, with room to spare
# A word is a run of letters, marks and digits; any other visible sign, and any Han character, stands alone.
WORDS = Regex(r"\p{Han}|[\p{L}\p{M}\p{N}&&[^\p{Han}]]+|[^\s\p{L}\p{M}\p{N}]")


def default_vocabulary_size(n_bytes: int) -> int:
    """A vocabulary that the corpus can fill: at least 2,500 bytes an entry, a power of two from 256 to 16,384.

    Bytes and not characters, since a Chinese character says more than a Latin one, and needs more entries.
    """
    size = 256
    while size < 16_384 and size * 2 * 2_500 <= n_bytes:
        size *= 2
    return size


class Tokenizer:
    """Text to ids and back.

    `bpe` and `unigram` work on bytes and give back every text as it was, in Unicode NFC; so does `bytes`. `characters`
    does for the characters that it saw in training, and `words` only for its words: what they do not know becomes
    `<unknown>`. `imported` does what the tokenizer did that it came from. A special token's name in a text is text like
    any other; `encode` adds no special tokens.

    A model that reads texts from their end to their beginning has a tokenizer whose direction is `backward`: every
    text's ids come out last first, and `decode` takes them so. Nothing else in langnet turns ids round; start and
    extract, which are put around them, stand first and last for models of either direction.

    Args:
        backend: of the `tokenizers` library, without added tokens.
        kind: what it does.
        foreign: names of further special tokens: those that an imported model brought along, or the mask.
        direction: in which the model reads.

    Attributes:
        kind: bpe, unigram, words, characters, bytes or imported.
        pad_id, unknown_id, start_id, delimiter_id, extract_id: ids of the special tokens: 0 to 4, or behind the
            vocabulary of an imported model.
        mask_id: id of the mask; None where there is none.
        special_ids: those and the ids of `foreign`: what no text contains and no generated text shows.
    """

    def __init__(self, backend: Backend, kind: Kind, foreign: Sequence[str] = (), direction: Direction = "forward"):
        if direction not in DIRECTIONS:
            raise LangnetError(f"there is no direction '{direction}'; a text is read {' or '.join(DIRECTIONS)}")
        self.backend, self.kind, self.foreign, self.direction = backend, kind, tuple(foreign), direction
        found = [backend.token_to_id(token) for token in (*SPECIAL_TOKENS, *self.foreign)]
        self.special_ids = tuple(index for index in found if index is not None)
        if len(self.special_ids) < len(found):
            raise LangnetError(f"a tokenizer needs entries for {', '.join((*SPECIAL_TOKENS, *self.foreign))}")
        self.pad_id, self.unknown_id, self.start_id, self.delimiter_id, self.extract_id = self.special_ids[:5]
        self.mask_id = found[len(SPECIAL_TOKENS) + self.foreign.index(MASK)] if MASK in self.foreign else None
        self._hidden = frozenset(self.special_ids) - {self.unknown_id}

    @classmethod
    def train(cls, texts: Iterable[str], kind: Kind = "bpe", vocabulary_size: int | None = None) -> Tokenizer:
        """Learn a vocabulary; the same texts give the same tokenizer.

        Args:
            texts: read once.
            kind: see the class.
            vocabulary_size: entries, special tokens included; None sizes it to the texts. A corpus too small to fill it
                gives a smaller one.

        Raises:
            LangnetError: no such kind, or a size too small for the alphabet.
        """
        if kind not in KINDS:
            raise LangnetError(f"there is no tokenizer '{kind}'; choose one of {', '.join(KINDS)}")
        held = [_encodable(text) for text in texts]
        size = vocabulary_size or default_vocabulary_size(sum(len(text.encode()) for text in held))
        least = len(SPECIAL_TOKENS) + (256 if kind in ("bpe", "unigram", "bytes") else 1)
        if kind == "bytes" or (vocabulary_size is None and size < least):
            size = least + (0 if kind == "bytes" else 128)
        if size < least:
            raise LangnetError(f"a vocabulary of {size} is too small for '{kind}', which needs at least {least}")
        backend = _untrained(kind)
        if kind == "bytes":
            return cls(backend, kind)
        if kind == "unigram" and not any(held):
            held = ["".join(SPECIAL_TOKENS)]  # its trainer fails on nothing at all
        backend.train_from_iterator(held, _trainer(kind, size), length=len(held))
        return cls(_plain(backend), kind)

    def retrained(self, texts: Iterable[str], vocabulary_size: int | None = None) -> Tokenizer:
        """A vocabulary learned from other texts, which are cut and spelled as this one's, so that entries compare.

        Args:
            texts: read once.
            vocabulary_size: as of `train`; at least the special tokens and the alphabet.

        Raises:
            LangnetError: there is nothing to learn in a vocabulary of bytes, or this kind cannot be learned anew.
        """
        held = json.loads(self.backend.to_str())
        model = held["model"]
        if self.kind == "bytes":
            raise LangnetError("the vocabulary of this model is all bytes; there is no other to learn")
        texts = [_encodable(text) for text in texts]
        size = vocabulary_size or max(default_vocabulary_size(sum(len(text.encode()) for text in texts)), 384)
        special: dict[str, Any] = {"special_tokens": list(SPECIAL_TOKENS), "show_progress": False}
        backend = Backend.from_str(json.dumps(held))
        trainer: Any
        if model["type"] == "BPE":
            suffix, prefix = model.get("end_of_word_suffix"), model.get("continuing_subword_prefix")
            signs = [sign for sign in model["vocab"] if len(sign) == 1]
            ends = {"end_of_word_suffix": suffix} if suffix else {}
            starts = {"continuing_subword_prefix": prefix} if prefix else {}
            trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=signs, **ends, **starts, **special)
            backend.model = models.BPE(unk_token=model.get("unk_token") and "<unknown>", **ends, **starts)
        elif model["type"] == "Unigram":
            trainer = _trainer("unigram", size)
            backend.model = models.Unigram()
        elif model["type"] == "WordLevel":
            trainer = trainers.WordLevelTrainer(vocab_size=size, **special)
            backend.model = models.WordLevel(unk_token="<unknown>")
        else:
            raise LangnetError(f"a vocabulary of {model['type']} cannot be learned anew; leave --new-vocabulary out")
        backend.train_from_iterator(texts, trainer, length=len(texts))
        return Tokenizer(_plain(backend), self.kind, (), self.direction)

    def entries(self) -> dict[str, int]:
        """The id of every entry, spelled as the library holds it."""
        found: dict[str, int] = self.backend.get_vocab()
        return found

    @classmethod
    def train_words(
        cls, texts: Iterable[str], min_count: int = 5, vocabulary_size: int | None = None, lowercase: bool = False
    ) -> Tokenizer:
        """Learn every word that occurs often enough, the frequent ones first; texts are not held, only words are.

        Args:
            texts: read once.
            min_count: rarer words are unknown.
            vocabulary_size: entries at most, special tokens included; None takes all.
            lowercase: read every word in small letters.

        Raises:
            LangnetError: a minimum below 1, or room for no word.
        """
        if min_count < 1:
            raise LangnetError(f"the minimum count must be 1 or more, not {min_count}")
        if vocabulary_size is not None and vocabulary_size <= len(SPECIAL_TOKENS):
            raise LangnetError(f"a vocabulary of {vocabulary_size} has no room for words; leave it out to take all")
        backend = _untrained("words", lowercase)
        trainer = trainers.WordLevelTrainer(
            vocab_size=vocabulary_size or 2**31 - 1, min_frequency=min_count, special_tokens=list(SPECIAL_TOKENS),
            show_progress=False,
        )  # fmt: skip
        backend.train_from_iterator(map(_encodable, texts), trainer)
        return cls(_plain(backend), "words")

    @classmethod
    def of_words(cls, words: Iterable[str], lowercase: bool = False) -> Tokenizer:
        """A tokenizer whose ids after the special tokens are these words, in their order; none may occur twice."""
        vocabulary = {token: index for index, token in enumerate((*SPECIAL_TOKENS, *words))}
        backend = _untrained("words", lowercase)
        backend.model = models.WordLevel(vocab=vocabulary, unk_token="<unknown>")
        return cls(backend, "words")

    def with_mask(self) -> Tokenizer:
        """The same tokenizer with one more entry behind its vocabulary, `<mask>`, which no text contains."""
        if self.mask_id is not None:
            return self
        held = json.loads(self.backend.to_str())
        entries = held["model"]["vocab"]
        if isinstance(entries, list):  # of a unigram model, with scores
            entries.append([MASK, min(score for _, score in entries)])
        else:
            entries[MASK] = self.vocabulary_size
        return Tokenizer(Backend.from_str(json.dumps(held)), self.kind, (*self.foreign, MASK), self.direction)

    def words(self) -> list[str]:
        """Every entry but the special tokens, in the order of their ids."""
        held = self.backend.get_vocab()
        return sorted(held, key=held.__getitem__)[len(SPECIAL_TOKENS) :]

    def normalise(self, text: str) -> str:
        """The text in the form in which entries are stored: Unicode NFC, small letters where the tokenizer is such."""
        normalised: str = self.backend.normalizer.normalize_str(_encodable(text))
        return normalised

    @property
    def vocabulary_size(self) -> int:
        """V, the number of ids."""
        return int(self.backend.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        ids: list[int] = self.backend.encode(_encodable(text), add_special_tokens=False).ids
        return self.in_order(ids)

    def in_order(self, parts: list[T]) -> list[T]:
        """What follows each other in a text, in the order in which the model reads it."""
        return parts[::-1] if self.direction == "backward" else parts

    def turned(self, direction: Direction) -> Tokenizer:
        """The same vocabulary for a model that reads in this direction."""
        return Tokenizer(self.backend, self.kind, self.foreign, direction)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, by all cores."""
        encodable = [_encodable(text) for text in texts]
        found = self.backend.encode_batch_fast(encodable, add_special_tokens=False)
        return [self.in_order(encoding.ids) for encoding in found]

    def encode_words(self, texts: Sequence[str]) -> list[tuple[list[int], list[str]]]:
        """The ids of each text, and its tokens as they stand there (in NFC), also where they are unknown."""
        # In NFC already here, since places in a text that the library composes leave accents out.
        held = [unicodedata.normalize("NFC", _encodable(text)) for text in texts]
        encodings = self.backend.encode_batch(held, add_special_tokens=False)
        return [
            (self.in_order(e.ids), self.in_order([text[start:end] for start, end in e.offsets]))
            for text, e in zip(held, encodings, strict=True)
        ]

    def encode_with_offsets(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """The ids of each text, and which of its characters each token stands for; texts are to be in NFC."""
        encodings = self.backend.encode_batch([_encodable(text) for text in texts], add_special_tokens=False)
        return [(encoding.ids, encoding.offsets) for encoding in encodings]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens are left out."""
        shown = [int(i) for i in ids if int(i) not in self._hidden]
        text: str = self.backend.decode(self.in_order(shown), skip_special_tokens=False)
        return text

    def to_json(self) -> str:
        """Everything that rebuilds the tokenizer."""
        held = json.loads(self.backend.to_str())
        more: dict[str, Any] = {"langnet_foreign": list(self.foreign)} if self.foreign else {}
        more |= {"langnet_direction": self.direction} if self.direction != "forward" else {}
        return json.dumps({"langnet_kind": self.kind, **more, **held}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, source: str = "tokenizer.json") -> Tokenizer:
        """The inverse of `to_json`.

        Raises:
            LangnetError: the text is no tokenizer.
        """
        try:
            held: dict[str, Any] = json.loads(text)
            kind, foreign = held.pop("langnet_kind"), held.pop("langnet_foreign", [])
            direction = held.pop("langnet_direction", "forward")
            backend = Backend.from_str(json.dumps(held))
            found = [backend.token_to_id(token) for token in (*SPECIAL_TOKENS, *foreign)]
        except Exception as error:  # the library raises bare exceptions
            raise LangnetError(f"{source} is not a tokenizer of langnet: {' '.join(str(error).split())}") from error
        own = kind in KINDS and found[: len(SPECIAL_TOKENS)] == list(range(len(SPECIAL_TOKENS)))
        if None in found or not (own or kind == "imported"):
            raise LangnetError(
                f"{source} is damaged: its kind is {kind!r}, and its special tokens have the ids {found}"
            )
        return cls(backend, kind, foreign, direction)

    def save(self, path: Path) -> None:
        """Write one file."""
        path.write_text(self.to_json(), encoding="utf8")

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what `save` wrote.

        Raises:
            LangnetError: there is no such file, or it is no tokenizer.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise LangnetError(f"cannot read the tokenizer {path}: {error}") from error


def _byte_alphabet() -> list[str]:
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _untrained(kind: Kind, lowercase: bool = False) -> Backend:
    """A backend with its normaliser, its way of cutting text, and the way back."""
    start = {token: index for index, token in enumerate(SPECIAL_TOKENS)}
    if kind in ("bpe", "bytes"):
        vocabulary = start | {sign: len(start) + i for i, sign in enumerate(_byte_alphabet())}
        backend = Backend(models.BPE(vocab=vocabulary, merges=[]))
    elif kind == "unigram":
        backend = Backend(models.Unigram())
    else:
        backend = Backend(models.WordLevel(vocab=start, unk_token="<unknown>"))
    composed = normalizers.NFC()
    backend.normalizer = normalizers.Sequence([composed, normalizers.Lowercase()]) if lowercase else composed
    if kind in ("bpe", "unigram", "bytes"):
        as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        cut = pre_tokenizers.Split(_CUT, "isolated")
        backend.pre_tokenizer = as_bytes if kind == "bytes" else pre_tokenizers.Sequence([cut, as_bytes])
        backend.decoder = decoders.ByteLevel()
    elif kind == "characters":
        backend.pre_tokenizer = pre_tokenizers.Split(_CHARACTERS, "isolated")
        backend.decoder = decoders.Fuse()
    else:
        backend.pre_tokenizer = pre_tokenizers.Split(WORDS, "removed", invert=True)
    return backend


def _trainer(kind: Kind, size: int) -> Any:
    special = list(SPECIAL_TOKENS)
    if kind == "bpe":
        return trainers.BpeTrainer(
            vocab_size=size, special_tokens=special, initial_alphabet=_byte_alphabet(), show_progress=False
        )
    if kind == "unigram":
        return trainers.UnigramTrainer(
            vocab_size=size,
            special_tokens=special,
            initial_alphabet=_byte_alphabet(),
            unk_token="<unknown>",
            show_progress=False,
        )
    return trainers.WordLevelTrainer(vocab_size=size, special_tokens=special, show_progress=False)


def _plain(backend: Backend) -> Backend:
    """The same backend without added tokens, so that a special token's name in a text is read as text."""
    held = json.loads(backend.to_str())
    held["added_tokens"] = []
    if held["model"]["type"] == "Unigram":
        held["model"]["vocab"] = _settled(held["model"]["vocab"])
    return Backend.from_str(json.dumps(held))


def _settled(pieces: list[list[Any]]) -> list[list[Any]]:
    """A unigram vocabulary without what differs between two trainings on the same texts.

    The trainer sums in the order of a hash table, and spreads the scores of bytes that it never saw at random over a
    narrow band at the bottom: the sums are rounded, and the band becomes one score.
    """
    special, learned = pieces[: len(SPECIAL_TOKENS)], pieces[len(SPECIAL_TOKENS) :]
    bottom = min((score for _, score in learned), default=0.0)
    settled = [
        [piece, round(bottom if len(piece) == 1 and score < bottom + _SCORE_NOISE else score, 6)]
        for piece, score in learned
    ]
    return [*special, *sorted(settled, key=lambda entry: (-entry[1], entry[0]))]


def _encodable(text: str) -> str:
    """The text with lone surrogates, which no encoding can write, as U+FFFD."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of a text stand, each other visible sign and each Han character by itself; "wasn't" is one."""
    text = _encodable(text)
    spans: list[tuple[int, int]] = []
    for _, (start, end) in pre_tokenizers.Split(WORDS, "removed", invert=True).pre_tokenize_str(text):
        joined = len(spans) > 1 and spans[-1][1] == start and text[spans[-1][0] : start] in ("'", "’")
        if joined and spans[-2][1] == spans[-1][0] and text[spans[-2][1] - 1].isalnum() and text[start].isalnum():
            start = spans[-2][0]
            del spans[-2:]
        spans.append((start, end))
    return spans
