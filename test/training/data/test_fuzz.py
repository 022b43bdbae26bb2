# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Any bag, label, network description or settings: usable, or refused with one sentence."""

from pathlib import Path
import shutil
import tempfile

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
import soundfile
import yaml

from doa_ros.core.errors import DoaError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.samples import usable
from doa_ros.resources import find_resource
from training.data.bags import DEFINITION, MESSAGE, audio_blocks
from training.data.recordings import load_recordings
from training.models.blocks import load_network
from training.settings import load_settings

_FRAMES, _SAMPLES = 3, 50


@pytest.fixture(scope='module')
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _refused(error):
    assert '\n' not in str(error)
    assert len(str(error)) < 2000


@pytest.fixture(scope='module', params=StoragePlugin, ids=lambda plugin: plugin.name)
def bag(request, folder):
    """A bag of a few short frames, and its file with the messages."""
    path = folder / request.param.name
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(DEFINITION, MESSAGE))
    header = store.types['std_msgs/msg/Header'](
        stamp=store.types['builtin_interfaces/msg/Time'](5, 0), frame_id='mic_array'
    )
    with Writer(path, version=9, storage_plugin=request.param) as writer:
        connection = writer.add_connection('/doa/audio', MESSAGE, typestore=store)
        for number in range(_FRAMES):
            frame = store.types[MESSAGE](
                header=header,
                format='signed_16',
                channel_count=8,
                sampling_frequency=48000,
                frame_sample_count=_SAMPLES,
                first_sample_index=number * _SAMPLES,
                data=np.arange(_SAMPLES * 16, dtype=np.uint8),
            )
            writer.write(connection, number, store.serialize_cdr(frame, MESSAGE))
    (messages,) = (file for file in path.iterdir() if file.name != 'metadata.yaml')
    return path, messages


@given(data=st.data())
def test_any_bag(folder, uma8, damaged, bag, data):
    original, messages = bag
    path = folder / 'damaged'
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(original, path)
    victim = data.draw(st.sampled_from([messages.name, messages.name, 'metadata.yaml']))
    (path / victim).write_bytes(data.draw(damaged((original / victim).read_bytes())))
    try:
        for number, block in enumerate(audio_blocks(path, uma8)):
            assert number < 100
            assert block.samples.ndim == 2 and usable(block.samples)
    except DoaError as error:
        _refused(error)


@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from(['file', 'start', 'end', 'azimuth_deg', 'elevation_deg', 'x']),
            st.none()
            | st.booleans()
            | st.integers(-400, 400)
            | st.floats()
            | st.sampled_from(['a.wav', 'b.wav', '../a.wav', '', '1e999', 'left']),
            max_size=6,
        ),
        max_size=3,
    ),
    form=st.sampled_from(['csv', 'yaml']),
)
def test_any_labels(folder, uma8, rows, form):
    path = folder / 'labels'
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (48000, 8))
    soundfile.write(path / 'a.wav', noise, 48000)
    if form == 'csv':
        names = list(dict.fromkeys(name for row in rows for name in row)) or ['file']
        cells = [[str(row.get(name, '')) for name in names] for row in rows]
        (path / 'labels.csv').write_text('\n'.join(map(','.join, [names, *cells])))
    else:
        (path / 'labels.yaml').write_text(yaml.safe_dump({'labels': rows}))
    try:
        for clip in load_recordings(path, uma8, FeatureConfig()):
            assert np.isfinite(clip.audio).all()
    except DoaError as error:
        _refused(error)


@pytest.mark.parametrize(
    ('kind', 'name', 'read'),
    [('architectures', 'uma8_rooms', load_network), ('training', 'uma8_rooms', load_settings)],
)
@given(data=st.data())
def test_any_settings(folder, changed_content, damaged, kind, name, read, data):
    original = find_resource(kind, name).read_bytes()
    path = folder / 'settings.yaml'
    if data.draw(st.booleans()):
        content = yaml.safe_load(original)
        path.write_text(yaml.safe_dump(data.draw(changed_content(content))), encoding='utf-8')
    else:
        path.write_bytes(data.draw(damaged(original)))
    try:
        read(path)
    except DoaError as error:
        _refused(error)
