# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays with a row for each example or clip, as the shards of a data set hold them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from doa_ros.core.errors import ConfigError


@dataclass(frozen=True)
class Rows:
    """Columns of the same length; a subclass is a dataclass whose fields are all arrays."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def load(cls, path: Path, verb: str) -> Self:
        """Read a shard.

        Args:
            path: its npz file.
            verb: that makes it.

        Raises:
            ConfigError: it is damaged, or lacks a column.
        """
        try:
            with np.load(path) as content:
                missing = [name for name in cls.names() if name not in content]
                if not missing:
                    return cls(**{name: content[name] for name in cls.names()})
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise ConfigError(
                f'{path}: not a usable shard ({error}); delete it and run {verb} again'
            ) from None
        raise ConfigError(
            f'{path}: has no {" and no ".join(missing)}; run {verb} again, which makes it anew'
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of several as one."""
        columns = ([getattr(part, name) for part in parts] for name in cls.names())
        return cls(*map(np.concatenate, columns))

    def __len__(self) -> int:
        return len(getattr(self, self.names()[0]))

    def select(self, which: np.ndarray) -> Self:
        """Return the chosen rows, by mask or by index."""
        return type(self)(**{name: column[which] for name, column in self.columns().items()})

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns by their names."""
        return {name: getattr(self, name) for name in self.names()}
