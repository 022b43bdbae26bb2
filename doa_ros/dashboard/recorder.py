# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Records sound with the direction that it comes from, as `doa-train finetune` reads it."""

from contextlib import suppress
from itertools import count
import math
from pathlib import Path
import queue
import shutil
import threading
import time
from typing import Any
import wave

import numpy as np

from doa_ros.audio.source import AudioBlock
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.dashboard.encoding import number
from doa_ros.dashboard.recording_labels import Label, add_label, check_labels

DURATION = 30.0
"""Length of a recording [s]."""
# No sound for this time ends a recording [s]; so many blocks may wait for the disk: seconds.
_PATIENCE, _MOST_BLOCKS = 3.0, 400
# What the disk must have room for besides the recording [bytes].
_SPARE = 10 << 20
_INT32 = 1 << 31


class Recorder:
    """Writes one recording at a time, by a thread of its own.

    Args:
        folder: of all recordings, in a subfolder per room; they are made where they are missing.
        duration: of a recording [s].

    Attributes:
        running: whether it records.
    """

    def __init__(self, folder: Path, duration: float = DURATION):
        self._folder, self._duration = folder, duration
        self._blocks: queue.Queue[AudioBlock | None] = queue.Queue(_MOST_BLOCKS)
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None
        self._recorded, self._said = 0.0, ''
        self.running = False

    @property
    def state(self) -> dict[str, Any]:
        """Whether it is `running`, how much is `recorded` of `duration` [s], what is `said`."""
        return {
            'running': self.running,
            'recorded': number(self._recorded, 1),
            'duration': self._duration,
            'said': self._said,
        }

    def begin(self, array: MicArray, label: Label) -> str:
        """Begin a recording; return a sentence that says where.

        Args:
            array: it is recorded with.
            label: where its sound comes from.

        Raises:
            ConfigError: one runs already, or the folder cannot be used.
        """
        with self._beginning:
            if self.running:
                raise ConfigError('a recording runs already: wait until it has ended')
            path = self._new_path(array, label)
            self._blocks = queue.Queue(_MOST_BLOCKS)
            self._recorded, self._said = 0.0, f'recording {self._duration:g} s to {path}'
            self._thread = threading.Thread(
                target=self._work, args=(array, label, path), name='recorder'
            )
            self.running = True
            self._thread.start()
            return self._said

    def take(self, block: AudioBlock) -> None:
        """Record a block while a recording runs; never waits."""
        if self.running:
            # Where the disk is too slow, the gap ends the recording.
            with suppress(queue.Full):
                self._blocks.put_nowait(block)

    def close(self) -> None:
        """End the recording that runs, without keeping it."""
        if self._thread is not None and self.running:
            with suppress(queue.Full):
                self._blocks.put_nowait(None)
            self._thread.join(_PATIENCE)

    def _new_path(self, array: MicArray, label: Label) -> Path:
        folder = self._folder / label.room
        largest = self._duration * array.sampling_frequency * array.channel_count * 4 + _SPARE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            check_labels(self._folder)
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise ConfigError(f'{folder} cannot be used ({error.strerror})') from None
        if free < largest:
            raise ConfigError(
                f'{folder} has room for {free / 1e6:.0f} MB, but a recording needs '
                f'{largest / 1e6:.0f} MB: free some, or give another recording_folder'
            )
        begun = time.strftime('%Y%m%d_%H%M%S')
        name = f'{begun}_{math.degrees(label.azimuth):+.0f}deg'
        paths = (folder / f'{name}{f"_{n}" if n > 1 else ""}.wav' for n in count(1))
        return next(path for path in paths if not path.exists())

    def _work(self, array: MicArray, label: Label, path: Path) -> None:
        partial = path.with_name(path.name + '.partial')
        try:
            self._write(partial)
            partial.replace(path)
            try:
                add_label(self._folder, path, array, label)
            except (OSError, ConfigError):
                path.unlink()
                raise
        except (OSError, AudioError, ConfigError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._said = f'nothing was recorded to {path}: {reason}'
        else:
            self._said = f'recorded {self._duration:g} s to {path}'
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            self.running = False

    def _write(self, path: Path) -> None:
        """Write the blocks that come.

        Raises:
            OSError: the disk is full, or the like.
            AudioError: no sound comes, some of it was lost, or the program ends.
        """
        block = self._next()
        rate, channels = block.sampling_frequency, block.samples.shape[1]
        missing, due = round(self._duration * rate), block.first_sample_index
        with path.open('xb') as file, wave.open(file, 'wb') as sound:
            sound.setparams((channels, _integers(block).itemsize, rate, 0, 'NONE', ''))
            while True:
                if block.first_sample_index != due:
                    raise AudioError('some of the sound was lost: record it again')
                samples = _integers(block)[:missing]
                sound.writeframesraw(samples.tobytes())
                due += len(block.samples)
                missing -= len(samples)
                self._recorded = self._duration - missing / rate
                if not missing:
                    return
                block = self._next()

    def _next(self) -> AudioBlock:
        try:
            block = self._blocks.get(timeout=_PATIENCE)
        except queue.Empty:
            raise AudioError(
                'no sound comes; where doa_dashboard is a process of its own, the one that has '
                'the sound needs publish_audio:=true'
            ) from None
        if block is None:
            raise AudioError('the node has ended')
        return block


def _integers(block: AudioBlock) -> np.ndarray:
    """Return the samples as integers of little endian, as a WAV file holds them."""
    samples = block.samples
    if samples.dtype.kind == 'f':
        scaled = np.rint(samples.astype(np.float64) * _INT32)
        samples = np.clip(scaled, -_INT32, _INT32 - 1).astype(np.int32)
    return samples.astype(samples.dtype.newbyteorder('<'), copy=False)
