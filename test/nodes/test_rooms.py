# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""A room of the benchmark through the running pipeline, beside the offline tool."""

import json
import sys

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
import soundfile

from doa_ros.cli import locate
from doa_ros.conversions.audio import make_header
from doa_ros.conversions.features import gcc_phat_from_window, window_from_gcc_phat
from doa_ros.core.features.extractor import FeatureExtractor
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import stamp_of
from doa_ros.msg import AudioFrame, DoaEstimateArray, GccPhat
from doa_ros.resources import find_resource

pytest.importorskip('pyroomacoustics')
from training.evaluation.scenes.conditions import DIFFICULTIES  # noqa: E402
from training.evaluation.scenes.rooms import demo_corpus, room_clips  # noqa: E402

HOP_NS = 50_000_000


@pytest.fixture(scope='module')
def clip(uma8):
    corpus = demo_corpus(uma8.sampling_frequency)
    clips = dict(room_clips(uma8, corpus, 'test', 1, 'fast'))
    return clips[DIFFICULTIES[1].name]


@pytest.fixture(scope='module')
def file(clip, uma8, tmp_path_factory):
    samples = np.zeros((len(clip.audio), uma8.channel_count), dtype=np.float32)
    samples[:, list(uma8.channels)] = clip.audio
    path = tmp_path_factory.mktemp('room') / 'room.wav'
    soundfile.write(path, samples, uma8.sampling_frequency, subtype='PCM_24')
    return path


@pytest.fixture(scope='module', params=['uma8_rooms_int8', 'uma8_several_int8'])
def model(request):
    return request.param


@pytest.fixture(scope='module')
def offline(file, model, require_model):
    """Return what doa-locate finds in the recording, window by window."""
    require_model('cnn')
    lines = []
    arguments = ['doa-locate', str(file), '--format', 'jsonl', '--model', model]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', arguments)
        patch.setattr('builtins.print', lambda line, **_: lines.append(json.loads(line)))
        assert locate.main() == 0
    return [line['estimates'] for line in lines]


@pytest.mark.real_time
def test_the_pipeline_finds_what_the_offline_tool_finds(start, listener, file, model, offline):
    estimates = listener.collect(DoaEstimateArray, 'estimates')
    audio = listener.collect(AudioFrame, 'audio')
    source = {'source': 'file', 'file': str(file), 'publish_audio': True}
    process = start('doa_pipeline', model=model, **source)
    listener.spin_until(lambda: not process.alive, 'the end of the recording')
    listener.spin(0.5)
    assert process.stop() == 0
    if 'audio lost' in process.output:
        pytest.skip('this machine was too busy to keep up')
    # The first messages may come before the listener is known, the last ones after it has gone.
    begin = stamp_of(audio[0].header)
    begin -= audio[0].first_sample_index * NANOSECONDS // audio[0].sampling_frequency
    compared = 0
    for message in estimates:
        hop = round((stamp_of(message.header) - begin) / HOP_NS)
        # The first window, of two hops, ends with the second.
        expected = offline[hop - 1]
        assert len(message.estimates) == len(expected)
        for found, line in zip(message.estimates, expected, strict=True):
            azimuth_error = wrap_angle(found.azimuth - np.radians(line['azimuth_deg']))
            assert abs(azimuth_error) < np.radians(0.01)
            assert np.degrees(found.elevation) == pytest.approx(line['elevation_deg'], abs=0.01)
            assert found.confidence == pytest.approx(line['confidence'], abs=0.001)
            compared += 1
    assert len(estimates) > 40 and compared > 20


def test_what_the_nodes_tell_each_other_is_all_that_counts(clip, uma8, model):
    path = find_resource('models', model)
    features = load_card(path).features
    direct, told = (Localizer(uma8, features, LocalizerConfig(), path) for _ in range(2))
    found, previous = [], None
    for number, window in enumerate(FeatureExtractor(uma8, features).push(0, clip.audio)):
        header = make_header(number * HOP_NS, 'mic_array')
        message = gcc_phat_from_window(header, window, uma8, features)
        received = window_from_gcc_phat(
            deserialize_message(serialize_message(message), GccPhat), uma8, features, previous
        )
        previous = received.hop_index
        found.append(direct.locate(window))
        other = told.locate(received)
        assert (other.estimates, other.detections) == (found[-1].estimates, found[-1].detections)
    assert sum(bool(localization.estimates) for localization in found) > 30


def test_the_talker_is_found(clip, offline):
    """So that the test above does not compare nonsense with nonsense."""
    (source,) = clip.sources
    # The first window, of two hops, ends with the second block.
    blocks = np.arange(1, 1 + len(offline))
    errors = [
        abs(wrap_angle(np.radians(lines[0]['azimuth_deg']) - source.azimuth[block]))
        for block, lines in zip(blocks, offline, strict=True)
        if lines and source.voiced[block]
    ]
    assert len(errors) > 30
    assert np.median(errors) < np.radians(10)
    silent = [bool(lines) for block, lines in zip(blocks, offline, strict=True)
              if clip.silent[block]]  # fmt: skip
    assert np.mean(silent) < 0.1
