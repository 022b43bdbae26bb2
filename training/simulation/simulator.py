# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What an imperfect array hears in a scene, and the truth about it."""

from collections.abc import Callable, Iterator
import math

import numpy as np
from scipy import fft, signal

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.simulation.acoustics import DiffuseField, impulse_responses
from doa_ros.simulation.labels import active_blocks, brief_blocks, silent_blocks, voiced_blocks
from doa_ros.simulation.rendering import (
    convolve,
    direct_sound,
    gain_to_level,
    gain_to_peak,
    render_moving,
)

from ..data.clips import Clip, Source
from ..sections import SimulateConfig
from .corpus import Corpus
from .engines import ENGINES
from .imperfections import Specimen, draw_specimen
from .noises import recorded_noise
from .pauses import shorten_pauses
from .scenes import Place, Scene, draw_scene
from .sounds import burst, clap, coloured_noise, fan, gusts, motor

# Recordings hold some background of their own; it comes from the source's place, so that only
# what is further below the sound than this counts as silence [dB].
_AUDIBLE_RANGE = 60.0
_EGO: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    'fan': fan,
    'motor': motor,
}
# Powers relative to that of the diffuse noise [dB].
_DIRECTIONAL_DB, _EGO_DB = (-15.0, -3.0), (-6.0, 6.0)
# Samples of the response from a noise at the array.
_EGO_RESPONSE = 128
# How long talkers pause, and with turns speak and pause [s].
_PAUSE, _SPEAKING, _LONG_PAUSE = (0.1, 0.6), (1.5, 3.5), (0.2, 0.8)
_SHORT_SOUND_PAUSE = (0.4, 1.5)


class Simulator:
    """Simulates clips of one array; what they share is computed once.

    Args:
        array: the microphones.
        config: engine, rate, length and imperfections, and what scenes are drawn from.
        corpus: recordings, at the rate of the configuration.
        hop: length of the blocks that labels are for [s].

    Attributes:
        array: the microphones.
        corpus: the recordings.

    Raises:
        ConfigError: the recordings have another rate.
    """

    def __init__(self, array: MicArray, config: SimulateConfig, corpus: Corpus, hop: float):
        if corpus.rate != config.sampling_frequency:
            raise ConfigError('the sounds must have the sampling_frequency of the settings')
        self.array, self._config, self.corpus = array, config, corpus
        self._ambiguity = ambiguity_of(array)
        self._hop, self._rate = hop, config.sampling_frequency
        self._count = round(config.length * self._rate)
        self._engine = ENGINES[config.engine](array, self._rate)
        self._field = DiffuseField(array.positions, self._rate, array.speed_of_sound)
        self._specimen: Specimen | None = None
        if config.one_board:
            self._specimen = draw_specimen(np.random.default_rng(config.seed), array, config)

    def random_clip(self, rng: np.random.Generator, room: str) -> Clip:
        """Return a clip of a random scene, in a room of that name."""
        return self.clip(rng, draw_scene(rng, self._config, self._ambiguity), room)

    def clip(self, rng: np.random.Generator, scene: Scene, room: str) -> Clip:
        """Return what the array hears in a scene.

        Args:
            rng: source of what the scene does not say: sounds, noises and imperfections.
            scene: where.
            room: its name.
        """
        specimen = self._specimen or draw_specimen(rng, self.array, self._config)
        microphones = scene.centre + specimen.positions @ scene.turn.T
        block = round(self._hop * self._rate)
        blocks = self._count // block
        times = self._hop * np.arange(blocks)
        heard = np.zeros((len(microphones), self._count), dtype=np.float32)
        active, audible = np.zeros(blocks, dtype=bool), np.zeros(blocks, dtype=bool)
        sources = []
        for place in scene.sources:
            voice = self._voice(rng, scene, place)
            direct = direct_sound(
                self._labelled(scene, voice),
                place.distance,
                self._rate,
                self.array.speed_of_sound,
            )
            own = active_blocks(direct, block)
            sound = self._through_room(rng, scene, place, specimen, microphones, voice)
            power = _power(sound, own, block)
            if power > 0:
                heard += sound * np.float32(gain_to_level(power, place.level_db))
            active |= own
            own_audible = active_blocks(direct, block, _AUDIBLE_RANGE)
            audible |= own_audible
            azimuth, elevation = self._ambiguity.fold(
                place.azimuths(times), np.full(blocks, place.elevation)
            )
            sources.append(
                Source(
                    azimuth=azimuth,
                    elevation=elevation,
                    voiced=voiced_blocks(own)
                    if place.kind == 'speech'
                    else brief_blocks(own, self._hop),
                    distance=place.distance,
                    kind=place.kind,
                    silent=silent_blocks(own_audible, self._hop),
                )
            )
        noise, sensor = self._noise(rng, scene, specimen, microphones)
        total = float(np.mean(noise**2) + np.mean(sensor**2))
        power = _power(heard, active, block)
        # A source that says nothing in this clip leaves the noise as it is.
        scale = gain_to_level(total, -scene.snr, power) if power > 0 else 1.0
        for place in scene.noises:
            heard += self._directional_noise(
                rng, scene, place, specimen, microphones, power or total
            )
        audio = self._through_specimen(specimen, heard + np.float32(scale) * noise)
        audio += np.float32(scale) * sensor
        audio *= np.float32(gain_to_peak(audio, scene.peak_dbfs))
        return Clip(
            audio=np.ascontiguousarray(audio.T),
            sampling_frequency=self._rate,
            sources=tuple(sources),
            silent=silent_blocks(audible, self._hop) if sources else np.ones(blocks, dtype=bool),
            room=room,
            rt60=scene.room.rt60,
            snr=scene.snr,
            ego_noise=bool(scene.ego),
        )

    def _labelled(self, scene: Scene, voice: np.ndarray) -> np.ndarray:
        """Return what of a source tells when it is heard, shape (samples,)."""
        if scene.label_band is None:
            return voice
        band = signal.butter(4, scene.label_band, 'band', fs=self._rate, output='sos')
        return signal.sosfilt(band, voice).astype(np.float32)

    def _directional_noise(
        self,
        rng: np.random.Generator,
        scene: Scene,
        place: Place,
        specimen: Specimen,
        microphones: np.ndarray,
        reference: float,
    ) -> np.ndarray:
        """Return what is heard of one of the noises, shape (microphones, samples).

        Args:
            rng, scene, place, specimen, microphones: of `_through_room`.
            reference: the power that its level is relative to.
        """
        block = round(self._hop * self._rate)
        if place.sound is None:
            sound = recorded_noise(rng, self.corpus, self._count, 1)[0]
        else:
            sound = place.sound(rng, self.corpus, self._count).astype(np.float32)
        heard = self._through_room(rng, scene, place, specimen, microphones, sound)
        power = _power(heard, active_blocks(sound, block), block)
        return heard * np.float32(gain_to_level(power, place.level_db, reference))

    def _voice(self, rng: np.random.Generator, scene: Scene, place: Place) -> np.ndarray:
        """Return what a source sounds like by itself between lead and tail, shape (samples,).

        Short sounds, and all where there are several sources, begin some time after the lead.
        """
        kind = place.kind
        voice = np.zeros(self._count, dtype=np.float32)
        start = round(self._config.lead * self._rate)
        end = self._count - round(self._config.tail * self._rate)
        if len(scene.sources) > 1 or kind != 'speech':
            start += round(rng.uniform(0, min(0.5, self._config.length / 4)) * self._rate)
        if place.sound is not None:
            voice[start:end] = place.sound(rng, self.corpus, end - start)
            return voice
        if kind == 'speech':
            pause = _LONG_PAUSE if scene.speech == 'turns' else _PAUSE
        else:
            pause = _SHORT_SOUND_PAUSE
        while start < end:
            longest = end - start
            if scene.speech == 'turns':
                longest = min(longest, round(rng.uniform(*_SPEAKING) * self._rate))
            sound = self._sound(rng, kind, longest, scene.speech == 'steady')
            voice[start : start + len(sound)] = sound
            start += len(sound) + round(rng.uniform(*pause) * self._rate)
        return voice

    def _sound(
        self, rng: np.random.Generator, kind: str, longest: int, steady: bool
    ) -> np.ndarray:
        """Return one utterance, burst or clap; a steady utterance has no long pauses."""
        if kind == 'burst':
            return burst(rng, self._rate)[:longest]
        if kind == 'impulse':
            if self.corpus.files.get('impulse') and rng.random() < 0.5:
                return self.corpus.draw('impulse', rng)[: min(longest, self._rate)]
            return clap(rng, self._rate)[:longest]
        recording = self.corpus.draw('speech', rng)
        if steady:
            recording = shorten_pauses(recording, self._rate)
        if len(recording) <= longest:
            return recording
        # Recordings have an RMS of 1; a part of one with next to none is a pause.
        for _ in range(5):
            first = int(rng.integers(len(recording) - longest + 1))
            part = recording[first : first + longest]
            if np.mean(part**2) > 0.1:
                break
        return part

    def _through_room(
        self,
        rng: np.random.Generator,
        scene: Scene,
        place: Place,
        specimen: Specimen,
        microphones: np.ndarray,
        sound: np.ndarray,
    ) -> np.ndarray:
        """Return what the microphones hear of a sound, shape (microphones, samples)."""

        def hear(part: np.ndarray, stop: Place, rng: np.random.Generator) -> np.ndarray:
            source = scene.position(stop)
            responses = self._responses(rng, scene, stop, source, microphones)

            def shading(size: int) -> np.ndarray | None:
                frequencies = fft.rfftfreq(size, 1 / self._rate)
                return specimen.shading(stop.direction, frequencies)

            return convolve(part, responses[:, : self._count], shading)

        if not place.trajectory:
            return hear(sound, place, rng)[:, : self._count]
        # The diffuse tails of all stops have to be alike, or they would not add up.
        seed = int(rng.integers(2**32))
        return render_moving(
            sound,
            self._stops(place),
            lambda part, stop: hear(part, stop, np.random.default_rng(seed)),
            len(microphones),
        )

    def _responses(
        self,
        rng: np.random.Generator,
        scene: Scene,
        place: Place,
        source: np.ndarray,
        microphones: np.ndarray,
    ) -> np.ndarray:
        """Return the responses from a place, whose position is `source`: see `Engine`."""
        responses = self._engine.responses(rng, scene.room, source, microphones)
        speed = self.array.speed_of_sound
        changes = []
        if place.direct_db:
            changes.append((source, 10 ** (place.direct_db / 20) - 1))
        more = scene.hard_wall - scene.room.reflection(speed)
        if scene.hard_wall and more > 0:
            changes.append((scene.room.mirrored(source, microphones.mean(axis=0)), more))
        for reflector in scene.reflectors:
            image = reflector.mirrored(source, microphones.mean(axis=0))
            if image is not None:
                changes.append((image, reflector.reflection))
        if changes:
            positions, gains = (np.array(column) for column in zip(*changes, strict=True))
            responses += impulse_responses(
                positions, gains, microphones, self._rate, responses.shape[1], speed
            )
        return responses

    def _stops(self, place: Place) -> Iterator[tuple[int, np.ndarray, Place]]:
        """Yield the stops of `render_moving`: what sounds between two is shared out linearly."""
        stops = place.stops()
        times = np.array([time for time, _ in stops]) * self._rate
        samples = np.arange(self._count)
        for number, (_, stop) in enumerate(stops):
            begin = 0 if number == 0 else max(0, math.floor(times[number - 1]))
            last = number == len(stops) - 1
            end = self._count if last else min(self._count, math.ceil(times[number + 1]))
            shares = np.arange(len(stops)) == number
            yield begin, np.interp(samples[begin:end], times, shares), stop

    def _through_specimen(self, specimen: Specimen, sound: np.ndarray) -> np.ndarray:
        """Return sound as the imperfect microphones give it."""
        size = fft.next_fast_len(self._count, real=True)
        spectra = fft.rfft(sound, size, axis=1)
        spectra *= specimen.response(fft.rfftfreq(size, 1 / self._rate))
        return fft.irfft(spectra, size, axis=1)[:, : self._count]

    def _noise(
        self,
        rng: np.random.Generator,
        scene: Scene,
        specimen: Specimen,
        microphones: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return noise from outside and that of the microphones, shape (microphones, samples)."""
        shape = (len(microphones), self._count)
        sensor = rng.standard_normal(shape, dtype=np.float32)
        sensor *= np.float32(10 ** (scene.sensor_db / 20))
        if scene.quiet:
            return np.zeros(shape, dtype=np.float32), sensor
        if scene.diffuse is None:
            independent = self._independent_noises(rng, shape)
        else:
            alike = [scene.diffuse(rng, self.corpus, self._count) for _ in microphones]
            independent = np.array(alike, dtype=np.float32)
        noise = self._field.mix(independent)
        if scene.gusty:
            noise *= gusts(rng, self._count, self._rate)
        noise = _scaled(noise, 0.0)
        if scene.directional is not None:
            sound = recorded_noise(rng, self.corpus, self._count, 1)[0]
            sound = self._through_room(rng, scene, scene.directional, specimen, microphones, sound)
            noise += _scaled(sound, rng.uniform(*_DIRECTIONAL_DB))
        if scene.ego:
            # Below the array or beside it, so close that the room does not matter.
            place = rng.uniform([-0.1, -0.1, -0.2], [0.1, 0.1, -0.03])
            responses = impulse_responses(
                place[None],
                np.ones(1),
                specimen.positions,
                self._rate,
                _EGO_RESPONSE,
                self.array.speed_of_sound,
            )
            sound = convolve(responses, _EGO[scene.ego](rng, self._count, self._rate))
            noise += _scaled(sound[:, : self._count], rng.uniform(*_EGO_DB))
        return noise, sensor

    def _independent_noises(self, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        """Return unrelated noises of one kind: pieces of a recording, or coloured noise."""
        if rng.random() < 0.25:
            return coloured_noise(rng, shape, rng.uniform(0, 2))
        return recorded_noise(rng, self.corpus, shape[1], shape[0])


def _power(sound: np.ndarray, active: np.ndarray, block: int) -> float:
    """Return the mean power in the active blocks; 0 where there is none."""
    if not active.any():
        return 0.0
    blocks = sound[:, : len(active) * block].reshape(len(sound), len(active), block)
    return float(np.mean(np.square(blocks[:, active])))


def _scaled(sound: np.ndarray, level_db: float) -> np.ndarray:
    """Return sound with that mean power."""
    return sound * np.float32(gain_to_level(float(np.mean(np.square(sound))), level_db))
