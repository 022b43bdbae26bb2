# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Texts of launch arguments become values, or one sentence."""

import pytest

from doa_ros.core.errors import ConfigError
from doa_ros.launching.values import number, switch


def test_switches_and_numbers():
    assert all(switch('loop', text) for text in ('true', 'True', 'TRUE', '1'))
    assert not any(switch('loop', text) for text in ('false', 'False', '0'))
    for text in ('', 'maybe', '2'):
        with pytest.raises(ConfigError, match=f"loop must be true or false, not '{text}'"):
            switch('loop', text)
    assert number('sensitivity', '1') == 1.0
    assert type(number('sensitivity', '1')) is float
    with pytest.raises(ConfigError, match="sensitivity must be a number, not 'high'"):
        number('sensitivity', 'high')
    for text in ('nan', 'inf', '1e999'):
        with pytest.raises(ConfigError, match=f"x must be a number, not '{text}'"):
            number('x', text)
