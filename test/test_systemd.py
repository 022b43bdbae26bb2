# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The systemd unit is one, and ends the launch in good order."""

from configparser import RawConfigParser
from pathlib import Path
import shutil
import subprocess

import pytest

_UNIT = Path(__file__).resolve().parents[1] / 'config' / 'systemd' / 'doa.service'


def _complaints(unit):
    done = subprocess.run(
        ['systemd-analyze', 'verify', '--man=no', unit],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]


@pytest.mark.skipif(shutil.which('systemd-analyze') is None, reason='needs systemd')
def test_systemd_understands_the_unit(tmp_path):
    wrong = tmp_path / _UNIT.name
    wrong.write_text(_UNIT.read_text().replace('KillSignal', 'KilSignal'))
    if not any('KilSignal' in line for line in _complaints(wrong)):
        pytest.skip('systemd-analyze verifies nothing here')
    assert _complaints(_UNIT) == []


def test_launch_is_interrupted_and_has_the_time_to_end():
    unit = RawConfigParser()
    unit.optionxform = str
    unit.read(_UNIT)
    service = unit['Service']
    assert service['KillSignal'] == 'SIGINT'
    # Launch signals its processes itself, SIGTERM after 5 s and SIGKILL after 10.
    assert service['KillMode'] == 'mixed'
    assert int(service['TimeoutStopSec']) > 10
    assert 'exec ros2 launch' in service['ExecStart']
