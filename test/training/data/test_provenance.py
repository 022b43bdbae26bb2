# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from doa_ros.core.errors import ConfigError
from training.data.provenance import store_provenance
from training.settings import Settings
from training.simulate import provenance


def test_data_of_other_settings_is_not_mixed(tmp_path):
    settings = Settings('uma8')
    store_provenance(tmp_path, provenance(settings), 'simulate')
    more = replace(settings, simulate=replace(settings.simulate, train_clips=1, val_clips=1))
    store_provenance(tmp_path, provenance(more), 'simulate')
    other = replace(settings, simulate=replace(settings.simulate, rt60_max=0.3))
    with pytest.raises(ConfigError, match='other settings'):
        store_provenance(tmp_path, provenance(other), 'simulate')
