# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Sources and noise in a room: simulated audio at the array and the truth about it."""

from dataclasses import dataclass, replace
import math

import numpy as np
from scipy import fft

from doa_ros.core.ambiguity import HORIZONTAL, Ambiguity, ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray, unit_vector, wrap_angle
from doa_ros.simulation.acoustics import DiffuseField, impulse_responses
from doa_ros.simulation.labels import active_blocks, brief_blocks, silent_blocks, voiced_blocks

from ..data.clips import Clip, Source
from ..sections import SimulateConfig
from .corpus import Corpus
from .engines import ENGINES, Room
from .imperfections import Specimen, draw_specimen
from .sounds import burst, clap, coloured_noise, fan, gusts, motor, shorten_pauses

# Least distance of a source from the walls [m].
_WALL_MARGIN = 0.2
# Recordings hold some background of their own; it comes from the source's place, so that only
# what is further below the sound than this counts as silence [dB].
_AUDIBLE_RANGE = 60.0
_EGO = {'fan': fan, 'motor': motor}
# Share of the noise-only clips that are nearly silent: the microphones' own noise alone.
_QUIET = 0.25
# Peak levels [dBFS]: as quiet as a real array; with noise alone; with next to nothing.
_LEVEL, _NOISE_LEVEL, _QUIET_LEVEL = (-40.0, -20.0), (-60.0, -30.0), (-90.0, -70.0)
# Powers relative to that of the diffuse noise [dB].
_DIRECTIONAL_DB, _EGO_DB, _SENSOR_DB = (-15.0, -3.0), (-6.0, 6.0), (-25.0, -5.0)
# How long talkers pause, and with turns speak and pause [s].
_PAUSE, _SPEAKING, _LONG_PAUSE = (0.1, 0.6), (1.5, 3.5), (0.2, 0.8)
_SHORT_SOUND_PAUSE = (0.4, 1.5)
# Who walks is heard from places so far apart in azimuth, one fading into the next [rad].
_STEP = math.radians(2)
_ATTEMPTS = 2000


@dataclass(frozen=True)
class Place:
    """A source of sound as seen from the array.

    Attributes:
        azimuth, elevation: in the array's frame [rad].
        distance: [m].
        kind: of `clips.SOURCE_KINDS`.
        level_db: power beside the other sources [dB].
        walk: instead of the azimuth, pairs of a time [s] and the azimuth then [rad], not wrapped;
            the source goes from one to the next at a constant rate, and stays before and after.
    """

    azimuth: float
    elevation: float
    distance: float
    kind: str = 'speech'
    level_db: float = 0.0
    walk: tuple[tuple[float, float], ...] = ()

    @property
    def direction(self) -> np.ndarray:
        """Unit vector in the array's frame."""
        return unit_vector(self.azimuth, self.elevation)

    def azimuths(self, times: np.ndarray) -> np.ndarray:
        """Return where it is at times [s], in [rad]."""
        if not self.walk:
            return np.full(len(times), self.azimuth)
        return wrap_angle(np.interp(times, *zip(*self.walk, strict=True)))

    def stops(self) -> list[tuple[float, 'Place']]:
        """Return places along the walk and when it is there [s], a small step from each other."""
        found = []
        for (begin, first), (end, last) in zip(self.walk, self.walk[1:], strict=False):
            count = max(1, math.ceil(abs(last - first) / _STEP))
            shares = np.arange(count) / count
            found += [(begin + s * (end - begin), first + s * (last - first)) for s in shares]
        found.append(self.walk[-1])
        return [(time, replace(self, azimuth=azimuth, walk=())) for time, azimuth in found]


@dataclass(frozen=True)
class Scene:
    """A room with an array and sources in it.

    Attributes:
        room: size and reverberation.
        centre: position of the array [m].
        heading: direction of the array's x axis in the room [rad].
        sources: none for noise alone.
        snr: power of all sources over all noise [dB].
        directional: where a noise comes from, besides the diffuse one.
        ego: 'fan' or 'motor' at the array; empty for none.
        quiet: whether there is no noise but the microphones' own.
        gusty: whether the diffuse noise swells and ebbs.
        sensor_db: power of the microphones' own noise over that of the diffuse noise [dB].
        peak_dbfs: highest level of the clip [dB of full scale].
        speech: 'natural': recordings as they are, one after the other; 'turns': with longer
            pauses; 'steady': without the longer ones of the recordings.
    """

    room: Room
    centre: np.ndarray
    heading: float
    sources: tuple[Place, ...]
    snr: float
    directional: Place | None = None
    ego: str = ''
    quiet: bool = False
    gusty: bool = False
    sensor_db: float = -15.0
    peak_dbfs: float = -30.0
    speech: str = 'natural'

    @property
    def turn(self) -> np.ndarray:
        """Rotation from the array's frame to the room's, shape (3, 3)."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])

    def position(self, place: Place) -> np.ndarray:
        """Return where a source is in the room [m]."""
        return self.centre + self.turn @ (place.distance * place.direction)


def draw_scene(
    rng: np.random.Generator, config: SimulateConfig, ambiguity: Ambiguity = HORIZONTAL
) -> Scene:
    """Draw a random room, array and sources.

    Args:
        rng: source of all randomness.
        config: what it is drawn from.
        ambiguity: of the array; sources are below its height where it tells that from above.

    Raises:
        ConfigError: the sources do not fit into the rooms.
    """
    noise_only = rng.random() < config.noise_only
    count = 0 if noise_only else int(rng.integers(1, config.sources_max + 1))
    for _ in range(_ATTEMPTS):
        size = rng.uniform([3.5, 3.5, 2.4], [9.0, 7.0, 3.6])
        centre = np.append(rng.uniform([1.0, 1.0], size[:2] - 1.0), rng.uniform(0.35, 1.2))
        heading = rng.uniform(-np.pi, np.pi)
        sources = [
            _draw_place(rng, config, ambiguity, size, centre, heading) for _ in range(count + 1)
        ]
        if None not in sources and _apart(sources[:count], config.separation_deg):
            break
    else:
        raise ConfigError(
            'the sources do not fit into the rooms: reduce distance_min, elevation_max_deg or '
            'separation_deg'
        )
    quiet = noise_only and rng.random() < _QUIET
    directional = not quiet and rng.random() < config.directional_noise
    ego = not quiet and rng.random() < config.ego_noise
    return Scene(
        room=Room(size, rng.uniform(config.rt60_min, config.rt60_max)),
        centre=centre,
        heading=heading,
        sources=tuple(sources[:count]),
        snr=math.nan if noise_only else rng.uniform(config.snr_min, config.snr_max),
        directional=sources[count] if directional else None,
        ego=str(rng.choice(list(_EGO))) if ego else '',
        quiet=quiet,
        gusty=rng.random() < config.gusty_noise,
        sensor_db=rng.uniform(*_SENSOR_DB),
        peak_dbfs=rng.uniform(*(_LEVEL if count else _QUIET_LEVEL if quiet else _NOISE_LEVEL)),
    )


def _draw_place(rng, config: SimulateConfig, ambiguity, size, centre, heading) -> Place | None:
    """Draw a source; None if the room is too small in its direction.

    The direction comes first and then a distance that fits, so that no direction is rarer than
    another.
    """
    azimuth = rng.uniform(-np.pi, np.pi)
    lowest = 0 if ambiguity.horizontal else -config.elevation_max_deg
    elevation = math.radians(rng.uniform(lowest, config.elevation_max_deg))
    ray = unit_vector(azimuth + heading, elevation)
    farthest = min(config.distance_max, free_distance(size, centre, ray))
    distance = rng.uniform(config.distance_min, max(farthest, config.distance_min))
    kind = 'speech'
    if rng.random() < config.short_sounds:
        kind = str(rng.choice(['burst', 'impulse']))
    level = rng.uniform(-3, 3)
    if farthest < config.distance_min:
        return None
    return Place(azimuth, elevation, distance, kind, level)


def free_distance(size: np.ndarray, centre: np.ndarray, ray: np.ndarray) -> float:
    """Return how far from the array a source can be [m].

    Args:
        size: of the room [m], shape (3,).
        centre: position of the array [m], shape (3,).
        ray: unit vector towards the source in the room, shape (3,).
    """
    free = np.where(ray > 0, size - _WALL_MARGIN - centre, centre - _WALL_MARGIN)
    return float(np.min(free / np.maximum(np.abs(ray), 1e-9)))


def _apart(places, separation_deg: float) -> bool:
    directions = np.array([place.direction for place in places]).reshape(-1, 3)
    cosines = directions @ directions.T - 2 * np.eye(len(directions))
    return bool((cosines <= math.cos(math.radians(separation_deg))).all())


class Simulator:
    """Simulates clips of one array; what they share is computed once.

    Args:
        array: the microphones.
        config: engine, rate, length and imperfections, and what scenes are drawn from.
        corpus: recordings, at the rate of the configuration.
        hop: length of the blocks that labels are for [s].

    Attributes:
        corpus: the recordings.

    Raises:
        ConfigError: the recordings have another rate.
    """

    def __init__(self, array: MicArray, config: SimulateConfig, corpus: Corpus, hop: float):
        if corpus.rate != config.sampling_frequency:
            raise ConfigError('the sounds must have the sampling_frequency of the settings')
        self._array, self._config, self.corpus = array, config, corpus
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
        specimen = self._specimen or draw_specimen(rng, self._array, self._config)
        microphones = scene.centre + specimen.positions @ scene.turn.T
        block = round(self._hop * self._rate)
        blocks = self._count // block
        times = self._hop * np.arange(blocks)
        heard = np.zeros((len(microphones), self._count), dtype=np.float32)
        active, audible = np.zeros(blocks, dtype=bool), np.zeros(blocks, dtype=bool)
        sources = []
        for place in scene.sources:
            voice = self._voice(rng, scene, place.kind)
            delay = round(place.distance / self._array.speed_of_sound * self._rate)
            direct = np.concatenate([np.zeros(delay, dtype=voice.dtype), voice])[: self._count]
            own = active_blocks(direct, block)
            sound = self._through_room(rng, scene, place, specimen, microphones, voice)
            power = _power(sound, own, block)
            if power > 0:
                heard += sound * np.float32(10 ** (place.level_db / 20) / math.sqrt(power))
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
        scale = math.sqrt(power / total) * 10 ** (-scene.snr / 20) if power > 0 else 1.0
        audio = self._through_specimen(specimen, heard + np.float32(scale) * noise)
        audio += np.float32(scale) * sensor
        audio *= np.float32(10 ** (scene.peak_dbfs / 20) / np.abs(audio).max())
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

    def _voice(self, rng, scene: Scene, kind: str) -> np.ndarray:
        """Return what a source sounds like by itself between lead and tail, shape (samples,).

        Short sounds, and all where there are several sources, begin some time after the lead.
        """
        voice = np.zeros(self._count, dtype=np.float32)
        start = round(self._config.lead * self._rate)
        end = self._count - round(self._config.tail * self._rate)
        if len(scene.sources) > 1 or kind != 'speech':
            start += round(rng.uniform(0, min(0.5, self._config.length / 4)) * self._rate)
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

    def _sound(self, rng, kind: str, longest: int, steady: bool) -> np.ndarray:
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

    def _through_room(self, rng, scene, place, specimen, microphones, sound) -> np.ndarray:
        """Return what the microphones hear of a sound, shape (microphones, samples)."""
        if not place.walk:
            return self._from_place(rng, scene, place, specimen, microphones, sound)[
                :, : self._count
            ]
        # What is said between two places comes from both, shared out linearly: the sum of all
        # parts is the sound. The diffuse tails have to be alike, or they would not add up.
        seed = int(rng.integers(2**32))
        stops = place.stops()
        times = np.array([time for time, _ in stops]) * self._rate
        samples = np.arange(self._count)
        heard = np.zeros((len(microphones), self._count), dtype=np.float32)
        for number, (_, stop) in enumerate(stops):
            begin = 0 if number == 0 else max(0, math.floor(times[number - 1]))
            last = number == len(stops) - 1
            end = self._count if last else min(self._count, math.ceil(times[number + 1]))
            share = np.interp(samples[begin:end], times, np.arange(len(stops)) == number)
            part = (share * sound[begin:end]).astype(np.float32)
            if not part.any():
                continue
            response = self._from_place(
                np.random.default_rng(seed), scene, stop, specimen, microphones, part
            )[:, : self._count - begin]
            heard[:, begin : begin + response.shape[1]] += response
        return heard

    def _from_place(self, rng, scene, place, specimen, microphones, sound) -> np.ndarray:
        """Return what is heard of a sound from one place, shape (microphones, some samples)."""
        source = scene.position(place)
        responses = self._engine.responses(rng, scene.room, source, microphones)
        responses = responses[:, : self._count]
        size = fft.next_fast_len(len(sound) + responses.shape[1], real=True)
        spectra = fft.rfft(responses, size, axis=1)
        spectra *= fft.rfft(sound, size)
        shading = specimen.shading(place.direction, fft.rfftfreq(size, 1 / self._rate))
        if shading is not None:
            spectra *= shading
        return fft.irfft(spectra, size, axis=1)

    def _through_specimen(self, specimen: Specimen, sound: np.ndarray) -> np.ndarray:
        """Return sound as the imperfect microphones give it."""
        size = fft.next_fast_len(self._count, real=True)
        spectra = fft.rfft(sound, size, axis=1)
        spectra *= specimen.response(fft.rfftfreq(size, 1 / self._rate))
        return fft.irfft(spectra, size, axis=1)[:, : self._count]

    def _noise(self, rng, scene, specimen, microphones) -> tuple[np.ndarray, np.ndarray]:
        """Return noise from outside and that of the microphones, shape (microphones, samples)."""
        shape = (len(microphones), self._count)
        sensor = rng.standard_normal(shape, dtype=np.float32)
        sensor *= np.float32(10 ** (scene.sensor_db / 20))
        if scene.quiet:
            return np.zeros(shape, dtype=np.float32), sensor
        noise = self._field.mix(self._independent_noises(rng, shape))
        if scene.gusty:
            noise *= gusts(rng, self._count, self._rate)
        noise = _scaled(noise, 0.0)
        if scene.directional is not None:
            sound = self._recorded_noise(rng, 1)[0]
            sound = self._through_room(rng, scene, scene.directional, specimen, microphones, sound)
            noise += _scaled(sound, rng.uniform(*_DIRECTIONAL_DB))
        if scene.ego:
            # Below the array or beside it, so close that the room does not matter.
            place = rng.uniform([-0.1, -0.1, -0.2], [0.1, 0.1, -0.03])
            responses = impulse_responses(
                place[None], np.ones(1), specimen.positions, self._rate, 128,
                self._array.speed_of_sound,
            )  # fmt: skip
            size = fft.next_fast_len(self._count + 128, real=True)
            sound = fft.rfft(_EGO[scene.ego](rng, self._count, self._rate), size)
            sound = fft.irfft(sound * fft.rfft(responses, size, axis=1), size, axis=1)
            noise += _scaled(sound[:, : self._count], rng.uniform(*_EGO_DB))
        return noise, sensor

    def _independent_noises(self, rng, shape) -> np.ndarray:
        """Return unrelated noises of one kind: pieces of a recording, or coloured noise."""
        if rng.random() < 0.25:
            return coloured_noise(rng, shape, rng.uniform(0, 2))
        return self._recorded_noise(rng, shape[0])

    def _recorded_noise(self, rng, count: int) -> np.ndarray:
        """Return pieces of one recording, shape (count, samples)."""
        recording = self.corpus.draw('noise', rng)
        if len(recording) < 2 * self._count:
            recording = np.resize(recording, 2 * self._count)
        starts = rng.integers(len(recording) - self._count, size=count)
        noises = np.stack([recording[start : start + self._count] for start in starts])
        # Recordings with long silences would leave nothing to scale.
        noises += np.float32(1e-3) * rng.standard_normal(noises.shape, dtype=np.float32)
        return noises


def _power(sound: np.ndarray, active: np.ndarray, block: int) -> float:
    """Return the mean power in the active blocks; 0 where there is none."""
    if not active.any():
        return 0.0
    blocks = sound[:, : len(active) * block].reshape(len(sound), len(active), block)
    return float(np.mean(np.square(blocks[:, active])))


def _scaled(sound: np.ndarray, level_db: float) -> np.ndarray:
    """Return sound with that mean power."""
    return sound * np.float32(10 ** (level_db / 20) / math.sqrt(np.mean(np.square(sound))))
