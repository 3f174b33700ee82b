"""Arrays of an HDF5 file that may come from anybody: nothing is read before names, shapes and sizes are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from langnet.errors import LangnetError

_MOST_OBJECTS = 1000
_DEEPEST = 8  # groups within groups


class Datasets:
    """The arrays of an HDF5 file, of which nothing is read before it is known to fit; a context manager.

    Args:
        path: of the file.
        what: the kind of model that it should be, for messages.
        extra: the extra of langnet that brings h5py, for messages.

    Attributes:
        found: every array of the file by its name; only its shape and type have been looked at.

    Raises:
        LangnetError: h5py is missing, or the file is damaged, a pickle, or leads to other files.
    """

    def __init__(self, path: Path, what: str, extra: str):
        self.path, self.what = path, what
        self.file = self._open(path, extra)
        self.found: dict[str, Any] = {}

    def _open(self, path: Path, extra: str) -> Any:
        try:
            import h5py
        except ImportError:
            raise LangnetError(
                f"reading {self.what} needs h5py; install it with: pip install 'langnet[{extra}]'"
            ) from None
        with path.open("rb") as stream:
            start = stream.read(8)
        if start[:1] == b"\x80" or start[:4] == b"PK\x03\x04":
            raise LangnetError(
                f"{path} is a pickle, which can run any program when it is read; langnet reads HDF5 only"
            )
        try:
            return h5py.File(path, "r")
        except OSError as error:
            reason = str(error).splitlines()[0]
            raise LangnetError(f"{path} is no whole HDF5 file ({reason}); download it again") from None

    def __enter__(self) -> Self:
        try:
            self._gather(self.file, "")
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            self.file.close()
            raise LangnetError(f"{self.path} is a damaged HDF5 file: {str(error).splitlines()[0]}") from None
        except LangnetError:
            self.file.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def _gather(self, group: Any, prefix: str) -> None:
        """Every dataset by name; links to other files, which a hostile file could use to read them, are refused."""
        import h5py

        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise LangnetError(f"{self.path}: '{prefix}{name}' is a link to elsewhere, which {self.what} never has")
            item = group[name]
            if len(self.found) > _MOST_OBJECTS or prefix.count("/") > _DEEPEST:
                raise LangnetError(f"{self.path} holds far more than the tensors of {self.what}; check the file")
            if isinstance(item, h5py.Group):
                self._gather(item, f"{prefix}{name}/")
            else:
                self.found[f"{prefix}{name}"] = item

    def check(self, expected: dict[str, tuple[int, ...]], own: tuple[str, ...]) -> None:
        """Nothing, where every expected array is there in its shape, and no other that belongs to the model.

        Args:
            expected: shapes by name.
            own: how the names of such a model's arrays begin; others may be in the file, and are not read.

        Raises:
            LangnetError: an array is missing, has another shape or no numbers, or claims more than is in the file.
        """
        missing = [name for name in expected if name not in self.found]
        if missing:
            raise LangnetError(
                f"{self.path} lacks {len(missing)} of the {len(expected)} tensors that its options ask for, the first "
                f"is '{missing[0]}'; options and weights are of different models, or this is not {self.what}"
            )
        for name, shape in expected.items():
            self._check_one(name, shape)
        unused = [name for name in self.others(expected) if name.startswith(own)]
        if unused:
            raise LangnetError(
                f"{self.path} has '{unused[0]}', which its options do not ask for; they are of different models"
            )

    def _check_one(self, name: str, shape: tuple[int, ...]) -> None:
        found = self.found[name]
        if found.shape != shape:
            raise LangnetError(f"{self.path}: '{name}' has the shape {found.shape} where the options ask for {shape}")
        if found.dtype.kind != "f" or found.dtype.itemsize > 8:
            raise LangnetError(f"{self.path}: '{name}' holds {found.dtype}, not numbers")
        if found.external or found.is_virtual:
            raise LangnetError(f"{self.path}: '{name}' lies in another file, which {self.what} never does")
        stored, claimed = found.id.get_storage_size(), found.dtype.itemsize * found.size
        # Weights hardly compress: what takes a hundredth of its size, or none of it, was never written.
        if stored < claimed / 100:
            raise LangnetError(f"{self.path}: '{name}' claims {claimed:,} bytes, but the file holds {stored:,} of them")

    def read(self, name: str) -> np.ndarray:
        """One array in float32."""
        try:
            array = np.asarray(self.found[name][...], dtype=np.float32)
        except (OSError, ValueError, MemoryError) as error:
            raise LangnetError(f"{self.path}: '{name}' cannot be read ({str(error).splitlines()[0]})") from None
        if not np.isfinite(array).all():
            raise LangnetError(f"{self.path}: '{name}' holds values that are not numbers; download it again")
        return array

    def others(self, expected: dict[str, tuple[int, ...]]) -> list[str]:
        """Names of the arrays that are not expected."""
        return sorted(self.found.keys() - expected.keys())
