# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Who waits long tries seldom."""

import pytest

from doa_ros.audio.capture.retry import retry_interval


@pytest.mark.parametrize(
    ('waited', 'expected'), [(0.0, 0.4), (7.0, 0.4), (20.0, 1.0), (60.0, 3.0), (1e6, 3.0)]
)
def test_pauses_grow_with_the_time_waited(waited, expected):
    assert retry_interval(waited, least=0.4, most=3.0) == pytest.approx(expected)
