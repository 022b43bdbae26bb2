# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From a stream of audio and the tracks of its talkers to a stream of sound for each of them.

Each frequency of a frame is shared out to the tracks and the background by the directions it may
come from (`directional_masks`). From these masks, a multichannel Wiener filter of each track
learns (`wiener_filter`), and a post-filter attenuates what they give to others.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import math

import numpy as np

from doa_ros.core.features.dead_microphones import DeadMicrophones
from doa_ros.core.features.framing import lost_before
from doa_ros.core.geometry import MicArray
from doa_ros.core.samples import usable
from doa_ros.core.separation.config import SeparationConfig
from doa_ros.core.separation.directional_masks import BACKGROUND, DirectionalMasks
from doa_ros.core.separation.recent_samples import RecentSamples
from doa_ros.core.separation.short_time_fourier import HOP, RATE, Analysis, input_hop
from doa_ros.core.separation.voice import Frame, Voice
from doa_ros.core.separation.wiener_filter import Covariance, WienerFilter
from doa_ros.core.tracking.track import Track

# A track may be confirmed so long after its first detection, and still begins with it [s].
_CONFIRMATION = 1.0
# Filters are this many frames old at most: to invert a covariance costs as much as all else.
_TURNS = 4
# Tracks that may wait for their audio; of more, the last ones count.
_MOST_UPDATES = 100


@dataclass(frozen=True)
class TrackSound:
    """A piece of the sound of a track.

    Attributes:
        track_id: of the track.
        first_sample_index: index of the first sample at RATE, counted from the start of the
            stream of audio; the next piece of the track goes on where this one ends.
        samples: at RATE, full scale is 1, shape (samples,), float32. Of the last piece, there may
            be none.
        begins: whether it is the first piece of the track.
        ends: whether it is the last one.
        lost: how many of the samples stand for audio that was lost.
    """

    track_id: int
    first_sample_index: int
    samples: np.ndarray
    begins: bool = False
    ends: bool = False
    lost: int = 0


@dataclass
class _Output:
    """What is given of a track, hop by hop, until the next pieces are.

    Attributes:
        voice: makes its sound.
        next_hop: number of the next hop.
        hops: what is not given yet.
        begins: whether nothing was given yet.
        lost: of `TrackSound`.
    """

    voice: Voice
    next_hop: int
    hops: list[np.ndarray] = field(default_factory=list)
    begins: bool = True
    lost: int = 0

    def piece(self, track_id: int, *, ends: bool = False) -> TrackSound:
        """Return what is not given yet."""
        samples = np.concatenate(self.hops) if self.hops else np.zeros(0, dtype=np.float32)
        first = self.next_hop * HOP - len(samples)
        piece = TrackSound(track_id, first, samples, self.begins, ends, self.lost)
        self.hops, self.begins, self.lost = [], False, 0
        return piece


class SourceSeparator:
    """Gives the sound of each track, as it would be heard in the centre of the array.

    A track's sound begins `pre_roll` before its first detection, goes on while the track is given
    and for `hold_time` after that, has no holes, and ends with a piece that says so. A sample is
    given at most 40 ms after it came in. While there is no track, samples are only kept.

    Audio that was lost, and samples that are no numbers, become silence of the same length. If
    more than `hold_time` was lost, or the stream begins anew, all sounds end.

    Args:
        array: the microphones.
        config: the settings.

    Raises:
        ConfigError: the sampling frequency of the array is not a multiple of 50 Hz.

    Example:
        >>> separator = SourceSeparator(array, SeparationConfig())
        >>> separator.update(0, tracks)
        >>> for sound in separator.push(0, block):
        ...     print(sound.track_id, sound.first_sample_index, len(sound.samples))
        1 0 800
    """

    def __init__(self, array: MicArray, config: SeparationConfig):
        self._array = array
        rate = array.sampling_frequency
        self._hop = input_hop(rate)
        self._pre_roll, self._hold = config.pre_roll * rate, config.hold_time * rate
        self._floor = 10 ** (-config.post_filter_db / 20)
        self._analysis = Analysis(rate)
        self._shape = len(array.positions), len(self._analysis.frequencies), HOP / RATE
        self._masks = DirectionalMasks(array, self._analysis.frequencies)
        self._covariance = Covariance(*self._shape)
        self._outputs: dict[int, _Output] = {}
        self._tracks: deque[tuple[int, tuple[Track, ...]]] = deque(maxlen=_MOST_UPDATES)
        self._next_index: int | None = None

    def _start_stream(self, index: int) -> None:
        """Begin another stream of audio at a sample."""
        microphones = len(self._array.positions)
        kept = self._pre_roll + _CONFIRMATION * self._array.sampling_frequency
        # There was silence before, from the beginning of a frame on.
        silence = self._hop + index % self._hop
        self._recent = RecentSamples(
            round(kept) + 3 * self._hop, self._hop, microphones, index - silence
        )
        self._recent.append(np.zeros((silence, microphones), dtype=np.float32))
        self._dead = DeadMicrophones(microphones, HOP / RATE)
        self._leave_out(np.zeros(microphones, dtype=bool))
        self._ended: dict[int, int] = {}
        # The covariance holds all frames from the first that was asked for until before this one.
        self._learnt = self._recent.begin // self._hop
        self._covariance.forget()

    def update(self, sample_index: int, tracks: Iterable[Track]) -> None:
        """Take the tracks at a time; they count from the frame that ends then or later.

        Args:
            sample_index: the time, in samples of the audio since the start of its stream. Where
                that audio was pushed already, they count from the next frame on.
            tracks: all that are given then; those that are not confirmed, or have no azimuth, do
                not count. Directions are those in the mounted frame.
        """
        while self._tracks and self._tracks[-1][0] > sample_index:
            self._tracks.pop()
        counted = (t for t in tracks if t.confirmed and math.isfinite(t.azimuth))
        self._tracks.append((sample_index, tuple(counted)))

    def push(self, first_sample_index: int, samples: np.ndarray) -> list[TrackSound]:
        """Take a block of audio and return the sound that it completes, a piece for each track.

        Args:
            first_sample_index: index of the block's first sample since the start of the stream.
            samples: all channels of the device, or one per microphone, shape
                (samples, channels), float32.

        Raises:
            ConfigError: the number of channels is not the array's.
        """
        microphones = samples[:, self._array.microphone_channels(samples.shape[1])]
        lost = lost_before(first_sample_index, self._next_index)
        sounds: list[TrackSound] = []
        if lost is None or lost > self._hold:
            if self._next_index is not None:
                sounds += self.close()
            self._start_stream(first_sample_index)
        elif lost:
            nothing = np.zeros((lost, microphones.shape[1]), dtype=np.float32)
            sounds += self._append(nothing, lost=True)
        self._next_index = first_sample_index + len(samples)
        if usable(microphones):
            sounds += self._append(microphones)
        else:
            sounds += self._append(np.zeros_like(microphones), lost=True)
        sounds += [o.piece(number) for number, o in self._outputs.items() if o.hops]
        return sounds

    def close(self) -> list[TrackSound]:
        """End the stream and all sounds; return the last piece of each."""
        sounds: list[TrackSound] = []
        if self._outputs:
            # What is heard in the last frames, as if silence followed.
            missing = self._hop + -self._recent.end % self._hop
            sounds += self._append(np.zeros((missing, self._shape[0]), dtype=np.float32))
        sounds += [output.piece(number, ends=True) for number, output in self._outputs.items()]
        self._outputs.clear()
        self._tracks.clear()
        self._next_index = None
        return sounds

    def _append(self, samples: np.ndarray, *, lost: bool = False) -> list[TrackSound]:
        """Take samples and process the frames that they complete; return the sounds that end."""
        ended = []
        while len(samples):
            missing = self._hop - self._recent.end % self._hop
            self._recent.append(samples[:missing], lost)
            samples = samples[missing:]
            # The first frame holds what was before the stream.
            number = self._recent.end // self._hop - 2
            if self._recent.end % self._hop == 0 and number * self._hop > self._recent.begin:
                ended += self._process(number)
        return ended

    def _process(self, number: int) -> list[TrackSound]:
        """Process a frame; return the sounds that end before it."""
        end = (number + 2) * self._hop
        newest = self._recent.between(end - self._hop, end)
        alive = self._dead.update(np.einsum('ij,ij->j', newest, newest) / len(newest))
        if (alive == self._left_out).any():
            self._leave_out(~alive)
        while self._tracks and self._tracks[0][0] <= end:
            self._follow(number, *self._tracks.popleft())
        ended = self._end_unseen(number)
        if self._outputs:
            frame = self._heard(number)
            voices = [output.voice for output in self._outputs.values()]
            masks = _masks([voice.likelihood(frame) for voice in voices])
            for voice, mask in zip(voices, masks, strict=True):
                voice.learn(frame, mask)
            if number % _TURNS == 0:
                inverse = self._covariance.inverse()
                for voice in voices:
                    voice.solve(inverse)
            for output, mask in zip(self._outputs.values(), masks, strict=True):
                self._give(output, frame, mask)
        return ended

    def _heard(self, number: int) -> Frame:
        """Return a frame; the covariance learns it where it has not yet."""
        begin = number * self._hop
        spectra = self._analysis.spectra(self._recent.between(begin, begin + 2 * self._hop))
        spectra[self._left_out] = 0
        if number >= self._learnt:
            self._covariance.add(spectra)
            self._learnt = number + 1
        return Frame(number, spectra, *self._masks.whitened(spectra))

    def _give(self, output: _Output, frame: Frame, mask: np.ndarray) -> None:
        """Add the next hop of a track."""
        begin = frame.number * self._hop
        output.hops.append(output.voice.samples(frame, mask))
        output.next_hop = frame.number + 1
        output.lost += self._recent.lost_between(begin, begin + self._hop) * HOP // self._hop

    def _follow(self, number: int, index: int, tracks: tuple[Track, ...]) -> None:
        """Take the tracks at a sample before a frame is processed."""
        if number * self._hop - index > self._hold:
            # They come so late that their sounds would end at once.
            return
        for track in tracks:
            if track.id in self._outputs:
                self._outputs[track.id].voice.follow(track, self._masks)
            else:
                self._begin(number, index, track)
            self._outputs[track.id].voice.seen = index

    def _begin(self, number: int, index: int, track: Track) -> None:
        """Begin the sound of a track with what was heard before a frame."""
        first_detection = index - track.age * self._array.sampling_frequency
        first = int(first_detection - self._pre_roll) // self._hop
        # The frame before has a share in the first hop.
        oldest = -(-self._recent.begin // self._hop) + 1
        first = min(max(first, oldest, self._ended.get(track.id, oldest)), number)
        if not self._outputs:
            self._covariance.forget()
            self._learnt = first - 1
        wiener_filter = WienerFilter(*self._shape)
        voice = Voice(track, self._masks, wiener_filter, self._floor)
        others = [output.voice.direction for output in self._outputs.values()]
        output = self._outputs[track.id] = _Output(voice, first)
        frames = [self._heard(past) for past in range(first - 1, number)]
        masks = []
        for frame in frames:
            shares = [other.share(frame.whitened, frame.power) for other in others]
            beside = [other.likelihood(s) for other, s in zip(others, shares, strict=True)]
            masks.append(_masks([voice.likelihood(frame), *beside])[0])
        for frame, mask in zip(frames, masks, strict=True):
            voice.learn(frame, mask)
        voice.solve(self._covariance.inverse())
        # The first hop of the first frame lacks the frame before.
        voice.samples(frames[0], masks[0])
        for frame, mask in zip(frames[1:], masks[1:], strict=True):
            self._give(output, frame, mask)

    def _end_unseen(self, number: int) -> list[TrackSound]:
        """End the sounds of tracks that were not given for too long."""
        begin = number * self._hop
        unseen = [k for k, o in self._outputs.items() if begin - o.voice.seen > self._hold]
        if unseen:
            oldest = self._recent.begin // self._hop
            recent = {k: hop for k, hop in self._ended.items() if hop > oldest}
            self._ended = recent | dict.fromkeys(unseen, number)
        return [self._outputs.pop(k).piece(k, ends=True) for k in unseen]

    def _leave_out(self, dead: np.ndarray) -> None:
        """Leave out dead microphones from now on, shape (microphones,), bool."""
        self._left_out = dead
        self._masks.leave_out(dead)
        self._covariance.leave_out(dead)
        for output in self._outputs.values():
            output.voice.leave_out(dead, self._masks)


def _masks(likelihoods: list[np.ndarray]) -> list[np.ndarray]:
    """Return which share of each frequency is that of each voice, the rest being background."""
    total = BACKGROUND + sum(likelihoods)
    return [likelihood / total for likelihood in likelihoods]
