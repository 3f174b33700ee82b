"""Names for what a result depends on: settings, texts, models. The same in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from langnet.recipes.model import Model

_BYTES = 10


def fingerprint(*parts: object) -> str:
    """Twenty hexadecimal digits that name settings."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode("utf8", "surrogatepass"), digest_size=_BYTES).hexdigest()


def fingerprint_texts(texts: Sequence[str], labels: Sequence[str] = ()) -> str:
    """A name for texts and their labels, in order."""
    running = hashlib.blake2b(digest_size=_BYTES)
    for part in (texts, labels):
        running.update(len(part).to_bytes(8, "little"))
        for item in part:
            content = item.encode("utf8", "surrogatepass")
            running.update(len(content).to_bytes(8, "little") + content)
    return running.hexdigest()


def fingerprint_architecture(model: Model) -> str:
    """A name for the shape of a model and its tokenizer, whatever its weights."""
    return fingerprint(model.family, repr(model.encoder.config), model.tokenizer.to_json())


def fingerprint_model(model: Model) -> str:
    """A name for a language model: its shape, its weights and its document vectors."""
    running = hashlib.blake2b(fingerprint_architecture(model).encode(), digest_size=_BYTES)
    tensors = dict(model.encoder.state_dict())
    if model.document_vectors is not None:  # in half precision, as they are stored in the model's folder
        tensors |= {f"document_vectors.{name}": value for name, value in model.document_vectors.tensors().items()}
    for name, value in sorted(tensors.items()):
        running.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        running.update(value.detach().cpu().contiguous().flatten().numpy().tobytes())
    return running.hexdigest()
