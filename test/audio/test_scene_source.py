# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulated scenes: what is heard is where the truth says, for any array."""

from dataclasses import replace
import math
import threading
import time

import numpy as np
import pytest
import soundfile

from doa_ros.audio.scene_source import SceneSource
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.resources import find_resource

_SCENE = {
    'rt60': 0.2,
    'snr': 20,
    'duration': 5,
    'lead': 1.5,
    'tail': 1,
    'azimuth_deg': 150,
    'speed_deg': 30,
}


def _clock():
    return 1000


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder with a talker, in words of noise at 16 kHz, and noise at 44.1 kHz."""
    folder = tmp_path_factory.mktemp('scene')
    rng = np.random.default_rng(1)
    words = rng.standard_normal(32000) * (np.arange(32000) % 4800 < 3200)
    soundfile.write(folder / 'speech.flac', 0.1 * words, 16000)
    soundfile.write(folder / 'noise.flac', 0.1 * rng.standard_normal(44100), 44100)
    soundfile.write(folder / 'silence.wav', np.zeros(16000), 16000)
    soundfile.write(folder / 'late.wav', np.linspace(-1, 1, 320_000).clip(0.99) - 0.99, 16000)
    soundfile.write(folder / 'nan.wav', np.full(1000, np.nan), 16000, subtype='FLOAT')
    return folder


@pytest.fixture(scope='module')
def scene(folder):
    """Return a function that makes a scene file."""

    def write(**settings):
        path = folder / 'scene.yaml'
        lines = [f'{key}: {value}' for key, value in {**_SCENE, **settings}.items()]
        path.write_text('\n'.join(lines))
        return path

    return write


@pytest.fixture(scope='module')
def play(scene):
    """Return a function that gives all blocks of a scene, as fast as possible."""

    def run(array, **settings):
        source = SceneSource(scene(**settings), array, block_duration=0.05, real_time=False)
        return list(source.blocks(_clock))

    return run


def _errors(array, blocks):
    """Return the angles [deg] between SRP-PHAT and the truth wherever the truth is known."""
    extractor = FeatureExtractor(array, FeatureConfig())
    config = LocalizerConfig(method='srp_phat', sensitivity=1.0)
    localizer = Localizer(array, extractor.config, config)
    errors = []
    for block in blocks:
        for window in extractor.push(block.first_sample_index, block.as_float()):
            if block.truth:
                found = localizer.locate(window).estimates[0]
                errors.append(abs(wrap_angle(found.azimuth - block.truth[0].azimuth)))
    return np.degrees(errors)


def test_what_is_heard_is_where_the_truth_says(uma8, play):
    blocks = play(uma8)
    errors = _errors(uma8, blocks)
    assert len(errors) > 25
    # The average of half a second lags behind the talker: 30 deg/s.
    assert np.median(errors) < 10
    assert np.percentile(errors, 90) < 20


def test_standing_talker_is_found_closely(uma8, play):
    errors = _errors(uma8, play(uma8, speed_deg=0, duration=4, rt60=0))
    assert np.median(errors) < 2


def test_small_array_on_other_channels(square, play):
    blocks = play(square, speed_deg=0, azimuth_deg=-75, duration=4)
    assert blocks[0].samples.shape == (800, 5)
    # Channel 2 is no microphone.
    used = np.any([block.samples.any(axis=0) for block in blocks], axis=0)
    assert used.tolist() == [True, True, False, True, True]
    assert np.median(_errors(square, blocks)) < 5


def test_array_face_down_hears_the_same_room(face_down, play):
    errors = _errors(face_down, play(face_down, speed_deg=0, duration=4))
    assert np.median(errors) < 3


def test_truth_is_there_only_while_the_talker_is(uma8, play):
    blocks = play(uma8)
    known = np.array([bool(block.truth) for block in blocks])
    assert len(blocks) == 100
    assert not known[:30].any()
    assert not known[81:].any()
    # Two of three parts of the time are words.
    assert 0.5 < known[30:80].mean() < 0.9
    for number in np.flatnonzero(known):
        (truth,) = blocks[number].truth
        angle = math.radians(150 + 30 * (number + 0.5) * 0.05)
        assert abs(wrap_angle(truth.azimuth - angle)) < 1e-6
        assert truth.elevation == pytest.approx(math.atan2(0.6, 1.5))
        assert truth.confidence == 1


_TWO = {'talkers': '[{azimuth_deg: 40, speed_deg: 0}, {azimuth_deg: -90, lead: 2.5, skip: 0.4}]'}


def test_each_talker_has_his_truth(uma8, play):
    blocks = play(uma8, rt60=0, **_TWO)
    first, second = (
        [number for number, block in enumerate(blocks)
         if any(abs(wrap_angle(t.azimuth - azimuth(number))) < 1e-6 for t in block.truth)]
        for azimuth in (
            lambda _: math.radians(40),
            lambda number: math.radians(-90 + 30 * (number + 0.5) * 0.05),
        )
    )  # fmt: skip
    assert min(first) in range(30, 34) and min(second) in range(50, 54)
    assert {len(block.truth) for block in blocks} == {0, 1, 2}
    # Both are heard: where one speaks alone, his direction is found.
    alone = [b if len(b.truth) == 1 else replace(b, truth=()) for b in blocks[32:50]]
    assert np.median(_errors(uma8, alone)) < 5


def test_talkers_differ_in_their_own_settings_alone(square, scene):
    source = SceneSource(scene(rt60=0, **_TWO), square, block_duration=0.05)
    first, second = source.talkers
    assert source.config == first
    assert (first.azimuth_deg, first.speed_deg, first.lead, first.skip) == (40, 0, 1.5, 0)
    assert (second.azimuth_deg, second.speed_deg, second.lead, second.skip) == (-90, 30, 2.5, 0.4)
    own = {'azimuth_deg', 'speed_deg', 'lead', 'skip'}
    one, other = ({k: v for k, v in vars(t).items() if k not in own} for t in source.talkers)
    assert one == other


def test_blocks_have_type_level_and_time(uma8, play):
    blocks = play(uma8)
    assert {b.samples.dtype for b in blocks} == {np.dtype(np.int32)}
    assert {b.samples.shape for b in blocks} == {(2400, 8)}
    assert [b.first_sample_index for b in blocks] == list(range(0, 240_000, 2400))
    assert [b.stamp for b in blocks] == [1000 + 50_000_000 * n for n in range(100)]
    # As quiet as a board: the loudest sample at -30 dBFS.
    peak = max(np.abs(b.as_float()).max() for b in blocks)
    assert 20 * math.log10(peak) == pytest.approx(-30, abs=0.1)


@pytest.mark.parametrize('snr', [0, 20])
def test_noise_is_as_loud_as_told(uma8, play, snr):
    blocks = play(uma8, snr=snr, rt60=0)

    def power(blocks):
        return np.mean([np.mean(b.as_float()[:, 1:7] ** 2) for b in blocks])

    noise = power(blocks[2:28])
    # Between first and last word, pauses included; the level is that of the words.
    words = power(blocks[30:80]) - noise
    assert 10 * math.log10(words / noise) == pytest.approx(snr, abs=2)


def test_same_scene_is_the_same_every_time(uma8, play):
    for one, other in zip(play(uma8, duration=3), play(uma8, duration=3), strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_loop_goes_on_counting_and_close_ends_it(square, scene):
    source = SceneSource(
        scene(duration=3, rt60=0), square, block_duration=0.05, real_time=False, loop=True
    )
    stream = source.blocks(_clock)
    blocks = [next(stream) for _ in range(130)]
    assert [b.first_sample_index for b in blocks] == [800 * n for n in range(130)]
    np.testing.assert_array_equal(blocks[120].samples, blocks[0].samples)
    source.close()
    assert next(stream, None) is None


def test_real_time_and_close_from_another_thread(square, scene):
    source = SceneSource(scene(duration=3, rt60=0), square, block_duration=0.05)
    blocks = []
    stream = source.blocks(time.monotonic_ns)
    thread = threading.Thread(target=lambda: blocks.extend(stream), daemon=True)
    thread.start()
    time.sleep(0.3)
    source.close()
    thread.join(2)
    assert not thread.is_alive()
    assert 2 <= len(blocks) <= 10


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        ({'colour': 'red'}, ConfigError, 'unknown colour'),
        ({'snr': 'loud'}, ConfigError, "snr must be a number, not 'loud'"),
        ({'duration': 0.1}, ConfigError, 'duration must be at least 1.0'),
        ({'snr': '.nan'}, ConfigError, 'snr must be finite'),
        ({'lead': 3, 'tail': 2}, ConfigError, 'lead and tail leave no time for speech'),
        ({'distance': 5}, ConfigError, r'the talker leaves the room at \d'),
        ({'height': 2.5}, ConfigError, 'the talker leaves the room'),
        ({'array_x': 7.0, 'azimuth_deg': 180, 'speed_deg': 0}, ConfigError,
         'the array lies outside'),
        ({'talkers': []}, ConfigError, 'talkers must be a list of at least one'),
        ({'talkers': 2}, ConfigError, 'talkers must be a list of at least one'),
        ({'talkers': [1]}, ConfigError, 'talker 0: must be a mapping'),
        ({'talkers': '[{snr: 1}]'}, ConfigError, 'talker 0: unknown snr'),
        ({'talkers': '[{}, {height: -1}]'}, ConfigError, 'height must be at least'),
        ({'talkers': '[{}, {distance: 5}]'}, ConfigError, r'the talker leaves the room at \d'),
        ({'speech': 'none.wav'}, AudioError, r'none.wav: cannot be read as audio'),
        ({'speech': 'scene.yaml'}, AudioError, 'scene.yaml: cannot be read as audio'),
        ({'noise': 'silence.wav'}, AudioError, 'silence.wav: holds no sound'),
        ({'speech': 'nan.wav'}, AudioError, 'nan.wav: holds no sound'),
        ({'speech': 'late.wav'}, ConfigError, 'begins with more silence than is used'),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings('error')
def test_wrong_scene(square, scene, settings, error, message):
    path = scene(**settings)
    with pytest.raises(error, match=message) as caught:
        SceneSource(path, square, block_duration=0.05)
    assert str(caught.value).startswith(f'{path.parent}/')


def test_missing_scene(square, folder):
    with pytest.raises(ConfigError, match=r'none.yaml: cannot be read \(No such file'):
        SceneSource(folder / 'none.yaml', square, block_duration=0.05)


@pytest.mark.parametrize(('name', 'talkers'), [('demo', 1), ('two_talkers', 2)])
def test_shipped_scene_is_complete(square, name, talkers):
    source = SceneSource(
        find_resource('scenes', name), square, block_duration=0.05, real_time=False
    )
    blocks = list(source.blocks(_clock))
    assert len(blocks) * 0.05 == pytest.approx(source.config.duration)
    assert sum(bool(block.truth) for block in blocks) > 100
    assert max(len(block.truth) for block in blocks) == talkers
