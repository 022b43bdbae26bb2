# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings files of training."""

import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.resources import find_resource, shipped
from training.models.architectures import inputs_of
from training.settings import load_settings


@pytest.mark.parametrize('name', shipped('training'))
def test_shipped_settings_are_usable(name):
    settings = load_settings(find_resource('training', name))
    assert settings.any_array == name.startswith('any_')
    assert inputs_of(settings).shape[0] in (13, 36, 39, 72)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('follow: {epochs: 3}', 'follow is called train_filter now'),
        ('train: {multilabel: true}', 'train: multilabel is called multi_source now'),
    ],
)
def test_old_names_are_refused_by_the_new_ones(tmp_path, text, message):
    path = tmp_path / 'settings.yaml'
    path.write_text(f'array: uma8\n{text}\n', encoding='utf-8')
    with pytest.raises(ConfigError, match=f'{path}: {message}'):
        load_settings(path)
