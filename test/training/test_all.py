# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import yaml

from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card
from training import all as all_in_one
from training.fitting import hmm
from training.sections import SimulateConfig, TrainConfig
from training.settings import load_settings
from training.simulation import synthetic

TRIANGLE = {
    'name': 'triangle',
    'sampling_frequency': 16000,
    'channel_count': 3,
    'microphones': [
        {'label': f'm{k}', 'channel': k, 'position': position}
        for k, position in enumerate([[0.04, 0.0, 0.0], [-0.02, 0.035, 0.0], [-0.02, -0.035, 0.0]])
    ],
}


@pytest.fixture(scope='module')
def array_file(tmp_path_factory):
    path = tmp_path_factory.mktemp('array') / 'triangle.yaml'
    path.write_text(yaml.safe_dump(TRIANGLE), encoding='utf-8')
    return path


@pytest.fixture(scope='module')
def tiny(monkeypatch_module):
    """Let everything be as small as it can be."""
    simulate = SimulateConfig(
        train_clips=30, val_clips=6, length=2.5, lead=1.0, rt60_max=0.2, every=4
    )
    train = TrainConfig(
        architecture='circular', outputs=('azimuth', 'elevation', 'activity'), epochs=2, batch=64
    )
    monkeypatch_module.setattr(all_in_one, 'BUDGETS', {'small': (simulate, train)})
    monkeypatch_module.setattr(all_in_one, '_CALIBRATION_SCENES', 1)
    monkeypatch_module.setattr(hmm, '_EVALUATIONS', 12)
    monkeypatch_module.setattr(synthetic, '_FILES', {'train': 2, 'val': 1})
    monkeypatch_module.setattr(synthetic, '_SECONDS', 2.0)


@pytest.fixture(scope='module')
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope='module')
def out(tiny, array_file, run_verb, tmp_path_factory):
    folder = tmp_path_factory.mktemp('all')
    # The evaluation has tests of its own; its fixed rooms take longer than all the rest.
    with pytest.MonkeyPatch.context() as patch:
        calls = []

        def recorded(name):
            original = getattr(all_in_one, name)

            def record(*args, **kwargs):
                calls.append((name, (args, kwargs)))
                if name != 'evaluate':
                    original(*args, **kwargs)

            return record

        for name in ('simulate', 'train', 'quantize', 'calibrate', 'evaluate'):
            patch.setattr(all_in_one, name, recorded(name))
        run_verb('all', '--array', array_file, '--out', folder)
        first = list(calls)
        calls.clear()
        run_verb('all', '--array', array_file, '--out', folder)
    return folder, first, calls


def test_it_ends_in_a_model_that_the_runtime_loads(out, array_file):
    folder, _, _ = out
    model = folder / 'models' / 'triangle_int8.tflite'
    features = load_card(model).features
    assert features.lags[-1] >= load_array(array_file).max_delay
    spectrum = Classifier.load(model, load_array(array_file), features).spectrum(
        np.zeros((3, features.lag_count), np.float32)
    )
    assert spectrum.azimuth.shape == (36,)
    card = load_card(model)
    assert card.hmm is not None and card.calibration is not None
    assert load_settings(folder / 'settings.yaml').train.architecture == 'circular'


def test_the_model_is_evaluated_for_its_array(out, array_file):
    folder, calls, _ = out
    name, (args, kwargs) = calls[-1]
    assert name == 'evaluate' and args == (str(array_file),)
    assert kwargs['models'] == [folder / 'models' / 'triangle_int8.tflite']


def test_what_is_finished_is_not_done_again(out):
    _, first, second = out
    last = ['quantize', 'calibrate', 'evaluate']
    assert [name for name, _ in first] == ['simulate', 'train', *last]
    assert [name for name, _ in second] == ['simulate', *last]


def test_classes_reach_below_the_horizon_where_the_array_tells_it(tetrahedron, uma8):
    space = all_in_one.settings_for(tetrahedron, 'made', 'small').train
    flat = all_in_one.settings_for(uma8, 'uma8', 'small').train
    assert flat.grid.elevations[[0, -1]] == pytest.approx([0, np.pi / 2])
    assert space.grid.elevations[[0, -1]] == pytest.approx([-np.pi / 2, np.pi / 2])
    assert space.grid.elevation_step == pytest.approx(flat.grid.elevation_step)


@pytest.mark.parametrize('count', [0, 1])
def test_an_array_that_cannot_locate_is_refused(run_verb, tmp_path, count):
    path = tmp_path / 'array.yaml'
    microphones = TRIANGLE['microphones'][:count]
    path.write_text(yaml.safe_dump(TRIANGLE | {'microphones': microphones}), encoding='utf-8')
    with pytest.raises(ConfigError, match='at least two microphones'):
        run_verb('all', '--array', path, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
