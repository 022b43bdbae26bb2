# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What a model says of clips, beside the truth."""

import numpy as np
import pytest

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.recurrent_filter import CHANNELS, filter_input
from doa_ros.resources import find_resource
from training.data.clips import Clip, Source, clip_extractor
from training.data.filter_examples import (
    FilterExamples,
    filter_example,
    inputs,
    load_filter_examples,
    rotated,
    targets,
)
from training.data.shards import packed

AZIMUTHS = DirectionGrid(72, 10).azimuths
SPEED = np.radians(40)
BLOCKS = 40


@pytest.fixture(scope='module')
def classifier(uma8):
    path = find_resource('models', 'uma8_several_int8')
    return Classifier.load(path, uma8, load_card(path).features)


@pytest.fixture(scope='module')
def clip(uma8, plane_wave) -> Clip:
    """Return noise and then a source; as far as the labels know, it walks."""
    rate = uma8.sampling_frequency
    audio = 1e-4 * np.random.default_rng(1).standard_normal((2 * rate, len(uma8.positions)))
    audio[rate:] += plane_wave(uma8, 0.5, 0.3, duration=1.0)
    voiced = np.arange(BLOCKS) >= 24
    azimuth = SPEED * 0.05 * np.arange(BLOCKS)
    silent = np.arange(BLOCKS) < 20
    source = Source(azimuth, np.full(BLOCKS, 0.3), voiced, silent=silent)
    return Clip(audio.astype(np.float32), rate, (source,), silent, 'room')


@pytest.fixture(scope='module')
def heard(uma8, classifier, clip) -> FilterExamples:
    return filter_example(uma8, classifier, clip, 3)


def test_a_clip_is_what_the_runtime_sees(uma8, classifier, clip, heard):
    windows = clip_extractor(uma8, classifier.features, clip).push(0, clip.audio)
    (seen,) = inputs(heard)
    assert seen.shape == (len(windows), 72, CHANNELS)
    for window, channels in zip(windows, seen, strict=True):
        expected = filter_input(classifier.spectra(window))
        np.testing.assert_allclose(channels, expected, rtol=1e-3, atol=1e-3)
    assert np.abs(AZIMUTHS[seen[-1, :, 0].argmax()] - 0.5) < 0.1


def test_labels_are_of_when_the_sound_was_made(uma8, classifier, clip, heard):
    windows = clip_extractor(uma8, classifier.features, clip).push(0, clip.audio)
    # Blocks begin so long before their windows end; the age is known in steps of a block.
    stamps = np.array([window.hop_index / clip.sampling_frequency for window in windows])
    ages = np.array([window.sound_age for window in windows])
    times = heard.azimuth[0, :, 0] / SPEED
    late = ages[len(ages) // 2 :] > 0.05
    assert late.any()
    np.testing.assert_allclose(times, np.maximum(stamps - ages - 0.03, 0), atol=0.026)
    assert np.isnan(heard.azimuth[0, :, 1:]).all()
    blocks = np.round(stamps / 0.05).astype(int)
    np.testing.assert_array_equal(heard.voiced[0, :, 0], blocks >= 24)
    np.testing.assert_array_equal(heard.silent[0, :, 0], blocks < 20)
    assert not heard.voiced[0, :, 1:].any() and heard.silent[0, :, 1:].all()


def made_up(azimuth, voiced, silent) -> FilterExamples:
    """Return a window in which a network has seen nothing."""
    nothing = np.zeros((1, 1, 3, 72), np.float16), np.zeros((1, 1, CHANNELS - 3), np.float16)
    truth = (np.array(values)[None, None] for values in (azimuth, voiced, silent))
    return FilterExamples(*nothing, *truth, np.zeros(1, dtype=int))


def test_a_heard_source_is_a_bump_and_one_that_may_be_heard_does_not_count():
    window = made_up([0.0, 1.5, np.nan], [True, False, False], [False, False, True])
    ((present, counts),) = np.moveaxis(targets(window)[0], -1, 1)
    assert present[0] == 1 and present.argmax() == 0
    distance = np.abs(np.angle(np.exp(1j * (AZIMUTHS - 1.5))))
    np.testing.assert_array_equal(counts, distance > np.radians(30))
    near = made_up([0.0, 0.3, np.nan], [True, False, False], [False, False, True])
    ((_, counts),) = np.moveaxis(targets(near)[0], -1, 1)
    # Who is surely heard counts all the same.
    assert counts[0] == 1 and counts[8] == 0
    silent = made_up([0.0, 1.5, np.nan], [False] * 3, [True] * 3)
    assert not targets(silent)[..., 0].any() and targets(silent)[..., 1].all()


def test_a_rotated_source_is_at_the_other_place():
    window = made_up([0.4, np.nan, np.nan], [True, False, False], [False, True, True])
    moved = made_up([-0.4 + np.radians(35), np.nan, np.nan], *([True, False, False],) * 2)
    np.testing.assert_allclose(
        rotated(targets(window), 7, mirrored=True)[..., 0], targets(moved)[..., 0], atol=1e-5
    )


def test_shards_are_read_back_and_damaged_ones_named(heard, tmp_path):
    (tmp_path / 'val').mkdir()
    for number in range(2):
        path = tmp_path / 'val' / f'{number:05d}.npz'
        clip = FilterExamples(**{**vars(heard), 'clip': np.array([number])})
        path.write_bytes(packed(clip.columns()))
    assert load_filter_examples(tmp_path, 'val', 2).clip.tolist() == [0, 1]
    # Fewer may be asked for than are there.
    assert len(load_filter_examples(tmp_path, 'val', 1)) == 1
    assert len(FilterExamples.concatenate([heard, heard])) == 2
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ConfigError, match='delete it and run train_filter again'):
        load_filter_examples(tmp_path, 'val', 2)
