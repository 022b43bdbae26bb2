# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The CPU benchmark, briefly: with bounds that hold on a busy machine."""

from importlib.util import find_spec
import re
import subprocess

import numpy as np
import pytest
import soundfile

if find_spec('rclpy') is None:
    pytest.skip('ROS is not set up: source env.sh', allow_module_level=True)


@pytest.fixture
def benchmark():
    def run(*arguments):
        return subprocess.run(
            ['doa-benchmark-cpu', *arguments], capture_output=True, text=True, timeout=110
        )

    return run


@pytest.mark.real_time
@pytest.mark.parametrize(('mode', 'limit'), [('pipeline', 0.3), ('nodes', 0.6)])
def test_costs_little(benchmark, tmp_path, mode, limit):
    source = []
    if mode == 'nodes':
        path = tmp_path / 'noise.wav'
        noise = np.random.default_rng(0).standard_normal((48000, 8))
        soundfile.write(path, 0.01 * noise, 48000, subtype='PCM_32')
        source = ['--file', str(path)]
    result = benchmark('--seconds', '3', '--method', 'srp_phat', '--mode', mode, *source)
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith(f'{mode}, srp_phat: ')
    shares = re.search(r' \((.*?)\)', line)
    if mode == 'nodes':
        assert 'gcc_phat 0.' in shares[1]
        line = line.replace(shares[0], '')
    else:
        assert shares is None
    numbers = [float(number) for number in re.findall(r'\d+\.?\d*', line.partition(':')[2])]
    cpu, seconds, memory, rate, gap = numbers
    assert 0 < cpu < limit
    assert 3 <= seconds < 10
    assert 50 < memory < 2000
    assert 15 < rate < 25
    assert 40 < gap < 2000


def test_says_what_is_wrong(benchmark):
    result = benchmark('--file', '/no/such.wav', '--method', 'srp_phat')
    assert result.returncode == 1
    assert '/no/such.wav' in result.stderr
    assert 'Traceback' not in result.stderr


def test_a_name_in_any_bytes_gets_sentences(benchmark):
    result = benchmark('--file', b'/tmp/\xff.wav', '--method', 'srp_phat')
    assert result.returncode == 1
    assert 'ROS takes no arguments that are not UTF-8' in result.stderr
    assert 'Traceback' not in result.stderr


def test_ros_that_is_not_usable_gets_a_sentence(benchmark, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', 'none')
    result = benchmark('--method', 'srp_phat')
    assert result.returncode == 1
    assert result.stderr.startswith('doa-benchmark-cpu: failed to initialize rcl')
    assert result.stderr.count('\n') == 1


@pytest.mark.parametrize('seconds', ['0', '-1', 'nan', 'long'])
def test_refuses_other_times(benchmark, seconds):
    result = benchmark(f'--seconds={seconds}')
    assert result.returncode == 2
    assert 'Traceback' not in result.stderr
