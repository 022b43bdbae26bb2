# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Random scenes and what an array hears in them."""

from dataclasses import replace
import math

import numpy as np
import pytest
from scipy import signal

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import unit_vector, wrap_angle
from doa_ros.simulation.acoustics import Reflector, Room
from training.sections import SimulateConfig
from training.simulation.corpus import load_corpus
from training.simulation.scenes import Place, Scene, draw_scene
from training.simulation.simulator import Simulator

HOP = 0.05
CONFIG = SimulateConfig(length=2.5, lead=1.0, gain_db=0.0, phase_deg=0.0, position=0.0)
SPEAKER = Place(azimuth=0.9, elevation=0.3, distance=1.5)


def scene(*sources, **changes):
    given = {
        'room': Room(np.array([5.0, 4.0, 3.0]), 0.2),
        'centre': np.array([2.0, 1.8, 1.0]),
        'heading': 0.4,
        'sources': sources,
        'snr': 20.0,
    }
    return Scene(**{**given, **changes})


@pytest.fixture(scope='module')
def make_clip(uma8, sounds):
    """Return a function that simulates a scene."""
    corpus = load_corpus(sounds, 'train', CONFIG.sampling_frequency)

    def make(where, seed=1, **settings):
        simulator = Simulator(uma8, replace(CONFIG, **settings), corpus, HOP)
        return simulator.clip(np.random.default_rng(seed), where, 'room')

    return make


@pytest.mark.parametrize(
    ('source', 'label'), [((2.4, -0.4), (math.pi - 2.4, -0.4)), ((0.6, -0.5), (0.6, -0.5))]
)
def test_label_is_what_the_array_can_tell(make_array, sounds, locate, source, label):
    upright = make_array([[0, 0.03, 0.03], [0, -0.03, 0.03], [0, -0.03, -0.03], [0, 0.03, -0.03]])
    corpus = load_corpus(sounds, 'train', CONFIG.sampling_frequency)
    place = replace(SPEAKER, azimuth=source[0], elevation=source[1], distance=1.0)
    simulator = Simulator(upright, CONFIG, corpus, HOP)
    clip = simulator.clip(np.random.default_rng(1), scene(place), 'room')
    labels = clip.sources[0].azimuth, clip.sources[0].elevation
    assert np.unique(labels, axis=1).ravel() == pytest.approx(label)
    found = locate(upright, clip.audio)
    angle = unit_vector(found.azimuth, found.elevation) @ unit_vector(*label)
    assert angle > math.cos(math.radians(8))


def test_sources_are_below_where_the_array_tells_it(uma8, tetrahedron):
    for array, lowest in ((uma8, 0), (tetrahedron, -math.radians(60))):
        rng = np.random.default_rng(3)
        config = replace(CONFIG, elevation_max_deg=60.0, noise_only=0.0)
        drawn = [draw_scene(rng, config, ambiguity_of(array)).sources[0] for _ in range(40)]
        elevations = [place.elevation for place in drawn]
        assert lowest <= min(elevations) < lowest + 0.3


def direction(uma8, locate, clip):
    found = locate(replace(uma8, sampling_frequency=clip.sampling_frequency), clip.audio)
    return unit_vector(found.azimuth, found.elevation)


@pytest.mark.parametrize('engine', ['fast', 'pyroomacoustics'])
@pytest.mark.parametrize('place', [SPEAKER, replace(SPEAKER, azimuth=-2.0, elevation=0.7)])
def test_sound_comes_from_where_the_label_says(uma8, locate, make_clip, engine, place):
    clip = make_clip(scene(place), engine=engine)
    assert direction(uma8, locate, clip) @ place.direction > math.cos(math.radians(8))
    assert clip.sources[0].azimuth == pytest.approx(place.azimuth)
    assert clip.sources[0].elevation == pytest.approx(place.elevation)
    assert (clip.rt60, clip.snr, clip.room) == (0.2, 20.0, 'room')


def test_speech_is_expected_after_the_lead_only(make_clip):
    clip = make_clip(scene(SPEAKER))
    voiced, silent = clip.sources[0].voiced, clip.silent
    assert voiced.shape == silent.shape == (50,)
    assert not voiced[:20].any() and voiced[20:].mean() > 0.4
    assert silent[:20].all() and not silent[20:].any()


def test_noise_is_as_loud_as_the_snr_says(make_clip):
    """The lead is noise alone, what follows is both."""
    rooms = {'room': Room(np.array([5.0, 4.0, 3.0]), 0.0)}
    for snr in (0.0, 10.0):
        ratios = []
        for seed in range(8):
            clip = make_clip(scene(SPEAKER, snr=snr, **rooms), seed)
            power = np.mean(clip.audio.reshape(50, -1) ** 2, axis=1)
            own = clip.sources[0].voiced & (power > 1.5 * power[:20].mean())
            ratios.append(power[own].mean() / power[:20].mean() - 1)
        assert 10 * np.log10(np.median(ratios)) == pytest.approx(snr, abs=2.5)


@pytest.mark.parametrize('kind', ['burst', 'impulse'])
def test_short_sounds_are_labelled_when_they_are_heard(make_clip, kind):
    clip = make_clip(scene(replace(SPEAKER, kind=kind), snr=30.0), length=4.0)
    voiced = clip.sources[0].voiced
    assert 0.02 < voiced.mean() < 0.6
    assert clip.sources[0].kind == kind
    power = np.mean(clip.audio[: len(voiced) * 800].reshape(len(voiced), -1) ** 2, axis=1)
    assert voiced[power.argmax()]


def test_two_talkers_have_labels_of_their_own(make_clip):
    other = replace(SPEAKER, azimuth=-1.5, level_db=-3.0)
    clip = make_clip(scene(SPEAKER, other), length=4.0)
    first, second = clip.sources
    assert first.azimuth[0] == SPEAKER.azimuth and second.azimuth[0] == other.azimuth
    assert not np.array_equal(first.voiced, second.voiced)


@pytest.mark.parametrize('engine', ['fast', 'pyroomacoustics'])
def test_a_hard_wall_reflects_more(uma8, locate, make_clip, engine):
    """What is heard of a talker whose direct sound is gone comes from that wall."""
    room = Room(np.array([6.0, 5.0, 3.0]), 0.15)
    place = replace(SPEAKER, azimuth=0.3, elevation=0.1, distance=1.0, direct_db=-40.0)
    where = scene(place, room=room, centre=np.array([2.0, 1.0, 1.2]), heading=0.0)
    clip = make_clip(replace(where, hard_wall=0.95), engine=engine)
    # The wall at y = 0 is the nearest one.
    image = where.position(place) * [1, -1, 1] - where.centre
    heard = direction(uma8, locate, clip)
    apart = math.atan2(heard[1], heard[0]) - math.atan2(image[1], image[0])
    assert abs(wrap_angle(apart)) < math.radians(8)


def test_what_stands_in_a_room_reflects(uma8, locate, make_clip):
    """What is heard of a talker whose direct sound is gone comes from the cupboard."""
    room = Room(np.array([6.0, 5.0, 3.0]), 0.0)
    place = replace(SPEAKER, azimuth=0.3, elevation=0.1, distance=1.5, direct_db=-40.0)
    where = scene(place, room=room, centre=np.array([2.0, 2.0, 1.2]), heading=0.0)
    cupboard = Reflector(np.array([2.7, 3.0, 1.3]), np.array([0.0, -1.0, 0.0]), 0.7, 0.9)
    image = cupboard.mirrored(where.position(place), where.centre) - where.centre
    heard = direction(uma8, locate, make_clip(replace(where, reflectors=(cupboard,))))
    apart = math.atan2(heard[1], heard[0]) - math.atan2(image[1], image[0])
    assert abs(wrap_angle(apart)) < math.radians(8)


@pytest.mark.parametrize('engine', ['fast', 'pyroomacoustics'])
def test_the_direct_sound_of_who_is_turned_away_is_weaker(make_clip, engine):
    def click(rng, corpus, samples):
        return np.eye(1, samples)[0]

    def direct_over_late(direct_db):
        place = replace(SPEAKER, sound=click, direct_db=direct_db)
        audio = make_clip(scene(place, snr=90.0, sensor_db=-90.0), engine=engine).audio[:, 0]
        begin = round((CONFIG.lead + 1.5 / 343) * CONFIG.sampling_frequency)
        power = np.square(audio, dtype=float)
        return 10 * np.log10(power[begin - 20 : begin + 20].sum() / power[begin + 400 :].sum())

    assert direct_over_late(-12.0) - direct_over_late(0.0) == pytest.approx(-12, abs=0.5)


def test_noises_without_a_sound_are_recordings(make_clip):
    noise = replace(SPEAKER, azimuth=-2.0, level_db=20.0)
    quiet, loud = (make_clip(scene(SPEAKER, noises=n)) for n in ((), (noise,)))
    lead = slice(0, round(0.9 * CONFIG.sampling_frequency))
    assert np.std(loud.audio[lead]) > 5 * np.std(quiet.audio[lead])
    np.testing.assert_array_equal(loud.sources[0].voiced, quiet.sources[0].voiced)


@pytest.mark.parametrize('changes', [{}, {'quiet': True}, {'ego': 'fan'}, {'ego': 'motor'},
                                     {'directional': SPEAKER}])  # fmt: skip
def test_noise_alone_is_silent_throughout(make_clip, changes):
    clip = make_clip(scene(snr=math.nan, **changes))
    assert clip.sources == () and clip.silent.all()


@pytest.mark.parametrize('level', [-80.0, -20.0])
def test_the_peak_is_where_the_scene_says(make_clip, level):
    clip = make_clip(scene(SPEAKER, peak_dbfs=level))
    assert 20 * np.log10(np.abs(clip.audio).max()) == pytest.approx(level, abs=0.01)


def test_nearly_silent_clips_are_drawn_quieter():
    rng = np.random.default_rng(1)
    drawn = [draw_scene(rng, replace(CONFIG, noise_only=0.8)) for _ in range(60)]
    quiet = [s.peak_dbfs for s in drawn if s.quiet]
    assert len(quiet) > 3 and max(quiet) <= -70
    assert all(s.peak_dbfs >= -60 for s in drawn if not s.quiet)
    assert all(s.peak_dbfs >= -40 for s in drawn if s.sources)


def test_the_tail_is_noise_alone(make_clip):
    clip = make_clip(scene(SPEAKER), length=4.0, tail=1.5)
    blocks = round(1.5 / HOP)
    assert not clip.sources[0].voiced[-blocks + 4 :].any()
    assert clip.sources[0].voiced[:-blocks].any()
    # The last second of a tail of 1.5 s, less the 60 dB of decay, is silent.
    assert clip.silent[-2:].all()


def test_the_microphones_noise_is_as_loud_as_the_scene_says(make_clip):
    """Diffuse noise is alike at all microphones at low frequencies, their own is not."""

    def coherence(sensor_db):
        audio = make_clip(scene(snr=math.nan, sensor_db=sensor_db)).audio
        low = signal.sosfilt(signal.butter(4, 300, fs=16000, output='sos'), audio, axis=0)
        return np.corrcoef(low[:, 0], low[:, 3])[0, 1]

    assert coherence(-25.0) > 0.8
    assert coherence(30.0) < 0.5


def test_gusty_noise_swells_and_ebbs(make_clip):
    def spread(**changes):
        clips = [make_clip(scene(snr=math.nan, **changes), seed, length=6.0) for seed in range(6)]
        powers = [np.mean(c.audio.reshape(12, -1) ** 2, axis=1) for c in clips]
        return np.mean([np.std(10 * np.log10(p)) for p in powers])

    assert spread(gusty=True) > spread() + 1


def test_one_board_is_the_same_in_all_clips(uma8, make_clip):
    """The gains of a specimen show in the levels of its microphones, here without noise."""

    def levels(seed, **settings):
        clip = make_clip(scene(SPEAKER, snr=40.0), seed, gain_db=6.0, **settings)
        power = np.sqrt(np.mean(clip.audio[16000:] ** 2, axis=0))
        return power / power.mean()

    np.testing.assert_allclose(levels(1, one_board=True), levels(2, one_board=True), rtol=0.15)
    assert np.abs(levels(1) - levels(2)).max() > 0.3


def test_drawn_scenes_stay_in_their_bounds():
    config = SimulateConfig(sources_max=3, separation_deg=30.0, elevation_max_deg=85.0)
    rng = np.random.default_rng(3)
    scenes = [draw_scene(rng, config) for _ in range(300)]
    for drawn in scenes:
        directions = [place.direction for place in drawn.sources]
        for k, place in enumerate(drawn.sources):
            assert 0.3 <= place.distance <= 5.0
            assert 0 <= place.elevation <= math.radians(85)
            position = drawn.position(place)
            assert (position > 0.19).all() and (position < drawn.room.size - 0.19).all()
            for other in directions[:k]:
                assert directions[k] @ other <= math.cos(math.radians(30)) + 1e-9
        assert 0.1 <= drawn.room.rt60 <= 1.0
    counts = np.bincount([len(drawn.sources) for drawn in scenes], minlength=4) / 300
    assert counts[0] == pytest.approx(0.1, abs=0.06)
    assert counts[1:] == pytest.approx(0.3, abs=0.08)
    kinds = [place.kind for drawn in scenes for place in drawn.sources]
    assert np.mean([kind != 'speech' for kind in kinds]) == pytest.approx(0.15, abs=0.06)
    # No direction is rarer than another because the ceiling is near.
    elevations = [place.elevation for drawn in scenes for place in drawn.sources]
    assert np.mean(np.degrees(elevations) > 42.5) == pytest.approx(0.5, abs=0.08)


def test_sources_that_fit_into_no_room_are_refused():
    config = SimulateConfig(distance_min=10.0, distance_max=10.0)
    with pytest.raises(ConfigError, match='do not fit'):
        draw_scene(np.random.default_rng(1), config)


def test_sounds_of_another_rate_are_refused(uma8, sounds):
    with pytest.raises(ConfigError, match='sampling_frequency'):
        Simulator(uma8, CONFIG, load_corpus(sounds, 'train', 48000), HOP)


@pytest.mark.parametrize('engine', ['fast', 'pyroomacoustics'])
def test_a_trajectory_that_stays_sounds_like_a_source_that_stays(make_clip, engine):
    """Without reverberation, whose tail is random in the fast engine."""
    rooms = {'room': Room(np.array([5.0, 4.0, 3.0]), 0.2 if engine == 'pyroomacoustics' else 0.0)}
    azimuth = SPEAKER.azimuth
    steps = tuple((time, azimuth) for time in (0.3, 1.2, 1.21, 1.73, 1.9))
    still = make_clip(scene(SPEAKER, snr=60.0, **rooms), engine=engine)
    walking = make_clip(
        scene(replace(SPEAKER, trajectory=steps), snr=60.0, **rooms), engine=engine
    )
    # The seed of the trajectory leaves other noise, far below.
    error = np.sqrt(np.mean((walking.audio - still.audio) ** 2) / np.mean(still.audio**2))
    assert error < 0.01
    np.testing.assert_allclose(walking.sources[0].azimuth, still.sources[0].azimuth)
    np.testing.assert_array_equal(walking.sources[0].voiced, still.sources[0].voiced)


def test_a_source_that_moves_is_heard_where_it_is(uma8, locate, make_clip):
    begin, rate = math.radians(-100), math.radians(60)
    place = replace(SPEAKER, trajectory=((1.0, begin), (4.0, begin + 3 * rate)))
    clip = make_clip(scene(place, snr=30.0), length=5.0)
    azimuth = clip.sources[0].azimuth
    assert azimuth[:20] == pytest.approx(begin)
    assert azimuth[40] == pytest.approx(begin + rate)
    assert azimuth[-20:] == pytest.approx(begin + 3 * rate)
    array = replace(uma8, sampling_frequency=clip.sampling_frequency)
    block = round(HOP * clip.sampling_frequency)
    for first in (30, 45, 60, 90):
        found = locate(array, clip.audio[first * block : (first + 4) * block])
        # In the middle of the four blocks.
        assert abs(math.degrees(wrap_angle(found.azimuth - azimuth[first + 2]))) < 6


def test_trajectories_are_made_of_small_steps():
    place = replace(SPEAKER, trajectory=((0.0, 3.0), (1.0, 3.0), (2.0, 4.0)))
    times, stops = zip(*place.stops(), strict=True)
    assert list(times) == sorted(times) and times[0] == 0.0 and times[-1] == 2.0
    azimuths = [stop.azimuth for stop in stops]
    assert max(np.diff(azimuths)) <= math.radians(2) + 1e-9
    assert len(stops) == 1 + 29 + 1 and not any(stop.trajectory for stop in stops)
    assert place.azimuths(np.array([0.5, 2.0])) == pytest.approx([3.0, 4.0 - 2 * math.pi])
