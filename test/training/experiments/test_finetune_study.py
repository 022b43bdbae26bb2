# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv

import numpy as np
import pytest
import soundfile

from training.data.recordings import load_recordings
from training.experiments import finetune_study
from training.sections import FinetuneConfig
from training.settings import Settings


@pytest.fixture
def study(run_verb, trained, data, sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune_study, 'SECONDS', (6,))
    monkeypatch.setattr(finetune_study, '_TEST_CLIPS', 2)
    monkeypatch.setattr(finetune_study, '_ROOMS', 2)
    monkeypatch.setattr(FinetuneConfig, '__init__', _brief(FinetuneConfig.__init__))

    def run():
        run_verb('finetune_study', '--run', trained, '--data', data, '--sounds', sounds,
                 '--out', tmp_path)  # fmt: skip
        return tmp_path

    return run


def _brief(init):
    def brief(self, *args, **kwargs):
        init(self, *args, **{**kwargs, 'epochs': 1, 'steps': 2})

    return brief


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_the_study_compares_modes_and_lengths(study, uma8, monkeypatch):
    folder = study()
    with (folder / 'study.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [(row['mode'], row['labelled s']) for row in rows] == [
        ('before', '0'), ('head', '6'), ('full', '6')
    ]  # fmt: skip
    before, *after = [float(row['simulated within 10 deg']) for row in rows]
    assert min(after) >= before - FinetuneConfig().max_loss - 1e-9
    assert (folder / 'study.png').stat().st_size > 5000
    assert (folder / 'full_6' / 'model.keras').is_file()
    # The recordings are those of one board in two rooms, and are not made again.
    files = sorted((folder / 'recordings').rglob('*.flac'))
    assert [file.parent.name for file in files] == ['room0', 'room1']
    monkeypatch.setattr(finetune_study, 'MODES', ('head',))
    monkeypatch.delattr(finetune_study, '_record')
    study()
    clips = list(load_recordings(folder / 'test', uma8, Settings('uma8').features))
    assert all(clip.sources for clip in clips)
    assert np.isfinite(soundfile.read(files[0])[0]).all()
