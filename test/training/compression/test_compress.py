# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""`prune` and `cluster`, and what they share, on a network that takes maps."""

import csv
from dataclasses import replace
from pathlib import Path
import shutil

import keras
import numpy as np
import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.model_card import load_card
from training.compression import compress
from training.deployment.conversion import to_tflite
from training.fitting.loop import fit_on
from training.models.architectures import CIRCULAR, inputs_of
from training.models.blocks import build
from training.models.kernels import kernels
from training.runs import load_run
from training.sections import ClusterConfig, PruneConfig
from training.settings import load_settings


def all_kernels(model):
    return [np.asarray(kernel) for kernel in kernels(model)]


@pytest.fixture(scope='module')
def source(settings_path, tmp_path_factory) -> Path:
    """Return the run of a network that has learnt nothing yet."""
    folder = tmp_path_factory.mktemp('source')
    settings = replace(
        load_settings(settings_path).with_architecture('circular'),
        prune=PruneConfig(epochs=1),
        cluster=ClusterConfig(epochs=1),
    )
    keras.utils.set_random_seed(1)
    model = build(CIRCULAR, inputs_of(settings).shape, settings.train)
    model.save(folder / 'model.keras')
    settings.save(folder / 'settings.yaml')
    return folder


@pytest.fixture(scope='module')
def pruned(run_verb, data, source, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('prune')
    run_verb('prune', '--run', source, '--data', data, '--out', folder, '--sparsity', 0.5)
    return folder


@pytest.fixture(scope='module')
def clustered(run_verb, data, source, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('cluster')
    run_verb('cluster', '--run', source, '--data', data, '--out', folder, '--clusters', 8)
    return folder


def test_pruned_kernels_have_their_zeros(pruned):
    model, settings = load_run(pruned / '50')
    assert settings.prune.sparsity == 0.5
    for kernel in all_kernels(model):
        assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.01)
    assert np.count_nonzero(model.get_layer('elevation').bias) > 5


def test_zeros_survive_the_conversion_to_int8(pruned):
    from ai_edge_litert.interpreter import Interpreter

    model = load_run(pruned / '50')[0]
    representative = np.random.default_rng(0).uniform(-0.3, 0.5, (50, 36, 10)).astype(np.float32)
    interpreter = Interpreter(model_content=to_tflite(model, 'int8', representative))
    interpreter.allocate_tensors()
    sizes = {kernel.size for kernel in all_kernels(model)}
    found = {}
    for tensor in interpreter.get_tensor_details():
        # Weights alone are symmetric.
        symmetric = not np.any(tensor['quantization_parameters']['zero_points'])
        size = int(np.prod(tensor['shape']))
        if tensor['dtype'] == np.int8 and symmetric and size in sizes:
            found[size] = np.mean(interpreter.get_tensor(tensor['index']) == 0)
    assert set(found) == sizes
    assert min(found.values()) >= 0.49


def test_clustered_kernels_share_their_values(clustered):
    model, settings = load_run(clustered / '8')
    assert settings.cluster.clusters == 8
    for kernel in all_kernels(model):
        assert len(np.unique(kernel)) <= 8
    assert len(np.unique(model.get_layer('elevation').bias)) > 8


@pytest.mark.parametrize(
    ('verb', 'network'), [('prune', 'sparsity 0.5'), ('cluster', 'clusters 8')]
)
def test_the_table_compares_accuracy_and_compressed_size(pruned, clustered, verb, network):
    folder = {'prune': pruned, 'cluster': clustered}[verb]
    with (folder / f'{verb}.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['network'] for row in rows] == ['as trained'] * 2 + [network] * 2
    assert [row['format'] for row in rows] == ['float32', 'int8'] * 2
    for before, after in (rows[::2], rows[1::2]):
        assert float(after['compressed [KiB]']) < 0.95 * float(before['compressed [KiB]'])
    assert all(0 <= float(row['within 10 deg']) <= 1 for row in rows)
    assert (folder / f'{verb}.png').stat().st_size > 5000
    assert f'| {network} | ' in (folder / f'{verb}.md').read_text(encoding='utf-8')


def test_a_variant_is_quantised_as_any_run(run_verb, pruned, data, tmp_path, uma8):
    out = ('--name', 'small', '--out', tmp_path, '--kind', 'int8')
    run_verb('quantize', '--run', pruned / '50', '--data', data, *out)
    # Its card says what it is.
    assert load_card(tmp_path / 'small_int8.tflite').training['zeros'] == 0.5
    features = load_settings(pruned / '50' / 'settings.yaml').features
    model = Classifier.load(tmp_path / 'small_int8.tflite', uma8, features)
    assert model.spectrum(np.zeros((15, 13), np.float32)).azimuth.shape == (36,)


def test_an_interrupted_verb_goes_on_with_the_variant_it_was_at(
    run_verb, pruned, data, source, tmp_path, monkeypatch
):
    # The first variant is finished.
    out = tmp_path / 'prune'
    shutil.copytree(pruned, out)
    kept = (out / '50' / 'model.keras').stat().st_mtime_ns
    arguments = ('prune', '--run', source, '--data', data, '--out', out)
    arguments += ('--sparsity', 0.5, '--sparsity', 0.8)

    def interrupted(*args, **keywords):
        fit_on(*args, **keywords)
        raise KeyboardInterrupt

    monkeypatch.setattr(compress, 'fit_on', interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_verb(*arguments)
    assert not (out / '80' / 'model.keras').exists()
    monkeypatch.undo()
    # The table has a test of its own.
    monkeypatch.setattr(compress, '_KINDS', ('float32',))
    run_verb(*arguments)
    assert (out / '50' / 'model.keras').stat().st_mtime_ns == kept
    for kernel in all_kernels(load_run(out / '80')[0]):
        assert np.mean(kernel == 0) == pytest.approx(0.8, abs=0.02)


def test_a_sparsity_out_of_bounds_is_refused(run_verb, source, data, tmp_path):
    with pytest.raises(ConfigError, match='sparsity'):
        run_verb('prune', '--run', source, '--data', data, '--out', tmp_path, '--sparsity', 1.5)
