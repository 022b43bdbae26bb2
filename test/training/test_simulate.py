# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The data set on disk: complete, the same however it was made, and safe when something fails."""

import csv
import errno
import os
from pathlib import Path
import shutil
import signal
import threading
import time

import numpy as np
import pytest
import soundfile
import yaml

from doa_ros.core.errors import AudioError, ConfigError, DoaError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.gcc_phat import GccPhat
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.decoding import decode_azimuth
from doa_ros.core.localization.srp_phat import SrpPhat
from training.data.dataset import Dataset

# Quick: the features take most of the time.
TINY = {
    'array': 'uma8',
    'features': {'lag_rate': 16000, 'lag_count': 13},
    'data_features': {'lag_rate': 16000, 'lag_count': 13},
    'simulate': {'train_clips': 11, 'val_clips': 3, 'length': 0.6, 'lead': 0.0, 'rt60_max': 0.2},
}


@pytest.fixture
def simulate(run_verb, sounds, tmp_path, monkeypatch):
    """Return a function that runs the verb, five clips to a shard, and returns the folder."""
    monkeypatch.setattr('training.simulate.SimulationJob.clips_per_shard', 5)

    def run(*arguments, name='out', sounds=sounds, jobs=1, **settings):
        path = tmp_path / 'settings.yaml'
        path.write_text(yaml.safe_dump({**TINY, 'simulate': {**TINY['simulate'], **settings}}))
        out = tmp_path / name
        run_verb(
            'simulate', '--settings', path, '--sounds', sounds, '--out', out, '--jobs', jobs,
            *arguments,
        )  # fmt: skip
        return out

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


def columns(path):
    with np.load(path) as content:
        return {name: content[name] for name in content.files}


def test_labels_agree_with_features(data, uma8):
    srp_phat = SrpPhat(GccPhat(uma8, FeatureConfig(lag_rate=48000.0, lag_count=39)))
    shard = columns(data / 'train' / '00000.npz')
    assert set(shard) == set(Dataset.names())
    clear = shard['voiced'][:, 0] & (shard['snr'] > 5) & (shard['elevation'][:, 0] < 1)
    assert clear.sum() > 20
    errors = [
        abs(wrap_angle(decode_azimuth(srp_phat.spectrum(gcc).azimuth)[0] - azimuth))
        for gcc, azimuth in zip(
            shard['features'][clear].astype(np.float32), shard['azimuth'][clear, 0], strict=True
        )
    ]
    assert np.mean(np.degrees(errors) < 10) > 0.85
    voiced = shard['voiced'].any(axis=1)
    assert shard['activity'][voiced].mean() > 2 * shard['activity'][shard['silent']].mean()
    assert not (voiced & shard['silent']).any()


def test_goes_on_where_it_stopped_with_the_same_data(simulate):
    out = simulate()
    before = contents(out)
    assert set(before) == {'settings.yaml', 'val/00000.npz'} | {
        f'train/{k:05d}.npz' for k in range(3)
    }
    untouched = (out / 'train/00000.npz').stat().st_mtime_ns
    (out / 'train/00001.npz').unlink()
    # As after a crash of the machine.
    (out / 'train/00002.npz').write_bytes(before['train/00002.npz'][:1000])
    simulate(jobs=2)
    assert contents(out) == before
    assert (out / 'train/00000.npz').stat().st_mtime_ns == untouched


def test_more_clips_are_added(simulate):
    out = simulate(train_clips=7)
    untouched = (out / 'train/00000.npz').stat().st_mtime_ns
    simulate()
    assert (out / 'train/00000.npz').stat().st_mtime_ns == untouched
    assert contents(out) == contents(simulate(name='at_once'))


def test_audio_and_its_labels(simulate):
    out = simulate('--audio', length=2.0, sources_max=2, train_clips=7)
    with (out / 'audio/train/labels.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['file', 'start', 'end', 'azimuth_deg', 'elevation_deg']
    assert {row['file'] for row in rows} == {f'{k:06d}.flac' for k in range(7)}
    assert [row['file'] for row in rows] == sorted(row['file'] for row in rows)
    info = soundfile.info(out / 'audio/train/000006.flac')
    assert (info.channels, info.samplerate, info.frames) == (6, 16000, 32000)
    assert info.subtype == 'PCM_24'
    shards = [columns(out / f'train/0000{k}.npz') for k in range(2)]
    clips = np.concatenate([shard['clip'] for shard in shards])
    azimuths = np.concatenate([shard['azimuth'] for shard in shards])
    for row in rows:
        azimuth = azimuths[clips == int(row['file'][:6])]
        if row['azimuth_deg']:
            assert 0 <= float(row['start']) < float(row['end']) <= 2
            assert np.isclose(np.degrees(azimuth), float(row['azimuth_deg']), atol=0.01).any()
        else:
            assert row['start'] == ''


def test_audio_can_be_added_later_and_survives_an_interruption(simulate):
    out = simulate(train_clips=7)
    simulate('--audio', train_clips=7)
    before = contents(out)
    (out / 'train/00001.npz').unlink()
    with (out / 'audio/train/labels.csv').open('a') as file:
        file.write('000006.fl')
    simulate('--audio', train_clips=7)
    assert contents(out) == before


def test_a_full_disk_is_reported_and_leaves_whole_files(simulate, monkeypatch, tmp_path):
    whole = Path.write_bytes
    written = []

    def write(path, content):
        if len(written) >= 3:
            whole(path, content[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        return whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', write)
        with pytest.raises(DoaError, match='out: No space left.*run simulate again'):
            simulate()
    # The settings and two shards.
    left = contents(tmp_path / 'out')
    assert set(left) == {'settings.yaml', 'val/00000.npz', 'train/00000.npz'}
    assert left.items() <= contents(simulate()).items()


def test_a_folder_that_cannot_be_made(run_verb, sounds, settings_path, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DoaError, match='cannot be written'):
        run_verb('simulate', '--settings', settings_path, '--sounds', sounds,
                 '--out', tmp_path / 'file' / 'out')  # fmt: skip


def test_a_folder_without_sound_is_refused(simulate, tmp_path):
    with pytest.raises(AudioError, match='no speech for split'):
        simulate(sounds=tmp_path)
    assert not (tmp_path / 'out').exists()


def test_needs_to_know_where(run_verb, settings_path):
    with pytest.raises(ConfigError, match='--sounds and --out'):
        run_verb('simulate', '--settings', settings_path)


@pytest.fixture
def with_broken(sounds, tmp_path):
    folder = tmp_path / 'sounds'
    shutil.copytree(sounds, folder)
    (folder / 'train/noise/broken.flac').write_bytes(b'fLaC')
    return folder


@pytest.mark.parametrize('jobs', [1, 2])
def test_a_corrupt_recording_is_named_and_left_out(simulate, with_broken, jobs, capsys):
    simulate(sounds=with_broken, jobs=jobs)
    printed = capsys.readouterr().out
    assert printed.count('left out: ') == 1 and 'broken.flac' in printed
    assert '1 recordings were left out' in printed
    assert '14 clips, 8.4 s of audio in' in printed


@pytest.mark.parametrize('jobs', [1, 2])
def test_strict_stops_at_a_corrupt_recording(simulate, with_broken, jobs):
    with pytest.raises(AudioError, match='broken.flac'):
        simulate('--strict', sounds=with_broken, jobs=jobs)


def test_check_engines_prints_a_table(run_verb, settings_path, monkeypatch, capsys):
    monkeypatch.setattr('training.simulation.engine_check._CHECKED', (0.2,))
    run_verb('simulate', '--settings', settings_path, '--check-engines')
    printed = capsys.readouterr().out
    assert '0.2 s' in printed and 'times faster' in printed


def test_a_cluster_gives_the_same_even_when_a_worker_is_killed(simulate, tmp_path):
    distributed = pytest.importorskip('distributed')
    expected = contents(simulate('--audio', train_clips=45, name='local'))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        with distributed.Client(cluster) as client:
            victims = client.run(os.getpid)
        killed = []

        def kill_one():
            while not list(tmp_path.glob('cluster/*/*.npz')):
                time.sleep(0.01)
            victim = next(iter(victims.values()))
            os.kill(victim, signal.SIGKILL)
            killed.append(len(list(tmp_path.glob('cluster/*/*.npz'))))

        killer = threading.Thread(target=kill_one, daemon=True)
        killer.start()
        out = simulate(
            '--audio', '--scheduler', cluster.scheduler_address, train_clips=45, name='cluster'
        )
        killer.join(timeout=10)
        # In the middle of the work.
        assert killed and killed[0] < 9
    assert contents(out) == expected
