# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sound of each track in a free field: what is in it, and that it has no holes."""

from dataclasses import replace
import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import unit_vector
from doa_ros.core.separation.config import SeparationConfig
from doa_ros.core.separation.separator import SourceSeparator
from doa_ros.core.separation.short_time_fourier import HOP, RATE, WINDOW
from doa_ros.core.tracking.track import Track
from doa_ros.resources import config_directory

_ARRAYS = sorted(path.stem for path in (config_directory() / 'arrays').glob('*.yaml'))
_CONFIG = SeparationConfig()
_BLOCK = 800


@pytest.fixture(scope='module')
def array(uma8):
    """The microphones of the UMA-8 alone, at 16 kHz."""
    alone = {'channels': tuple(range(6)), 'channel_count': 6, 'silent_channels': ()}
    return replace(uma8, sampling_frequency=RATE, **alone)


def _track(number, azimuth, elevation=0.3, *, age=0.0, confirmed=True):
    return Track(number, azimuth, elevation, 0, 0, 0.05, 0.05, 0, 0, 1, age, confirmed, False)


def _syllables(seconds, seed, rate=RATE):
    """Return noise in bands that come and go: like speech, it leaves gaps for others."""
    generator = np.random.default_rng(seed)
    count = round(seconds * rate)
    spectrum = np.fft.rfft(generator.standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / rate)
    total = np.zeros(count)
    steps = np.arange(0, seconds + 0.1, 0.1)
    for low in range(200, 7000, 400):
        band = np.fft.irfft(spectrum * ((frequencies >= low) & (frequencies < low + 400)), count)
        levels = generator.random(len(steps)) < 0.3
        total += band * np.interp(np.arange(count) / rate, steps, levels)
    return (0.05 * total / np.std(total)).astype(np.float32)


def _heard(array, sound, azimuth, elevation=0.3):
    """Return what the microphones hear of a far source, shape (samples, microphones)."""
    rate = array.sampling_frequency
    delay = -array.frame_positions @ unit_vector(azimuth, elevation) / array.speed_of_sound
    turns = np.exp(-2j * np.pi * np.outer(delay, np.fft.rfftfreq(len(sound), 1 / rate)))
    return np.fft.irfft(np.fft.rfft(sound) * turns, len(sound)).T.astype(np.float32)


def _pushed(separator, audio, *, block=_BLOCK, first=0):
    return [
        piece
        for begin in range(0, len(audio), block)
        for piece in separator.push(first + begin, audio[begin : begin + block])
    ]


def _joined(pieces, number):
    """Return the index of the first sample and all samples of a track; they have no holes."""
    mine = [piece for piece in pieces if piece.track_id == number]
    expected = mine[0].first_sample_index
    for piece in mine:
        assert piece.first_sample_index == expected
        expected += len(piece.samples)
    assert [piece.begins for piece in mine] == [True, *[False] * (len(mine) - 1)]
    assert not any(piece.ends for piece in mine[:-1])
    return mine[0].first_sample_index, np.concatenate([piece.samples for piece in mine])


def _separated(array, audio, tracks, config=_CONFIG, **how):
    separator = SourceSeparator(array, replace(config, hold_time=60.0))
    separator.update(how.get('first', 0), tracks)
    return _pushed(separator, audio, **how)


def _levels(output, sounds):
    """Return how loud each sound is in an output, by least squares, and what else is there."""
    sounds = np.array(sounds)
    gains, *_ = np.linalg.lstsq(sounds.T, output, rcond=None)
    return gains, np.std(output - gains @ sounds) / np.std(output)


@pytest.mark.parametrize('post_filter_db', [0.0, 20.0])
def test_a_talker_alone_is_given_as_they_sound(array, post_filter_db):
    sound = _syllables(3, 1)
    config = replace(_CONFIG, post_filter_db=post_filter_db)
    pieces = _separated(array, _heard(array, sound, 0.5), [_track(1, 0.5)], config)
    first, samples = _joined(pieces, 1)
    (gain,), rest = _levels(samples[RATE:], [sound[first + RATE :][: len(samples) - RATE]])
    assert gain == pytest.approx(1, abs=0.03)
    assert rest < 0.1


@pytest.mark.parametrize('name', _ARRAYS)
def test_each_of_two_talkers_is_given_without_the_other(name):
    array = load_array(config_directory() / 'arrays' / f'{name}.yaml')
    rate = array.sampling_frequency
    sounds = [_syllables(3, seed, rate) for seed in (1, 2)]
    audio = sum(_heard(array, s, a) for s, a in zip(sounds, (0.0, 1.7), strict=True))
    pieces = _separated(array, audio, [_track(1, 0.05), _track(2, 1.65)], block=4000)
    for number in (1, 2):
        first, samples = _joined(pieces, number)
        samples = samples[RATE:]
        step = rate // RATE
        apart = [s[(first + RATE) * step :: step][: len(samples)] for s in sounds]
        gains, _ = _levels(samples, apart)
        mine, other = gains[number - 1], gains[2 - number]
        assert 0.7 < mine < 1.1
        assert 20 * math.log10(abs(other) / mine) < -18


@pytest.mark.parametrize('block', [1, 37, 320, 5000])
def test_blocks_of_any_length_give_the_same(array, block):
    sounds = [_syllables(1, seed) for seed in (1, 2)]
    audio = sum(_heard(array, s, a) for s, a in zip(sounds, (0.0, 1.7), strict=True))
    tracks = [_track(1, 0.0), _track(2, 1.7)]
    expected = _separated(array, audio, tracks)
    found = _separated(array, audio, tracks, block=block)
    for number in (1, 2):
        for one, other in zip(_joined(found, number), _joined(expected, number), strict=True):
            assert np.array_equal(one, other)


def test_a_sample_is_given_within_40_ms(array):
    separator = SourceSeparator(array, _CONFIG)
    separator.update(0, [_track(1, 0.5)])
    audio = _heard(array, _syllables(1, 1), 0.5)
    given = 0
    for begin in range(0, len(audio), 100):
        for piece in separator.push(begin, audio[begin : begin + 100]):
            given = piece.first_sample_index + len(piece.samples)
        assert begin + 100 - given < WINDOW


def test_48_khz_sounds_like_16_khz(array):
    fast = replace(array, sampling_frequency=48000)
    sound = _syllables(2, 1, 48000)
    _, samples = _joined(_separated(fast, _heard(fast, sound, 0.5), [_track(1, 0.5)]), 1)
    _, expected = _joined(_separated(array, _heard(array, sound[::3], 0.5), [_track(1, 0.5)]), 1)
    difference = (samples - expected)[RATE // 2 :]
    assert np.std(difference) < 0.05 * np.std(expected)


def test_a_track_that_is_confirmed_late_has_its_beginning(array):
    sound = np.concatenate([np.zeros(RATE, np.float32), _syllables(2, 1)])
    audio = _heard(array, sound, 0.5)
    separator = SourceSeparator(array, _CONFIG)
    # The first detection is 0.3 s after the first syllable, the confirmation 0.5 s later.
    confirmed = round(1.8 * RATE)
    assert _pushed(separator, audio[:confirmed]) == []
    separator.update(confirmed, [_track(1, 0.5, age=0.5)])
    first, samples = _joined(_pushed(separator, audio[confirmed:], first=confirmed), 1)
    assert first == pytest.approx((1.3 - _CONFIG.pre_roll) * RATE, abs=HOP)
    onset = slice(RATE - first, round(1.3 * RATE) - first)
    heard = sound[RATE : round(1.3 * RATE)]
    (gain,), rest = _levels(samples[onset], [heard])
    assert gain > 0.9
    assert rest < 0.3


def test_a_second_talker_who_is_confirmed_late_has_theirs(array):
    sounds = [_syllables(3, seed) for seed in (1, 2)]
    sounds[1][:RATE] = 0
    audio = sum(_heard(array, s, a) for s, a in zip(sounds, (0.0, 1.7), strict=True))
    separator = SourceSeparator(array, _CONFIG)
    separator.update(0, [_track(1, 0.0)])
    confirmed = round(1.4 * RATE)
    pieces = _pushed(separator, audio[:confirmed])
    separator.update(confirmed, [_track(1, 0.0), _track(2, 1.7, age=0.1)])
    pieces += _pushed(separator, audio[confirmed:], first=confirmed)
    _joined(pieces, 1)
    first, samples = _joined(pieces, 2)
    assert first <= RATE
    onset = slice(RATE - first, confirmed - first)
    gains, _ = _levels(samples[onset], [s[RATE:confirmed] for s in sounds])
    assert gains[1] > 0.6
    assert abs(gains[0]) < 0.25


def test_tracks_that_are_not_confirmed_or_have_no_azimuth_have_no_sound(array):
    audio = _heard(array, _syllables(1, 1), 0.5)
    tracks = [_track(0, 0.5, confirmed=False), _track(2, math.nan)]
    assert _separated(array, audio, tracks) == []


def test_a_pause_leaves_no_hole(array):
    audio = _heard(array, _syllables(6, 1), 0.5)
    separator = SourceSeparator(array, _CONFIG)
    pieces = []
    for second in range(6):
        # The tracker gives nothing for two seconds.
        separator.update(second * RATE, [_track(1, 0.5)] if second != 3 else [])
        part = audio[second * RATE : (second + 1) * RATE]
        pieces += _pushed(separator, part, first=second * RATE)
    _, samples = _joined(pieces, 1)
    assert len(samples) == 6 * RATE - HOP


def test_a_track_that_is_gone_ends_and_comes_back_as_a_new_sound(array):
    audio = _heard(array, _syllables(8, 1), 0.5)
    separator = SourceSeparator(array, _CONFIG)
    separator.update(0, [_track(1, 0.5)])
    pieces = _pushed(separator, audio[: 4 * RATE])
    assert pieces[-1].ends
    first, samples = _joined(pieces, 1)
    assert first + len(samples) == pytest.approx(_CONFIG.hold_time * RATE, abs=2 * HOP)
    # Nothing is given twice, however long the pre-roll is.
    separator.update(round(3.0 * RATE), [_track(1, 0.5, age=3.0)])
    again, _ = _joined(_pushed(separator, audio[4 * RATE :], first=4 * RATE), 1)
    assert again >= first + len(samples)


def test_lost_audio_is_silence_of_the_same_length_and_said(array):
    audio = _heard(array, _syllables(3, 1), 0.5)
    separator = SourceSeparator(array, replace(_CONFIG, hold_time=10.0))
    separator.update(0, [_track(1, 0.5)])
    pieces = _pushed(separator, audio[:RATE])
    pieces += _pushed(separator, audio[2 * RATE :], first=2 * RATE)
    first, samples = _joined(pieces, 1)
    assert first + len(samples) == 3 * RATE - HOP
    assert not samples[RATE + HOP : 2 * RATE - HOP].any()
    assert samples[:RATE].any() and samples[2 * RATE :].any()
    assert sum(piece.lost for piece in pieces) == RATE


def test_more_loss_than_a_pause_ends_all_sounds(array):
    audio = _heard(array, _syllables(2, 1), 0.5)
    separator = SourceSeparator(array, _CONFIG)
    separator.update(0, [_track(1, 0.5)])
    pieces = _pushed(separator, audio[:RATE]) + separator.push(100 * RATE, audio[RATE:])
    assert pieces[-1].ends
    _joined(pieces, 1)
    separator.update(101 * RATE, [_track(2, 0.5)])
    pieces = _pushed(separator, audio[:RATE], first=101 * RATE)
    assert _joined(pieces, 2)[0] == pytest.approx((101 - _CONFIG.pre_roll) * RATE, abs=HOP)


def test_a_stream_that_starts_again_ends_all_sounds(array):
    audio = _heard(array, _syllables(1, 1), 0.5)
    separator = SourceSeparator(array, _CONFIG)
    separator.update(12345, [_track(1, 0.5)])
    pieces = _pushed(separator, audio, first=12345)
    # A block that is there from its first sample on.
    assert pieces[0].first_sample_index == 12345 // HOP * HOP
    pieces += separator.push(0, audio)
    assert pieces[-1].ends
    # All that was heard is given.
    first, samples = _joined(pieces, 1)
    assert 0 <= first + len(samples) - (12345 + len(audio)) < HOP
    assert separator.close() == []


@pytest.mark.parametrize('bad', [np.nan, np.inf, 1e30])
def test_samples_that_are_no_numbers_are_lost(array, bad):
    audio = _heard(array, _syllables(3, 1), 0.5)
    clean = _joined(_separated(array, audio, [_track(1, 0.5)]), 1)[1]
    audio[RATE + 5, 2] = bad
    pieces = _separated(array, audio, [_track(1, 0.5)])
    _, samples = _joined(pieces, 1)
    assert sum(piece.lost for piece in pieces) == _BLOCK
    assert np.isfinite(samples).all()
    assert np.array_equal(samples[: RATE - HOP], clean[: RATE - HOP])
    assert np.std((samples - clean)[2 * RATE :]) < 0.1 * np.std(clean)


@pytest.mark.parametrize('dead', [(2,), (0, 3)])
def test_dead_microphones_are_left_out(array, dead):
    sounds = [_syllables(6, seed) for seed in (1, 2)]
    audio = sum(_heard(array, s, a) for s, a in zip(sounds, (0.0, 1.7), strict=True))
    # They die while somebody talks.
    audio[2 * RATE :, dead] = 0
    pieces = _separated(array, audio, [_track(1, 0.0), _track(2, 1.7)])
    for number in (1, 2):
        first, samples = _joined(pieces, number)
        late = slice(5 * RATE, None)
        apart = [s[first + 5 * RATE :][: len(samples) - 5 * RATE] for s in sounds]
        gains, _ = _levels(samples[late], apart)
        assert 0.6 < gains[number - 1] < 1.1
        assert abs(gains[2 - number]) < 0.15


def test_talkers_who_cross_keep_their_sounds(array):
    """Before and after, each sound holds the talker that the tracker says."""
    seconds, step = 6, RATE // 5
    sounds = [_syllables(seconds, seed) for seed in (1, 2)]
    courses = [np.linspace(-0.8, 0.8, seconds * 5), np.linspace(0.8, -0.8, seconds * 5)]
    separator = SourceSeparator(array, _CONFIG)
    pieces = []
    for number, azimuths in enumerate(zip(*courses, strict=True)):
        now = slice(number * step, (number + 1) * step)
        separator.update(now.start, [_track(k + 1, azimuths[k]) for k in (0, 1)])
        heard = [_heard(array, s[now], a) for s, a in zip(sounds, azimuths, strict=True)]
        pieces += separator.push(now.start, sum(heard))
    for number in (1, 2):
        _, samples = _joined(pieces, number)
        for part in (slice(RATE, 2 * RATE), slice(5 * RATE, None)):
            gains, _ = _levels(samples[part], [s[: len(samples)][part] for s in sounds])
            assert abs(gains[2 - number]) < 0.2 * gains[number - 1]


def test_without_tracks_nothing_is_computed(array, monkeypatch):
    separator = SourceSeparator(array, _CONFIG)
    monkeypatch.setattr(separator, '_heard', None)
    for second in range(30):
        separator.update(second * RATE, [])
        assert separator.push(second * RATE, np.zeros((RATE, 6), dtype=np.float32)) == []
    assert len(separator._tracks) <= 1


def test_tracks_that_come_far_too_late_begin_nothing(array):
    separator = SourceSeparator(array, _CONFIG)
    separator.push(0, np.zeros((10 * RATE, 6), dtype=np.float32))
    separator.update(RATE, [_track(1, 0.5)])
    assert separator.push(10 * RATE, np.zeros((RATE, 6), dtype=np.float32)) == []


def test_a_track_without_an_elevation_is_at_the_height_of_the_array(array):
    audio = _heard(array, _syllables(1, 1), 0.5, 0.0)
    expected, found = (
        _joined(_separated(array, audio, [_track(1, 0.5, elevation)]), 1)[1]
        for elevation in (0.0, math.nan)
    )
    assert np.array_equal(found, expected)


def test_the_device_may_have_more_channels(uma8):
    sound = _syllables(1, 1, 48000)
    alone = _heard(uma8, sound, 0.5)
    audio = np.zeros((len(alone), 8), dtype=np.float32)
    audio[:, list(uma8.channels)] = alone
    one, other = (_joined(_separated(uma8, a, [_track(1, 0.5)]), 1)[1] for a in (alone, audio))
    assert np.array_equal(one, other)
    with pytest.raises(ConfigError, match='but the audio has 3 channels'):
        SourceSeparator(uma8, _CONFIG).push(0, audio[:, :3])


@settings(max_examples=25)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(['audio', 'lost', 'back', 'nan', 'tracks']),
            st.integers(0, 3000),
            st.sets(st.integers(1, 3)),
        ),
        max_size=25,
    )
)
def test_whatever_comes_sounds_have_no_holes(array, moves):
    separator = SourceSeparator(array, replace(_CONFIG, hold_time=0.15, pre_roll=0.05))
    generator = np.random.default_rng(0)
    index, expected = 0, {}
    for kind, amount, numbers in moves:
        if kind == 'lost':
            index += amount
        elif kind == 'back':
            index = max(0, index - amount)
        elif kind == 'tracks':
            separator.update(index, [_track(n, float(n), age=amount / RATE) for n in numbers])
        else:
            audio = generator.standard_normal((amount, 6)).astype(np.float32)
            audio[:1] = np.nan if kind == 'nan' else audio[:1]
            for piece in separator.push(index, audio):
                assert piece.begins == (piece.track_id not in expected)
                begin = expected.pop(piece.track_id, piece.first_sample_index)
                assert piece.first_sample_index == begin
                assert np.isfinite(piece.samples).all()
                if not piece.ends:
                    expected[piece.track_id] = begin + len(piece.samples)
            index += amount
    assert {piece.track_id for piece in separator.close()} == expected.keys()
