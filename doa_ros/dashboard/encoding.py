# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is sent to the page: JSON, in which arrays are bytes."""

import base64
import json
import math
from typing import Any

import numpy as np

# The middle of a byte: -1..1 of an array's peak becomes 0..2 * _HALF.
_HALF = 127


def encode(content: Any) -> bytes:
    """Return JSON in UTF-8. NaN is not part of it: `number` makes it null."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    return text.encode('utf-8', errors='replace')


def number(value: float, digits: int = 4) -> float | None:
    """Return a number with so many digits after the point; None where it is not finite."""
    return round(float(value), digits) if math.isfinite(value) else None


def image(values: np.ndarray) -> dict[str, Any]:
    """Return an array as bytes: 254 is its peak, 127 is 0, 0 is minus its peak.

    Args:
        values: shape (rows, columns) or (columns,); what is not finite becomes 0.

    Returns:
        Its `rows` and `columns`, the `peak` of its magnitude, and its `bytes` in base64.
    """
    rows = np.atleast_2d(np.nan_to_num(values, posinf=0.0, neginf=0.0))
    peak = float(np.abs(rows).max(initial=0.0))
    scaled = np.rint(rows * (_HALF / peak if peak else 0.0) + _HALF).astype(np.uint8)
    return {
        'rows': rows.shape[0],
        'columns': rows.shape[1],
        'peak': number(peak, 6),
        'bytes': base64.b64encode(scaled.tobytes()).decode('ascii'),
    }
