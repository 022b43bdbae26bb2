# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables of numpy columns."""

from dataclasses import fields
from typing import Self

import numpy as np


class Columns:
    """A dataclass of columns of one length: `method`, `condition`, `room` and more."""

    method: np.ndarray
    condition: np.ndarray
    room: np.ndarray

    def __len__(self):
        return len(self.method)

    def rows(self, mask: np.ndarray) -> Self:
        """Return the chosen rows."""
        return type(self)(**{name: values[mask] for name, values in self.columns().items()})

    def columns(self) -> dict[str, np.ndarray]:
        """Return all columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
