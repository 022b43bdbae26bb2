# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import (
    decode_azimuth,
    decode_azimuths,
    decode_elevation,
)
from doa_ros.core.localization.spectrum import MultiSourceSpectrum
from training.data.dataset import Dataset
from training.deployment.measure import decoded_directions, errors_deg
from training.fitting.batches import usable_rows
from training.models.heads import head_targets
from training.sections import TrainConfig


def dataset(azimuth, elevation, voiced, silent):
    """Return rows with these sources and nothing else of interest."""
    azimuth, elevation, voiced = np.array(azimuth), np.array(elevation), np.array(voiced)
    rows, nothing = len(azimuth), np.zeros(len(azimuth), np.float32)
    return Dataset(
        features=np.zeros((rows, 15, 13), np.float16),
        activity=nothing,
        silent=np.array(silent),
        voiced=voiced,
        azimuth=azimuth,
        elevation=elevation,
        distance=np.ones_like(azimuth),
        kind=np.where(np.isnan(azimuth), -1, 0),
        rt60=nothing,
        snr=nothing,
        ego_noise=nothing > 0,
        time=nothing,
        clip=np.arange(rows),
    )


NAN = np.nan
# A voiced source, a source that pauses, silence, two of which one pauses, two at once.
MIXED = dataset(
    azimuth=[[1.0, NAN, NAN], [1.0, NAN, NAN], [NAN] * 3, [1.0, -2.0, NAN], [1.0, -2.0, NAN]],
    elevation=[[0.5, NAN, NAN], [0.5, NAN, NAN], [NAN] * 3, [0.5, NAN, NAN], [0.5, 1.2, NAN]],
    voiced=[[1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 1, 0]] > np.array(0),
    silent=[False, False, True, False, False],
)


def test_one_source_learns_from_clips_with_one_source():
    assert usable_rows(MIXED, TrainConfig()).tolist() == [True, False, True, False, False]
    several = usable_rows(MIXED, TrainConfig(multi_source=True))
    assert several.tolist() == [True, False, True, True, True]


def test_targets_reach_below_the_horizon_where_the_array_tells_it():
    elevations = np.linspace(-np.pi / 2, np.pi / 2, 50)
    rows = dataset(
        np.ones((50, 1)), elevations[:, None], np.ones((50, 1), bool), np.zeros(50, bool)
    )
    config = TrainConfig(elevation_classes=19, elevation_min_deg=-90.0)
    (_, elevation), _ = head_targets(rows, config)
    decoded = np.array([decode_elevation(target, -np.pi / 2)[0] for target in elevation])
    assert np.abs(decoded - elevations).max() < np.radians(2)
    outputs = {'azimuth': np.ones((50, 36)) / 36, 'elevation': elevation}
    errors = errors_deg(*decoded_directions(outputs, config), rows)
    assert errors[1].max() < 2


def test_single_targets_point_at_their_direction_and_silence_is_flat():
    angles = np.linspace(-np.pi, np.pi, 50)
    rows = dataset(
        np.stack([angles, np.full(50, NAN)], axis=1),
        np.stack([np.linspace(0, np.pi / 2, 50), np.full(50, NAN)], axis=1),
        np.tile([True, False], (50, 1)),
        np.zeros(50, bool),
    )
    (azimuth, elevation), weights = head_targets(rows, TrainConfig())
    np.testing.assert_allclose(azimuth.sum(axis=1), 1, rtol=1e-5)
    decoded = np.array([decode_azimuth(target)[0] for target in azimuth])
    assert np.abs(wrap_angle(decoded - angles)).max() < np.radians(1)
    decoded = np.array([decode_elevation(target)[0] for target in elevation])
    assert np.abs(decoded - rows.elevation[:, 0]).max() < np.radians(2)
    assert all((weight == 1).all() for weight in weights)

    (azimuth, elevation), _ = head_targets(MIXED.select(np.array([2])), TrainConfig())
    np.testing.assert_allclose(azimuth, 1 / 36)
    np.testing.assert_allclose(elevation, 0.1)


def test_kappa_0_names_the_nearest_class_alone():
    (azimuth, elevation), _ = head_targets(MIXED.select([0]), TrainConfig(kappa=0.0))
    np.testing.assert_array_equal(azimuth[0], np.eye(36)[6])
    np.testing.assert_array_equal(elevation[0], np.eye(10)[3])


def test_several_sources_have_a_bump_each_and_silence_none():
    config = TrainConfig(multi_source=True, azimuth_classes=72)
    (azimuth, elevation), (_, weight) = head_targets(MIXED.select([4, 3, 2]), config)
    peaks = [peak[0] for peak in decode_azimuths(azimuth[0]) if peak[2] > 0.5]
    np.testing.assert_allclose(sorted(peaks), [-2.0, 1.0], atol=0.02)
    assert len([peak for peak in decode_azimuths(azimuth[1]) if peak[2] > 0.5]) == 1
    assert azimuth[0].max() > 0.9
    assert not azimuth[2].any()
    # Each has an elevation of its own; where there is no source, none counts.
    for angle, expected in ((1.0, 0.5), (-2.0, 1.2)):
        decoded, _ = MultiSourceSpectrum(azimuth[0], elevation[0]).elevation_at(angle)
        assert decoded == pytest.approx(expected, abs=np.radians(2))
    np.testing.assert_array_equal(weight, azimuth)


def test_activity_is_learnt_from_all_and_directions_from_voices():
    rows = MIXED.select([0, 2])
    targets, weights = head_targets(
        rows, TrainConfig(outputs=('azimuth', 'elevation', 'activity'))
    )
    assert [target.shape for target in targets] == [(2, 36), (2, 10), (2, 1)]
    assert targets[2][:, 0].tolist() == [1, 0]
    assert [weight.tolist() for weight in weights] == [[1, 0], [1, 0], [1, 1]]


def test_an_unknown_elevation_does_not_count():
    unknown = dataset([[1.0]], [[NAN]], [[True]], [False])
    _, (azimuth_weight, elevation_weight) = head_targets(unknown, TrainConfig())
    assert azimuth_weight.tolist() == [1]
    assert elevation_weight.tolist() == [0]
