# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Folders of recordings in all the forms people have them."""

import json

import numpy as np
import pytest
import soundfile

from doa_ros.core.errors import AudioError
from training.simulation import corpus
from training.simulation.corpus import load_corpus
from training.splits import SPLITS, TEST

RATE = 16000


def write(path, seconds=0.1, rate=RATE, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal(round(seconds * rate))
    soundfile.write(path, 0.1 * noise, rate)


def names(folder, split, kind='speech'):
    files = load_corpus(folder, split, RATE).files[kind]
    return {str(path.relative_to(folder)) for path in files}


def test_folders_of_splits_are_read_at_any_depth(tmp_path):
    for split in SPLITS:
        for kind in ('speech', 'noise'):
            write(tmp_path / split / kind / 'deep' / 'a.flac')
    assert names(tmp_path, 'train') == {'train/speech/deep/a.flac'}
    assert names(tmp_path, 'val', 'noise') == {'val/noise/deep/a.flac'}
    assert names(tmp_path, 'val', 'impulse') == set()


def test_a_manifest_lists_files_by_kind_and_split(tmp_path):
    rows = [
        {'file': f'{split}_{kind}.wav', 'kind': kind, 'split': split}
        for split in SPLITS
        for kind in ('speech', 'noise', 'impulse', 'other')
    ]
    (tmp_path / 'manifest.json').write_text(json.dumps({'files': rows}))
    assert names(tmp_path, 'val', 'impulse') == {'val_impulse.wav'}


@pytest.mark.parametrize('content', ['[', '{}', '{"files": [{"file": "a"}]}', '[1]'])
def test_a_broken_manifest_is_refused(tmp_path, content):
    (tmp_path / 'manifest.json').write_text(content)
    with pytest.raises(AudioError, match='manifest.json: not a usable manifest'):
        load_corpus(tmp_path, 'train', RATE)


def test_no_speaker_is_in_two_splits(tmp_path):
    for speaker in range(12):
        for utterance in range(2):
            write(tmp_path / f'speech/corpus/{speaker}/chapter/{utterance}.wav')
            write(tmp_path / f'noise/{speaker}/{utterance}.wav')
    speakers = {s: {n.split('/')[2] for n in names(tmp_path, s)} for s in (*SPLITS, TEST)}
    assert sorted(name for split in speakers.values() for name in split) == sorted(
        str(k) for k in range(12)
    )
    assert all(speakers.values())
    assert len(speakers['val']) + len(speakers[TEST]) < len(speakers['train'])
    # The same whatever else is there.
    write(tmp_path / 'speech/corpus/new/0.wav')
    assert {name.split('/')[2] for name in names(tmp_path, 'val')} - {'new'} == speakers['val']


def test_flat_folders_are_split_by_file_with_a_warning(tmp_path):
    for kind in ('speech', 'noise'):
        for k in range(10):
            write(tmp_path / kind / f'{k}.wav')
    with pytest.warns(UserWarning, match='one by one'):
        found = [names(tmp_path, split) for split in (*SPLITS, TEST)]
    assert all(found) and sum(map(len, found)) == len(set.union(*found)) == 10


def test_two_speakers_are_not_enough_for_a_test_split(tmp_path):
    for speaker in ('a', 'b'):
        write(tmp_path / f'speech/{speaker}/0.wav')
        write(tmp_path / f'noise/{speaker}/0.wav')
    assert len(names(tmp_path, 'train')) == len(names(tmp_path, 'val')) == 1
    with pytest.raises(AudioError, match="no speech for split 'test'"):
        load_corpus(tmp_path, TEST, RATE)


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(AudioError, match='no speech for split'):
        load_corpus(tmp_path, 'train', RATE)
    with pytest.raises(AudioError, match='not a folder'):
        load_corpus(tmp_path / 'none', 'train', RATE)


@pytest.fixture
def with_broken(tmp_path):
    """Return a folder with one good recording and two of no use."""
    for kind in ('speech', 'noise'):
        write(tmp_path / 'train' / kind / 'good.wav')
    (tmp_path / 'train/speech/broken.wav').write_bytes(b'RIFF')
    soundfile.write(tmp_path / 'train/speech/mute.wav', np.zeros(1000), RATE)
    return tmp_path


def test_unusable_recordings_are_left_out(with_broken):
    found = load_corpus(with_broken, 'train', RATE)
    rng = np.random.default_rng(1)
    for _ in range(20):
        sound = found.draw('speech', rng)
        assert np.mean(sound**2) == pytest.approx(1, rel=1e-3)
    assert {path.name for path in found.unusable} == {'broken.wav', 'mute.wav'}


def test_the_draw_does_not_depend_on_what_is_known_already(with_broken):
    """A worker that has met a broken file goes on as one that has not."""
    fresh, used = (load_corpus(with_broken, 'train', RATE) for _ in range(2))
    for seed in range(20):
        used.draw('speech', np.random.default_rng(seed))
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(10):
        fresh.draw('speech', one)
        used.draw('speech', other)
    assert one.random() == other.random()


def test_strict_stops_at_an_unusable_recording(with_broken):
    found = load_corpus(with_broken, 'train', RATE, strict=True)
    with pytest.raises(AudioError, match='broken.wav|mute.wav'):
        for seed in range(20):
            found.draw('speech', np.random.default_rng(seed))


def test_nothing_usable_is_an_error(with_broken):
    (with_broken / 'train/speech/good.wav').unlink()
    with pytest.raises(AudioError, match='none of the speech recordings'):
        load_corpus(with_broken, 'train', RATE).draw('speech', np.random.default_rng(1))


def test_long_recordings_are_read_in_pieces_and_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, '_PIECE', 0.5)
    monkeypatch.setattr(corpus, '_CACHE_BYTES', 100_000)
    for k in range(4):
        write(tmp_path / f'train/speech/{k}.wav', 2.2, seed=k)
    write(tmp_path / 'train/noise/a.wav')
    found = load_corpus(tmp_path, 'train', RATE)
    rng = np.random.default_rng(1)
    pieces = {found.draw('speech', rng).tobytes()[:64] for _ in range(200)}
    assert len(pieces) == 16
    assert sum(sound.nbytes for sound in found._cache.values()) <= 100_000
