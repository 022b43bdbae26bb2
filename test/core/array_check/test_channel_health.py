# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of channels, put into the noise of a room one by one."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.array_check.channel_faults import Fault
from doa_ros.core.array_check.channel_health import ChannelHealth
from doa_ros.core.errors import ConfigError
from doa_ros.core.monitoring import Level
from doa_ros.simulation.acoustics import DiffuseField

# The noise of a quiet room [full scale].
_NOISE = 10 ** (-75 / 20)
_SECONDS = 5


@pytest.fixture(scope='module')
def noise(uma8):
    """All channels of the device in a quiet room for 25 s, int32 of 29 bits."""
    rng = np.random.default_rng(3)
    rate = uma8.sampling_frequency
    field = DiffuseField(uma8.positions, rate, uma8.speed_of_sound)
    heard = field.mix(rng.standard_normal((6, 25 * rate)))
    heard += 0.2 * rng.standard_normal(heard.shape)
    audio = np.zeros((heard.shape[1], 8), dtype=np.int32)
    audio[:, 1:7] = np.rint(heard.T * _NOISE * 2**28).astype(np.int32) << 3
    audio[:, 0] = audio[::-1, 3]
    return audio


@pytest.fixture(scope='module')
def judge(uma8):
    """Return a function that gives the health after pieces of audio, each some seconds long."""

    def run(*pieces, array=uma8):
        health, index, states = ChannelHealth(array), 0, []
        block = round(0.05 * array.sampling_frequency)
        for piece in pieces:
            for start in range(0, len(piece), block):
                health.push(index, piece[start : start + block])
                index += len(piece[start : start + block])
            states.append(health.health)
        return states if len(states) > 1 else states[0]

    return run


def _cut(noise, seconds=_SECONDS):
    return noise[: 48000 * seconds].copy()


def _faults(health):
    return {(finding.fault, finding.channels) for finding in health.findings}


def test_a_healthy_array_has_no_findings(judge, noise):
    health = judge(noise)
    assert health.findings == () and health.level == Level.OK
    np.testing.assert_allclose(health.levels_dbfs[1:7], -75, atol=1.5)
    assert health.levels_dbfs[7] == -np.inf
    assert health.order.as_described and health.order.sure


def _zero(audio):
    audio[:, 3] = 0


def _offset_alone(audio):
    audio[:, 3] = 1 << 29


def _far_below(audio):
    audio[:, 3] >>= 5
    audio[:, 3] <<= 1  # Some bits remain, 24 dB down.


def _clipped(audio):
    audio[::500, 3] = np.iinfo(np.int32).max


def _offset(audio):
    audio[:, 3] += round(0.03 * 2**31)


def _stuck_at_one(audio):
    audio[:, 3] |= 1 << 13


def _stuck_at_zero(audio):
    audio[:, 3] &= ~(1 << 10)


def _quieter(audio):
    audio[:, 3] = np.int32(audio[:, 3] * 0.35 / 8) << 3


def _not_silent(audio):
    audio[:, 7] = audio[:, 4]


@pytest.mark.parametrize(
    'spoil,fault,channel,word',
    [
        (_zero, Fault.DEAD, 3, 'never changes'),
        (_offset_alone, Fault.DEAD, 3, 'never changes'),
        (_far_below, Fault.DEAD, 3, 'far below'),
        (_clipped, Fault.CLIPPED, 3, '0.2 %'),
        (_offset, Fault.DC_OFFSET, 3, r'+0.03'),
        (_stuck_at_one, Fault.STUCK_BITS, 3, '(13)'),
        (_stuck_at_zero, Fault.STUCK_BITS, 3, '(10)'),
        (_quieter, Fault.GAIN, 3, '9 dB quieter'),
        (_not_silent, Fault.NOT_SILENT, 7, 'must be 0'),
    ],
)
def test_each_fault_is_found_alone_and_goes_when_it_is_mended(
    judge, noise, spoil, fault, channel, word
):
    spoilt = _cut(noise)
    spoil(spoilt)
    before, during, after = judge(_cut(noise), spoilt, _cut(noise, 14))
    assert before.findings == () and after.findings == ()
    assert _faults(during) == {(fault, (channel,))}
    (finding,) = during.findings
    assert finding.level == during.level == Level.WARN
    assert word in finding.message and f'channel {channel}' in finding.message
    # A sentence that says what to do.
    assert ':' in finding.message and len(finding.message) > 60


# Rotated by 7, a centre that is silent, too, would be where the spare channel was.
@pytest.mark.parametrize(
    'shift,centre', [*((s, True) for s in range(1, 8)), *((s, False) for s in range(1, 7))]
)
def test_rotated_channels_are_told_by_the_silent_one(judge, noise, shift, centre):
    audio = _cut(noise, 3)
    if not centre:
        audio[:, 0] = 0
    health = judge(np.roll(audio, shift, axis=1))
    zero = {(7 + shift) % 8} if centre else {(7 + shift) % 8, shift % 8}
    assert _faults(health) == {(Fault.ROTATED, tuple(sorted(zero)))}
    assert f'rotated by {shift}, as channel {(7 + shift) % 8} ' in health.findings[0].message
    assert health.level == Level.ERROR


@settings(max_examples=8)
@given(st.permutations(range(6)))
def test_an_order_is_told_up_to_the_symmetries_of_the_array(uma8, judge, noise, order):
    audio = noise.copy()
    audio[:, 1:7] = noise[:, 1 + np.array(order)]
    health = judge(audio)
    found = np.array(health.order.microphones)
    distance = np.linalg.norm(uma8.positions[:, None] - uma8.positions, axis=2)
    np.testing.assert_allclose(
        distance[np.ix_(found, found)], distance[np.ix_(order, order)], atol=1e-3
    )
    faults = {fault for fault, _ in _faults(health)}
    assert faults == (set() if health.order.as_described else {Fault.SWAPPED})


def test_swapped_channels_are_named(judge, noise):
    audio = noise.copy()
    audio[:, [2, 5]] = noise[:, [5, 2]]
    (finding,) = judge(audio).findings
    assert finding.channels == (2, 5) and finding.level == Level.ERROR
    assert 'channels 2 and 5 are swapped' in finding.message


def test_sound_from_one_direction_says_nothing_about_the_order(uma8, judge, plane_wave):
    heard = plane_wave(uma8, 0.5, 0.1, duration=25)
    health = judge(heard)
    assert health.order is None and health.findings == ()


def test_all_microphones_silent_is_one_error(judge, noise):
    (finding,) = judge(np.zeros_like(_cut(noise))).findings
    assert finding.level == Level.ERROR and 'no microphone delivers' in finding.message


def test_few_living_microphones_are_an_error(judge, noise):
    audio = _cut(noise)
    audio[:, 1:5] = 0
    health = judge(audio)
    assert _faults(health) == {(Fault.DEAD, (c,)) for c in range(1, 5)}
    assert health.level == Level.ERROR


@pytest.mark.parametrize('kind', ['int16', 'float32'])
def test_other_formats(judge, noise, kind):
    audio = _cut(noise).astype(float) / 2**31
    audio[:, 3] = 0
    audio = (audio * 2**24).astype('int16') if kind == 'int16' else audio.astype(kind)
    assert _faults(judge(audio)) == {(Fault.DEAD, (3,))}


def test_the_microphones_alone(judge, noise):
    audio = _cut(noise)[:, 1:7]
    assert judge(audio).findings == ()
    with pytest.raises(ConfigError, match='has 5 channels'):
        judge(audio[:, :5])


@settings(max_examples=15)
@given(st.lists(st.booleans(), min_size=4, max_size=12))
def test_no_finding_flickers(judge, noise, spoilt):
    """Whatever comes and goes, what is told lasts for some seconds."""
    good, bad = _cut(noise, 1), _cut(noise, 1)
    _zero(bad)
    told = [bool(h.findings) for h in judge(*[bad if s else good for s in spoilt])]
    for k in range(1, len(told)):
        if told[k] and not told[k - 1]:
            assert spoilt[k - 1] and spoilt[k]
            assert all(told[k : k + 4])
        if told[k - 1] and not told[k]:
            assert not any(spoilt[k - 3 : k + 1])


def test_a_gust_of_wind_kills_no_microphone(judge, noise):
    audio = _cut(noise)
    rng = np.random.default_rng(1)
    gust = rng.standard_normal(12000) * 2**31 * 0.03
    for second in range(_SECONDS):
        start = second * 48000 + 5000
        for channel in (1, 2, 3, 4):
            audio[start : start + 12000, channel] += gust.astype(np.int32)
    assert not any(fault == Fault.DEAD for fault, _ in _faults(judge(audio)))


def test_steps_of_any_length_are_the_same(uma8, noise):
    def levels(block):
        health = ChannelHealth(uma8)
        for start in range(0, 3 * 48000, block):
            health.push(start, noise[start : min(start + block, 3 * 48000)])
        return health.health.levels_dbfs

    np.testing.assert_allclose(levels(96), levels(5000))


def test_another_array_without_silent_channels(square, judge):
    rng = np.random.default_rng(2)
    field = DiffuseField(square.positions, 16000, 343)
    audio = np.zeros((16000 * 25, 5), dtype=np.float32)
    audio[:, list(square.channels)] = 0.01 * field.mix(rng.standard_normal((4, 16000 * 25))).T
    health = judge(audio, array=square)
    assert health.findings == () and health.order.as_described
    audio[:, [3, 1]] = audio[:, [1, 3]]
    (finding,) = judge(audio, array=replace(square, name='other')).findings
    assert finding.fault == Fault.SWAPPED


def test_status_in_words(uma8, noise):
    health = ChannelHealth(uma8)
    assert health.status().message == ''
    audio = _cut(noise)
    audio[:, 3] = 0
    health.push(0, audio)
    status = health.status()
    assert status.level == Level.WARN
    assert status.message == health.health.findings[0].message
    assert list(status.values)[1] == 'channel 1 (ring_1) [dBFS]'
    assert float(status.values['channel 1 (ring_1) [dBFS]']) == pytest.approx(-75, abs=1.5)
    assert status.values['channel 7 [dBFS]'] == '-inf'


def test_a_stream_that_starts_again_is_judged_anew(uma8, noise):
    health, audio = ChannelHealth(uma8), _cut(noise)
    audio[:, 2] = 0
    health.push(0, audio)
    assert (Fault.DEAD, (2,)) in _faults(health.health)
    # A loss is no new stream.
    health.push(len(audio) + 480, audio[:4800])
    assert _faults(health.health)
    health.push(0, _cut(noise, 1)[:24000])
    assert health.health is None
    health.push(24000, _cut(noise, 3))
    assert not _faults(health.health)
