# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Windows do not depend on how the stream was cut into blocks; losses are reported."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.features.framing import Framer

_CUTS = st.lists(st.integers(0, 1000), max_size=12)


def _stream(count):
    """Return samples whose value is their index, on two channels."""
    return np.stack([np.arange(count), -np.arange(count)], axis=1)


def _push_in_pieces(framer, samples, cuts, start=0):
    edges = [0, *sorted(cuts), len(samples)]
    return [
        window
        for begin, end in zip(edges, edges[1:], strict=False)
        for window in framer.push(start + begin, samples[begin:end])
    ]


@given(st.integers(1, 200), st.integers(1, 200), _CUTS)
def test_any_split_gives_the_same_windows(window, hop, cuts):
    window, hop = max(window, hop), min(window, hop)
    samples = _stream(1000)
    windows = _push_in_pieces(Framer(window, hop), samples, cuts)
    assert len(windows) == (1000 - window) // hop + 1
    for number, found in enumerate(windows):
        np.testing.assert_array_equal(found.samples, samples[number * hop :][:window])
        assert found.hop_index == number * hop + window - hop
        assert found.gap == (0 if number else None)


@given(st.lists(st.integers(0, 9600), max_size=8))
def test_any_split_gives_the_same_features(uma8, plane_wave, cuts):
    samples = plane_wave(uma8, 0.5, duration=0.2)
    whole = FeatureExtractor(uma8, FeatureConfig()).push(0, samples)
    extractor = FeatureExtractor(uma8, FeatureConfig())
    edges = [0, *sorted(cuts), len(samples)]
    parts = [
        window
        for begin, end in zip(edges, edges[1:], strict=False)
        for window in extractor.push(begin, samples[begin:end])
    ]
    assert [f.hop_index for f in parts] == [f.hop_index for f in whole] == [2400, 4800, 7200]
    for found, expected in zip(parts, whole, strict=True):
        np.testing.assert_allclose(found.features, expected.features, atol=1e-5)
        assert found.activity == pytest.approx(expected.activity, abs=1e-5)


@given(st.integers(100, 300), st.integers(1, 500))
def test_gap_drops_the_unfinished_window_and_is_reported_once(before, lost):
    framer = Framer(100, 50)
    framer.push(0, _stream(before))
    start = before + lost
    windows = framer.push(start, _stream(200))
    assert [w.gap for w in windows] == [lost, 0, 0]
    assert [w.hop_index for w in windows] == [start + 50, start + 100, start + 150]
    # Nothing of before the gap is in them.
    np.testing.assert_array_equal(windows[0].samples, _stream(100))


def test_gaps_add_up_until_a_window_is_complete():
    framer = Framer(100, 50)
    framer.push(0, _stream(100))
    assert framer.push(105, _stream(10)) == []
    (window,) = framer.push(122, _stream(100))
    assert window.gap == 5 + 7


def test_stream_that_starts_again_has_no_past():
    framer = Framer(100, 50)
    framer.push(1000, _stream(120))
    assert framer.push(0, _stream(90)) == []
    window, following = framer.push(90, _stream(60))
    assert (window.gap, window.hop_index) == (None, 50)
    assert (following.gap, following.hop_index) == (0, 100)


@pytest.mark.parametrize('lost_before_it', [True, False])
def test_loss_next_to_a_start_is_a_start(lost_before_it):
    framer = Framer(100, 50)
    framer.push(1000, _stream(120))
    if lost_before_it:
        framer.push(2000, _stream(10))
    framer.push(0, _stream(10))
    (window,) = framer.push(10 if lost_before_it else 500, _stream(100))
    assert window.gap is None


def test_stream_may_start_anywhere():
    (window,) = Framer(100, 50).push(12345, _stream(100))
    assert (window.gap, window.hop_index) == (None, 12395)


@pytest.mark.parametrize('start', [0, 480])
def test_a_stream_that_starts_again_is_heard_as_by_a_new_extractor(uma8, plane_wave, start):
    loud, quiet = plane_wave(uma8, 0.0), 0.1 * plane_wave(uma8, 2.0, seed=2)
    loud[:, 1] = 0
    extractor = FeatureExtractor(uma8, FeatureConfig())
    for number in range(10):
        extractor.push(number * len(loud), loud)
    assert extractor.dead_microphones
    found = extractor.push(start, quiet)
    fresh = FeatureExtractor(uma8, FeatureConfig()).push(start, quiet)
    assert not extractor.dead_microphones
    assert [f.gap for f in found] == [None, *[0] * (len(found) - 1)]
    for one, other in zip(found, fresh, strict=True):
        np.testing.assert_array_equal(one.features, other.features)
        assert (one.activity, one.sound_age) == (other.activity, other.sound_age)


def test_gap_starts_the_averaging_anew(uma8, plane_wave):
    before, after = plane_wave(uma8, 0.0), plane_wave(uma8, 2.0, seed=2)
    extractor = FeatureExtractor(uma8, FeatureConfig(weight_min=1.0))
    extractor.push(0, before)
    window = extractor.push(len(before) + 960, after)[0]
    fresh = FeatureExtractor(uma8, FeatureConfig(weight_min=1.0)).push(0, after)[0]
    assert window.gap == 960
    np.testing.assert_allclose(window.features, fresh.features, atol=1e-5)


@pytest.mark.parametrize('block', [7, 64, 1000])
def test_memory_is_bounded(block):
    framer = Framer(100, 50)
    for start in range(0, 100_000, block):
        framer.push(start, _stream(block))
        kept = {id(_owner(p)): _owner(p).nbytes for p in framer._pending}
        assert sum(kept.values()) <= 4 * (100 + 50 + block) * 2 * 8


def _owner(view):
    while view.base is not None:
        view = view.base
    return view


@pytest.mark.parametrize('hop', [0, -1, 101])
def test_hop_must_fit_the_window(hop):
    with pytest.raises(ValueError, match='hop must lie in 1..100'):
        Framer(100, hop)
