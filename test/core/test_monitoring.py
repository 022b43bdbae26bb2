# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Measures of a running program and what is said about them."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.monitoring import RECENT, Durations, Events, Level, Rate, Status, merge


class Clock:
    """A time that is set by hand."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_events_are_told_for_a_while_and_counted_for_ever(clock):
    events = Events('gaps', 'mend them', clock)
    assert events.status() == Status(Level.OK, '', {'gaps': '0'})
    events.add(3)
    clock.now += 1
    assert events.status() == Status(
        Level.WARN, '3 gaps in the last 5 s: mend them', {'gaps': '3'}
    )
    for _ in range(4):
        clock.now += 1
        assert events.status().level == Level.WARN
    clock.now += 1
    assert events.status() == Status(Level.OK, '', {'gaps': '3'})


def test_events_before_the_first_question_are_told(clock):
    events = Events('gaps', 'mend them', clock)
    events.add()
    assert events.status().level == Level.WARN


def test_rate_and_its_absence(clock):
    rate = Rate('blocks [1/s]', 'nothing comes', clock)
    assert rate.status().level == Level.OK
    for _ in range(8):
        clock.now += 1
        rate.add(20)
        assert rate.status() == Status(Level.OK, '', {'blocks [1/s]': '20.0'})
    clock.now += 1
    assert rate.status().values == {'blocks [1/s]': '16.0'}
    clock.now += RECENT
    assert rate.status() == Status(Level.WARN, 'nothing comes', {'blocks [1/s]': '0.0'})
    rate.add()
    clock.now += 1
    assert rate.status().level == Level.OK


def test_nothing_is_missed_at_once_after_the_start(clock):
    rate = Rate('blocks [1/s]', 'nothing comes', clock)
    clock.now += 1
    assert rate.status().level == Level.OK
    clock.now += 2
    assert rate.status().level == Level.WARN


@given(st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_percentiles(seconds):
    durations = Durations('step')
    for value in seconds:
        durations.add(value)
    values = durations.status().values
    assert float(values['step p50 [ms]']) == pytest.approx(1e3 * np.median(seconds), abs=1e-3)
    expected = 1e3 * np.percentile(seconds, 95)
    assert float(values['step p95 [ms]']) == pytest.approx(expected, abs=1e-3)


def test_durations_are_measured_and_failures_are_not():
    durations = Durations('step')
    assert durations.status() == Status(Level.OK, '')
    with pytest.raises(ValueError), durations.measure():
        raise ValueError
    assert not durations.status().values
    with durations.measure():
        pass
    assert 0 < float(durations.status().values['step p95 [ms]']) + 1e-3


def test_merging_puts_the_worst_first_and_keeps_all_values():
    merged = merge(
        [
            Status(Level.OK, 'all is well', {'a': '1'}),
            Status(Level.WARN, 'look'),
            Status(Level.ERROR, 'stop', {'b': '2'}),
            Status(Level.WARN, 'look'),
        ]
    )
    assert merged == Status(Level.ERROR, 'stop; look', {'a': '1', 'b': '2'})
    assert merge([Status(Level.OK, 'all is well'), Status(Level.OK, '')]).message == 'all is well'
