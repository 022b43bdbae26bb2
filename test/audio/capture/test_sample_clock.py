# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The time of samples, from arrivals that are late."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.audio.capture.sample_clock import SampleClock
from doa_ros.core.errors import AudioError

RATE, PIECE = 48000, 480
START = 1000.0


def _arrivals(seconds, *, rate=RATE, period=3, jitter=0.0, seed=0):
    """Return ends and arrival times of pieces that come `period` at a time, and late."""
    rng = np.random.default_rng(seed)
    ends = PIECE * np.arange(1, round(seconds * RATE / PIECE) + 1)
    bursts = np.minimum(-(-ends // (PIECE * period)) * PIECE * period, ends[-1])
    late = jitter * rng.exponential(size=len(ends))
    # What comes later cannot arrive earlier.
    return ends, np.maximum.accumulate(START + bursts / rate + late)


def _run(clock, ends, arrivals):
    """Return the error of the time of every piece [s], by the nominal rate."""
    errors = []
    for end, arrival in zip(ends.tolist(), arrivals.tolist(), strict=True):
        clock.add(end, arrival)
        errors.append(clock.time(end) - START - end / RATE)
    return np.array(errors)


@given(st.integers(1, 6), st.floats(0.0, 0.002), st.integers(0, 1000))
def test_bursts_and_delays_leave_no_mark(period, jitter, seed):
    clock = SampleClock(RATE)
    errors = _run(clock, *_arrivals(6.0, period=period, jitter=jitter, seed=seed))
    assert clock.settled
    # Never before the truth, and never later than the earliest arrivals.
    assert errors.min() > -1e-9
    assert errors[100:].max() < max(1e-6, 1.5 * jitter)
    assert clock.rate == pytest.approx(RATE, rel=0.005)


@pytest.mark.parametrize('ppm', [-200, -50, 50, 200])
def test_drift_is_followed(ppm):
    clock = SampleClock(RATE)
    rate = RATE * (1 + ppm / 1e6)
    ends, arrivals = _arrivals(60.0, rate=rate, jitter=0.001)
    errors = []
    for end, arrival in zip(ends.tolist(), arrivals.tolist(), strict=True):
        clock.add(end, arrival)
        errors.append(clock.time(end) - START - end / rate)
    assert np.abs(errors[200:]).max() < 0.0015
    assert np.abs(np.diff(errors[200:])).max() < 0.0005
    assert clock.rate == pytest.approx(rate, rel=1e-4)


def test_a_stall_is_forgotten():
    clock = SampleClock(RATE)
    ends, arrivals = _arrivals(5.0)
    stalled = (ends > 2 * RATE) & (ends < 2.6 * RATE)
    arrivals[stalled] = arrivals[stalled][-1]
    errors = _run(clock, ends, arrivals)
    assert np.abs(errors[100:]).max() < 1e-6
    assert clock.lost == 0


@pytest.mark.parametrize('rate', [16000, 32000, 44100, 52000, 96000])
@pytest.mark.parametrize('begin', [0, 3])
def test_a_wrong_rate_is_noticed_in_half_a_second(rate, begin):
    clock = SampleClock(RATE)
    right = begin * RATE
    with pytest.raises(AudioError, match='samples per second instead of 48000') as error:
        for end in range(PIECE, 20 * RATE, PIECE):
            wrong = max(0, end - right)
            arrival = START + min(end, right) / RATE + wrong / rate
            clock.add(end, arrival)
            assert not (begin == 0 and clock.settled)
    assert arrival - START - begin < 0.5
    assert int(str(error.value).split()[1]) == pytest.approx(rate, rel=0.05)


@given(st.integers(0, 10_000))
def test_a_busy_computer_is_no_wrong_rate(seed):
    rng = np.random.default_rng(seed)
    ends, arrivals = _arrivals(20.0)
    for begin in rng.uniform(0, 20, 8):
        late = begin + rng.exponential(0.1)
        inside = (arrivals > START + begin) & (arrivals < START + late)
        arrivals[inside] = START + late
    _run(SampleClock(RATE), ends, np.maximum.accumulate(arrivals))


@pytest.mark.parametrize('pace', [1.06, 1.085, 1.5])
def test_a_device_that_catches_up_is_no_wrong_rate(pace):
    ends, arrivals = _arrivals(10.0)
    # As a sound server does that did not get to run.
    behind = np.maximum(0.0, 0.15 - (pace - 1) * (arrivals - START - 5))
    _run(SampleClock(RATE), ends, arrivals + np.where(arrivals > START + 5, behind, 0.0))


@pytest.mark.parametrize('missing', [0, 4800, 48000])
@pytest.mark.parametrize('late', [0.0, 0.5])
def test_what_an_overflow_cost(missing, late):
    clock = SampleClock(RATE)
    ends, arrivals = _arrivals(5.0)
    for end, arrival in zip(ends.tolist(), arrivals.tolist(), strict=True):
        if end == 2 * RATE:
            clock.interrupt()
        if end >= 2 * RATE:
            # The busy computer that has lost them is late at first; that is no loss.
            arrival = max(arrival + missing / RATE, START + 2.0 + late)
        assert clock.add(end, arrival) == end + clock.lost
        if end == 2 * RATE:
            assert not clock.settled
    assert clock.settled
    assert clock.lost == pytest.approx(max(missing, 1), abs=0.03 * RATE)
    assert clock.rate == pytest.approx(RATE, rel=0.01)


def test_a_loss_that_nobody_reports_shows():
    clock = SampleClock(RATE)
    ends, arrivals = _arrivals(10.0, jitter=0.001)
    for end, arrival in zip(ends.tolist(), arrivals.tolist(), strict=True):
        late = 0.05 if end > 4 * RATE else 0.0
        index = clock.add(end, arrival + late)
    assert clock.lost / RATE == pytest.approx(0.05, abs=0.02)
    assert clock.rate == pytest.approx(RATE, rel=0.01)
    assert clock.time(index) == pytest.approx(arrival + 0.05, abs=0.03)
