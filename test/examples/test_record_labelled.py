# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What is recorded is what fine-tuning reads."""

from dataclasses import replace
import math
import signal

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
import soundfile

from doa_ros.audio.source import AudioBlock
from doa_ros.conversions.arrays import array_info
from doa_ros.conversions.audio import audio_frame_from_block
from doa_ros.core.features.config import FeatureConfig
from doa_ros.msg import MicArrayInfo

BLOCK = 2400
BLOCKS = 20
# In 0.9 s.
KEPT = 18


@pytest.fixture(scope='module')
def sound(uma8):
    """Return a second of all channels in 32 bits: noise, twice as loud in its second half."""
    shape = BLOCKS * BLOCK, uma8.channel_count
    noise = np.random.default_rng(6).normal(0, 2**20, shape)
    noise[len(noise) // 2 :] *= 2
    return noise.astype(np.int32)


@pytest.fixture(scope='module')
def record(stage, uma8, sound):
    """Return a function that runs the example while blocks of the sound are played."""
    run, listener, world = stage
    array = replace(uma8, face_down=True, rotation=0.5)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    info = listener.node.create_publisher(MicArrayInfo, 'doa/array_info', latched)
    info.publish(array_info(world.header(), array))

    def record(arguments, blocks):
        node = run('record_labelled', arguments=[*map(str, arguments), '--seconds', '0.9'])
        listener.spin_until(lambda: info.get_subscription_count() or not node.alive, 'the node')
        # The description of the array has to be there first.
        listener.spin(0.5)
        for number in blocks:
            world.advance()
            first = number * BLOCK
            block = AudioBlock(sound[first : first + BLOCK], 48000, first, world.now)
            world.publish(audio_frame_from_block(world.header(), block), 'doa/audio')
            listener.spin(0.02)
        return node

    return record


def test_recordings_are_what_fine_tuning_reads(record, sound, tmp_path, uma8):
    recordings = pytest.importorskip('training.data.recordings', reason='needs tqdm')
    voice = record([tmp_path, 'kitchen', 'left', '--azimuth', '90'], range(KEPT))
    assert voice.end() == 0, voice.output
    room = record([tmp_path, 'kitchen', 'alone'], range(KEPT))
    assert room.end() == 0, room.output
    # Nothing is lost, not even of 32 bits.
    kept, _ = soundfile.read(tmp_path / 'kitchen' / 'left.wav', dtype='int32')
    np.testing.assert_array_equal(kept, sound[: len(kept)])
    assert len(kept) == KEPT * BLOCK
    clips = list(recordings.load_recordings(tmp_path, uma8, FeatureConfig(), strict=True))
    assert [clip.room for clip in clips] == ['kitchen', 'kitchen']
    (source,) = clips[0].sources
    # Face down: 90 degrees in the frame is on the other side of the board, which is turned, too.
    expected = -(math.pi / 2 - 0.5)
    assert np.nanmedian(source.azimuth) == pytest.approx(expected, abs=1e-6)
    assert clips[1].sources == ()


def test_a_name_that_is_taken_is_refused(record, tmp_path):
    (tmp_path / 'kitchen').mkdir()
    (tmp_path / 'kitchen' / 'left.wav').touch()
    node = record([tmp_path, 'kitchen', 'left'], [])
    assert node.end() == 1
    assert 'is there already: choose another NAME' in node.output


def test_a_folder_that_cannot_be_used_is_one_sentence(record, tmp_path):
    (tmp_path / 'hall').touch()
    (tmp_path / 'table').mkdir()
    (tmp_path / 'table' / 'labels.csv').write_text('when,where\n')
    for folder, said in (
        ('hall', 'kitchen cannot be used'),
        ('table', 'must begin with the line'),
    ):
        node = record([tmp_path / folder, 'kitchen', 'left'], [])
        assert node.end() == 1
        assert said in node.output
        assert 'Traceback' not in node.output


@pytest.mark.parametrize('end', ['lost', 'silent', 'interrupted'])
def test_what_is_not_complete_leaves_nothing(record, tmp_path, end):
    blocks = [0, 1, 2, 5] if end == 'lost' else [0, 1, 2]
    node = record([tmp_path, 'hall', 'left', '--azimuth', '0'], blocks)
    if end == 'interrupted':
        node.send(signal.SIGINT)
    said = {'lost': 'sound was lost', 'silent': 'no sound on doa/audio', 'interrupted': ''}[end]
    assert node.end() == (0 if end == 'interrupted' else 1)
    assert said in node.output
    assert 'Traceback' not in node.output
    assert [path for path in tmp_path.rglob('*') if path.is_file()] == []
