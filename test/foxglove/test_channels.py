# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What Foxglove is told, as it reads it: where things are, and what columns hold."""

import io
import json
import math
from pathlib import Path
import re

import numpy as np
import pytest

foxglove = pytest.importorskip('foxglove', reason='Foxglove needs foxglove-sdk')
pytest.importorskip('mcap', reason='files are read by mcap')

from foxglove_fixtures import read_mcap  # noqa: E402

from doa_ros.columns import ESTIMATE_COLUMNS, TRACK_COLUMNS  # noqa: E402
from doa_ros.core.geometry import unit_vector  # noqa: E402
from doa_ros.core.localization.decoding import Estimate  # noqa: E402
from doa_ros.core.units import NANOSECONDS  # noqa: E402
from doa_ros.foxglove.channels import Channels  # noqa: E402
from doa_ros.foxglove.records import ESTIMATES, TRACKS  # noqa: E402
from doa_ros.resources import config_directory  # noqa: E402

_STAMP = 5 * NANOSECONDS + 250_000_000


@pytest.fixture
def track(make_track):
    """A track whose number is 7."""
    return make_track(4_000_000_007)


@pytest.fixture
def told():
    """Return a function that calls methods of channels, and returns what a file of them holds."""

    def run(**calls):
        content, context = io.BytesIO(), foxglove.Context()
        channels = Channels(context)
        with foxglove.open_mcap(content, context=context):
            for name, arguments in calls.items():
                getattr(channels, name)(_STAMP, *arguments)
        return read_mcap(content)

    return run


def _forwards(arrow):
    """Return where the pose of an arrow turns +x."""
    q = arrow.pose.orientation
    vector, x = np.array([q.x, q.y, q.z]), np.array([1.0, 0.0, 0.0])
    turned = np.cross(vector, x)
    return x + 2 * q.w * turned + 2 * np.cross(vector, turned)


def _array(points):
    return np.array([[p.x, p.y, p.z] for p in points])


def test_an_arrow_points_to_a_talker_and_says_who(told, track):
    ((time, scene),) = told(log_tracks=('robot', [track]))['/scene/tracks']
    assert time == _STAMP
    (entity,) = scene.entities
    assert (entity.id, entity.frame_id) == ('4000000007', 'robot')
    assert entity.timestamp.ToNanoseconds() == _STAMP
    assert entity.lifetime.ToNanoseconds() == NANOSECONDS // 2
    (arrow,), (label,), (fan,) = entity.arrows, entity.texts, entity.triangles
    direction = unit_vector(track.azimuth, track.elevation)
    assert _forwards(arrow) == pytest.approx(direction)
    length = arrow.shaft_length + arrow.head_length
    assert length == pytest.approx(0.3 + 0.7 * 0.75)
    assert label.text == '7\n-115 deg, 75%'
    # The fan begins at the array and ends a standard deviation to each side.
    rim = _array(fan.points)
    azimuths = np.arctan2(rim[:, 1], rim[:, 0])[np.abs(rim).sum(axis=1) > 0]
    assert (azimuths.min(), azimuths.max()) == pytest.approx((-2.1, -1.9))
    assert np.linalg.norm(rim, axis=1).max() == pytest.approx(length)


def test_each_scene_replaces_the_one_before(told):
    found = told(log_tracks=('f', []), log_estimates=('f', []))
    for topic in ('/scene/tracks', '/scene/estimates'):
        ((_, scene),) = found[topic]
        assert not scene.entities
        assert [deletion.type for deletion in scene.deletions] == [1]  # all of the topic


def test_what_is_not_known_is_not_shown(told, track):
    unknown = track._replace(
        elevation=math.nan, azimuth_stddev=math.nan, elevation_rate=math.nan, predicted=True
    )
    found = told(log_tracks=('f', [unknown]))
    (entity,) = found['/scene/tracks'][0][1].entities
    assert _forwards(entity.arrows[0]) == pytest.approx(unit_vector(-2.0, 0.0))
    assert not entity.triangles
    assert entity.arrows[0].color.a < entity.texts[0].color.a == 1
    (row,) = found['/tracks'][0][1]['tracks']
    assert (row['track_id'], row['azimuth_deg'], row['predicted']) == (4000000007, -114.59, True)
    assert not {'elevation_deg', 'azimuth_stddev_deg', 'elevation_rate_deg'} & row.keys()


def test_estimates_are_thin_arrows_and_rows(told):
    estimates = [Estimate(0.5, 0.25, 0.1, math.nan, 0.9), Estimate(2.0, 0.0, 0.1, 0.1, 0.6)]
    found = told(log_estimates=('f', estimates))
    entities = found['/scene/estimates'][0][1].entities
    for entity, estimate in zip(entities, estimates, strict=True):
        direction = unit_vector(estimate.azimuth, estimate.elevation)
        assert _forwards(entity.arrows[0]) == pytest.approx(direction)
    rows = found['/estimates'][0][1]['estimates']
    assert [row['azimuth_deg'] for row in rows] == [28.65, 114.59]


def test_the_array_is_in_its_place(told, uma8):
    (entity,) = told(log_array=('f', uma8))['/scene/array'][0][1].entities
    places = _array(sphere.pose.position for sphere in entity.spheres)
    assert places == pytest.approx(uma8.frame_positions)
    numbers = [text.text for text in entity.texts]
    assert numbers[: len(places)] == [str(channel) for channel in uma8.channels]
    assert '90' in numbers and '180' in numbers
    assert entity.lifetime.ToNanoseconds() == 0


def test_the_ring_bulges_to_the_probable(told):
    azimuths = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    probability = np.exp(-((azimuths - 1.0) ** 2) / 0.02).astype(np.float32)
    (entity,) = told(log_spectrum=('f', azimuths, probability))['/scene/spectrum'][0][1].entities
    ring = _array(entity.lines[0].points)
    x, y, _ = ring[np.linalg.norm(ring, axis=1).argmax()]
    assert np.arctan2(y, x) == pytest.approx(1.0, abs=0.05)


def test_levels_have_the_names_of_their_microphones(told, uma8):
    samples = np.zeros((4800, 8), dtype=np.int32)
    samples[:, 1] = 2**29 * (-1) ** np.arange(4800)
    ((_, message),) = told(log_sound=(uma8, samples))['/levels']
    assert message['timestamp'] == {'sec': 5, 'nsec': 250_000_000}
    assert message['levels'][1] == {'channel': 1, 'label': 'ring_1', 'level_dbfs': -12.0}
    assert message['levels'][7] == {'channel': 7, 'label': '', 'level_dbfs': -120.0}


def test_nothing_is_computed_that_nobody_looks_at(uma8):
    channels = Channels(foxglove.Context())
    assert not channels.watched
    # What is given is not even looked at.
    channels.log_array(0, 'f', None)
    channels.log_sound(0, uma8, None)
    channels.log_estimates(0, 'f', None)
    channels.log_tracks(0, 'f', None)
    channels.log_spectrum(0, 'f', None, None)


@pytest.mark.parametrize(
    ('records', 'columns'), [(TRACKS, TRACK_COLUMNS), (ESTIMATES, ESTIMATE_COLUMNS)]
)
def test_schemas_name_every_column(records, columns):
    items = records.schema['properties'][records.rows]['items']['properties']
    assert list(items) == [column.name for column in columns]
    assert {kind['type'] for kind in items.values()} <= {'number', 'integer', 'boolean'}


def test_the_layout_shows_channels_that_there_are(told, track, uma8):
    layout = json.loads((config_directory() / 'foxglove.json').read_text())
    found = told(
        log_array=('f', uma8),
        log_estimates=('f', [Estimate(0.5, 0.25, 0.1, 0.1, 0.9)]),
        log_tracks=('f', [track]),
        log_spectrum=('f', np.zeros(1), np.zeros(1)),
        log_sound=(uma8, np.ones((10, 8))),
    )
    panels = layout['configById']
    scenes = {topic for topic in found if topic.startswith('/scene/')}
    assert panels['3D!directions']['topics'].keys() == scenes
    paths = [series['value'] for p in panels.values() for series in p.get('paths', [])]
    assert len(paths) == 3
    for path in paths:
        topic, rows, column = re.fullmatch(r'(/\w+)\.(\w+)\[:\]\.(\w+)', path).groups()
        assert column in found[topic][0][1][rows][0]
    # Every panel stands somewhere.
    assert set(re.findall(r'\w+!\w+', json.dumps(layout['layout']))) == panels.keys()


def test_the_page_names_every_channel(told):
    page = Path(__file__).resolve().parents[2] / 'docs' / 'foxglove.md'
    named = re.findall(r'^\| `(/[\w/]+)` \|', page.read_text(), re.MULTILINE)
    context = foxglove.Context()
    channels = Channels(context)
    assert sorted(named) == sorted(channel.topic() for channel in channels._all)
