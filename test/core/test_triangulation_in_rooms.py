# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How well two arrays in a simulated room tell where a talker stands."""

import math

import numpy as np
import pytest
from scipy import signal
import soundfile

from doa_ros.audio.source import AudioBlock
from doa_ros.cli.offline_pipeline import OfflinePipeline
from doa_ros.core.errors import TriangulationError
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.triangulation import Bearing, triangulate
from doa_ros.resources import DEFAULT_MODEL, find_resource
from doa_ros.simulation.scene import SceneConfig, render

# Two metres apart; of the room of 6 x 4.5 m.
ARRAYS = [(2.0, 1.0), (4.0, 1.0)]
ROOMS, SECONDS = 12, 5.0
SMALLEST_ANGLE = math.radians(30)


def _recording(name, rate):
    sound, own = soundfile.read(find_resource('scenes', 'demo').parent / name)
    return signal.resample_poly(sound, rate, own)


def _tracks(array, place, talker, speech, noise, rt60, snr):
    """Return the most confident track of each window in which one array hears the talker."""
    x, y = place
    config = SceneConfig(
        array_x=x, array_y=y, rt60=rt60, snr=snr, duration=SECONDS, lead=1.5, tail=0.0,
        distance=math.dist(place, talker), speed_deg=0.0,
        azimuth_deg=math.degrees(math.atan2(talker[1] - y, talker[0] - x)),
    )  # fmt: skip
    audio, _ = render(config, array, speech, noise)
    model = find_resource('models', DEFAULT_MODEL)
    features = default_features(array, model)
    localizer = Localizer(array, features, LocalizerConfig(), model)
    pipeline = OfflinePipeline(array, features, localizer, tracks=True)
    blocks = [AudioBlock(audio, array.sampling_frequency, 0, 0)]
    return {
        round(window.end, 3): window.found[0]
        for window in pipeline.windows(blocks, 'room')
        if window.found and not window.found[0].predicted
    }


@pytest.mark.nightly
@pytest.mark.parametrize(('rt60', 'snr'), [(0.35, 15.0)])
def test_where_bearings_differ_by_30_degrees_it_is_within_0_3_m(uma8, rt60, snr):
    rng = np.random.default_rng(7)
    rate = uma8.sampling_frequency
    speech, noise = _recording('speech.flac', rate), _recording('noise.flac', rate)
    errors, within, refused = [], [], 0
    for _ in range(ROOMS):
        while True:
            talker = rng.uniform(0.7, 5.3), rng.uniform(1.6, 4.0)
            angles = [math.atan2(talker[1] - y, talker[0] - x) for x, y in ARRAYS]
            if abs(wrap_angle(angles[0] - angles[1])) > SMALLEST_ANGLE:
                break
        said = np.roll(speech, -rng.integers(len(speech)))
        heard = [_tracks(uma8, a, talker, said, noise, rt60, snr) for a in ARRAYS]
        for time in heard[0].keys() & heard[1].keys():
            tracks = [tracks[time] for tracks in heard]
            bearings = [
                Bearing(x, y, track.azimuth, track.azimuth_stddev)
                for (x, y), track in zip(ARRAYS, tracks, strict=True)
            ]
            try:
                fix = triangulate(bearings)
            except TriangulationError:
                refused += 1
                continue
            error = np.array([fix.x, fix.y]) - talker
            errors.append(np.linalg.norm(error))
            within.append(error @ np.linalg.solve(fix.covariance, error) < 2.28)
    near = np.mean(np.array(errors) < 0.3)
    print(
        f'{len(errors)} positions, {refused} refused; error median {np.median(errors):.2f} m, '
        f'90 % {np.quantile(errors, 0.9):.2f} m; {near:.2f} below 0.3 m; '
        f'within the ellipse of 68 % {np.mean(within):.2f}'
    )
    assert len(errors) > 100
    assert np.median(errors) < 0.3
