# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from doa_ros.core.decoding import decode_azimuth
from doa_ros.core.errors import AudioError, ConfigError
from doa_ros.core.features import FeatureConfig
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.srp_phat import SrpPhat


def columns(path):
    with np.load(path) as content:
        return {name: content[name] for name in content.files}


def test_labels_agree_with_features(data, uma8):
    srp_phat = SrpPhat(uma8, FeatureConfig(lag_rate=48000.0, lag_count=39))
    shard = columns(data / 'train' / '00000.npz')
    clear = shard['voiced'] & (shard['snr'] > 5) & (shard['elevation'] < 1)
    assert clear.sum() > 20
    errors = [
        abs(wrap_angle(decode_azimuth(srp_phat.spectrum(gcc).azimuth)[0] - azimuth))
        for gcc, azimuth in zip(
            shard['gcc'][clear].astype(np.float32), shard['azimuth'][clear], strict=True
        )
    ]
    assert np.mean(np.degrees(errors) < 10) > 0.9
    activity = {name: shard['activity'][shard[name]].mean() for name in ('voiced', 'silent')}
    assert activity['voiced'] > 2 * activity['silent']
    assert not (shard['voiced'] & shard['silent']).any()


def test_goes_on_where_it_stopped_with_the_same_data(run_verb, data, sounds, settings_path):
    first, second = data / 'train' / '00000.npz', data / 'train' / '00001.npz'
    before, untouched = columns(second), first.stat().st_mtime_ns
    second.unlink()
    run_verb(
        'simulate', '--settings', settings_path, '--sounds', sounds, '--out', data, '--jobs', 1
    )
    after = columns(second)
    assert first.stat().st_mtime_ns == untouched
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])


def test_refuses_to_mix_settings(run_verb, data, sounds, settings_path, tmp_path):
    other = tmp_path / 'other.yaml'
    other.write_text(
        settings_path.read_text(encoding='utf-8').replace('rt60_max: 0.2', 'rt60_max: 0.3'),
        encoding='utf-8',
    )
    with pytest.raises(ConfigError, match='other settings'):
        run_verb('simulate', '--settings', other, '--sounds', sounds, '--out', data)


def test_a_folder_without_sound_is_refused(run_verb, settings_path, tmp_path):
    with pytest.raises(AudioError, match='no speech for split'):
        run_verb(
            'simulate',
            '--settings',
            settings_path,
            '--sounds',
            tmp_path,
            '--out',
            tmp_path / 'out',
        )
