# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A bounded queue that drops the oldest entries: new ones matter most."""

from collections import deque
import threading
from typing import Generic, TypeVar

Item = TypeVar('Item')


class LatestQueue(Generic[Item]):
    """Hands items from one thread to another; drops the oldest when it is full.

    Args:
        capacity: items it holds.

    Attributes:
        dropped: items that were dropped so far.
    """

    def __init__(self, capacity: int):
        self._items: deque[Item] = deque(maxlen=capacity)
        self._filled = threading.Condition()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Append an item; never waits for the other thread to take one."""
        with self._filled:
            self.dropped += len(self._items) == self._items.maxlen
            self._items.append(item)
            self._filled.notify()

    def get(self, timeout: float | None = None) -> Item | None:
        """Return the oldest item, or None where none came within `timeout` seconds."""
        with self._filled:
            if self._filled.wait_for(lambda: self._items, timeout):
                return self._items.popleft()
            return None
