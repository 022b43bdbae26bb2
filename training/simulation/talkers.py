# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Talkers in a room, and what of each of them a separation should give.

That is the direct sound and the reflections of the next 30 ms, in the centre of the array: ears
take them for one. All later reverberation is disturbance.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import fft

from doa_ros.core.geometry import MicArray
from doa_ros.simulation.acoustics import DiffuseField
from doa_ros.simulation.labels import active_blocks
from doa_ros.simulation.rendering import convolve, gain_to_level, gain_to_peak

from ..sections import SimulateConfig
from .corpus import Corpus
from .engines import ENGINES
from .imperfections import draw_specimen
from .noises import recorded_noise
from .pauses import shorten_pauses
from .scenes import Place, Scene

# Later reflections are disturbance [s].
_EARLY = 0.03
# Between utterances [s].
_PAUSE = (0.1, 0.6)
# Blocks in which it is decided whether somebody speaks [s].
_BLOCK = 0.01


@dataclass(frozen=True)
class HeardTalker:
    """A talker, and what should be given of them.

    Attributes:
        azimuth, elevation: in the array's frame [rad].
        early: direct sound and early reflections in the centre, shape (samples,).
        begin: index of the first sample that is heard.
    """

    azimuth: float
    elevation: float
    early: np.ndarray
    begin: int


@dataclass(frozen=True)
class TalkersClip:
    """What an array hears of talkers and noise.

    Attributes:
        audio: of the microphones, shape (samples, microphones), float32.
        centre: what a microphone in the centre would hear, shape (samples,).
        talkers: with what should be given of each.
        room: its name.
    """

    audio: np.ndarray
    centre: np.ndarray
    talkers: tuple[HeardTalker, ...]
    room: str

    def without(self, microphones: np.ndarray) -> 'TalkersClip':
        """Return the clip as it is heard while these microphones are dead."""
        audio = self.audio.copy()
        audio[:, microphones] = 0
        return replace(self, audio=audio)


class TalkersSimulator:
    """Simulates clips of talkers at one array.

    Args:
        array: the microphones; none is in the centre.
        config: engine, rate, length, lead and imperfections.
        corpus: recordings, at the rate of the configuration.
    """

    def __init__(self, array: MicArray, config: SimulateConfig, corpus: Corpus):
        self._array, self._config, self._corpus = array, config, corpus
        self._rate = config.sampling_frequency
        self._count = round(config.length * self._rate)
        positions = np.vstack([array.positions, array.positions.mean(axis=0)])
        count = len(positions)
        with_centre = replace(
            array,
            positions=positions,
            labels=(*array.labels, 'centre of the array'),
            channels=tuple(range(count)),
            channel_count=count,
            silent_channels=(),
            factory_channels=0,
            order=(),
        )
        self._engine = ENGINES[config.engine](with_centre, self._rate)
        self._field = DiffuseField(positions, self._rate, array.speed_of_sound)

    def clip(self, rng: np.random.Generator, scene: Scene, room: str) -> TalkersClip:
        """Return what is heard in a scene, in a room of that name.

        Args:
            rng: source of what the scene does not say: speech, noises and imperfections.
            scene: its sources are the talkers, who do not move.
            room: its name.
        """
        specimen = draw_specimen(rng, self._array, self._config)
        places = np.vstack([specimen.positions, self._array.positions.mean(axis=0)])
        microphones = scene.centre + places @ scene.turn.T
        total = np.zeros((len(places), self._count), dtype=np.float32)
        talkers = []
        for place in scene.sources:
            heard, early = self._through_room(rng, scene, place, microphones, self._speech(rng))
            gain = np.float32(_gain(heard[-1], place.level_db, round(_BLOCK * self._rate)))
            total += gain * heard
            active = active_blocks(early, round(_BLOCK * self._rate))
            begin = int(np.argmax(active)) * round(_BLOCK * self._rate)
            talkers.append(HeardTalker(place.azimuth, place.elevation, gain * early, begin))
        for place in scene.noises:
            assert place.sound is not None
            sound = place.sound(rng, self._corpus, self._count).astype(np.float32)
            heard, _ = self._through_room(rng, scene, place, microphones, sound)
            total += heard * np.float32(_gain(heard[-1], place.level_db))
        noise = self._field.mix(recorded_noise(rng, self._corpus, self._count, len(places)))
        sensor = rng.standard_normal(noise.shape, dtype=np.float32)
        total += noise * np.float32(_gain(noise[-1], -scene.snr))
        total[:-1] += sensor[:-1] * np.float32(10 ** ((scene.sensor_db - scene.snr) / 20))
        size = fft.next_fast_len(self._count, real=True)
        spectra = fft.rfft(total[:-1], size)
        spectra *= specimen.response(fft.rfftfreq(size, 1 / self._rate))
        audio = fft.irfft(spectra, size)[:, : self._count]
        gain = np.float32(gain_to_peak(audio, scene.peak_dbfs))
        return TalkersClip(
            audio=np.ascontiguousarray(gain * audio.T, dtype=np.float32),
            centre=gain * total[-1],
            talkers=tuple(replace(talker, early=gain * talker.early) for talker in talkers),
            room=room,
        )

    def _speech(self, rng: np.random.Generator) -> np.ndarray:
        """Return utterances from the lead to the end, shape (samples,)."""
        speech = np.zeros(self._count, dtype=np.float32)
        begin = round((self._config.lead + rng.uniform(0, 0.5)) * self._rate)
        while begin < self._count:
            utterance = shorten_pauses(self._corpus.draw('speech', rng), self._rate)
            utterance = utterance[: self._count - begin]
            speech[begin : begin + len(utterance)] = utterance
            begin += len(utterance) + round(rng.uniform(*_PAUSE) * self._rate)
        return speech

    def _through_room(
        self,
        rng: np.random.Generator,
        scene: Scene,
        place: Place,
        microphones: np.ndarray,
        sound: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what is heard of a sound, and what of it is early in the centre."""
        responses = self._engine.responses(rng, scene.room, scene.position(place), microphones)
        until = place.distance / self._array.speed_of_sound + _EARLY
        early = responses[-1:, : round(until * self._rate)]
        heard = convolve(sound, responses[:, : self._count])[:, : self._count]
        return heard, convolve(sound, early)[0, : self._count]


def _gain(sound: np.ndarray, level_db: float, block: int = 0) -> float:
    """Return the gain to a level, while something is heard where there are blocks."""
    if block:
        active = np.repeat(active_blocks(sound, block), block)
        sound = sound[: len(active)][active]
    return gain_to_level(float(np.mean(np.square(sound))), level_db)
