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
from doa_ros.resources import find_resource
from doa_ros.simulation.scene import SceneConfig, render

# Two metres apart; of the room of 6 x 4.5 m.
ARRAYS = [(2.0, 1.0), (4.0, 1.0)]
ROOMS, SECONDS = 12, 5.0
RT60, SNR = 0.35, 15.0
SMALLEST_ANGLE = math.radians(30)


def _recording(name, rate):
    sound, own = soundfile.read(find_resource('scenes', 'demo').parent / name)
    return signal.resample_poly(sound, rate, own)


def _tracks(array, model, place, talker, speech, noise):
    """Return the most confident track of each window in which one array hears the talker."""
    x, y = place
    config = SceneConfig(
        array_x=x, array_y=y, rt60=RT60, snr=SNR, duration=SECONDS, lead=1.5, tail=0.0,
        distance=math.dist(place, talker), speed_deg=0.0,
        azimuth_deg=math.degrees(math.atan2(talker[1] - y, talker[0] - x)),
    )  # fmt: skip
    audio, _ = render(config, array, speech, noise)
    model = find_resource('models', model)
    features = default_features(array, model)
    localizer = Localizer(array, features, LocalizerConfig(), model)
    pipeline = OfflinePipeline(array, features, localizer, tracks=True)
    blocks = [AudioBlock(audio, array.sampling_frequency, 0, 0)]
    return {
        round(window.end, 3): window.tracks[0]
        for window in pipeline.windows(blocks, 'room')
        if window.tracks and not window.tracks[0].predicted
    }


@pytest.mark.nightly
@pytest.mark.parametrize(
    ('model', 'least_near'), [('uma8_rooms_int8', 0.4), ('uma8_several_int8', 0.8)]
)
def test_where_bearings_differ_by_30_degrees_it_is_within_0_3_m(uma8, model, least_near):
    rng = np.random.default_rng(7)
    rate = uma8.sampling_frequency
    speech, noise = _recording('speech.flac', rate), _recording('noise.flac', rate)
    errors, within, refused = [], [], 0
    # Of each array in each room, what its azimuths are off by in the mean, and their deviation.
    offsets, scatters = [], []
    for _ in range(ROOMS):
        while True:
            talker = rng.uniform(0.7, 5.3), rng.uniform(1.6, 4.0)
            angles = [math.atan2(talker[1] - y, talker[0] - x) for x, y in ARRAYS]
            if abs(wrap_angle(angles[0] - angles[1])) > SMALLEST_ANGLE:
                break
        said = np.roll(speech, -rng.integers(len(speech)))
        heard = [_tracks(uma8, model, a, talker, said, noise) for a in ARRAYS]
        for tracks, angle in zip(heard, angles, strict=True):
            off = wrap_angle(np.array([track.azimuth for track in tracks.values()]) - angle)
            offsets.append(off.mean())
            scatters.append(off.std())
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
        f'within the ellipse of 68 % {np.mean(within):.2f}; azimuths off by '
        f'{np.degrees(np.abs(offsets)).mean():.1f} deg in a room, and by '
        f'{np.degrees(scatters).mean():.1f} deg from one window to the next'
    )
    assert len(errors) > 100
    assert np.median(errors) < 0.3
    assert near > least_near
