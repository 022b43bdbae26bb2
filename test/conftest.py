# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Options, seeds and the environment of all tests; what they share is in `fixtures`."""

import os
from pathlib import Path
import random
import signal

# Before NumPy is imported: tests run side by side, and threads that share the product of small
# matrices would wait for each other for longer than that takes.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import hypothesis
import pytest

# The same examples in every run; a slow machine is no failure.
hypothesis.settings.register_profile('doa_ros', deadline=None, derandomize=True)
# For `make fuzz`: many others, different ones each time.
hypothesis.settings.register_profile(
    'nightly',
    deadline=None,
    max_examples=1500,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile('doa_ros')

pytest_plugins = (
    'array_fixtures',
    'browser_fixtures',
    'command_fixtures',
    'damage_fixtures',
    'device_fixtures',
    'network_fixtures',
    'track_fixtures',
)


def pytest_addoption(parser):
    parser.addoption('--seed', type=int, default=0, help='of random moments (%(default)s)')
    parser.addoption('--skips', type=Path, help='append here what is skipped, a tab, and why')


def pytest_configure():
    # Otherwise SIGTERM ends pytest at once, and what the tests have started stays.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_report_header(config):
    return f'seed: {config.option.seed}'


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _note_skip(collector.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    _note_skip(item.config, report)
    return report


def _note_skip(config, report):
    """Write down what is skipped, in the process that finds it: xdist tells of no skipped file."""
    if report.skipped and config.option.skips:
        _, _, reason = report.longrepr
        reason = reason.removeprefix('Skipped: ')
        with config.option.skips.open('a', encoding='utf-8') as file:
            file.write(f'{report.nodeid}\t{reason.splitlines()[0]}\n')


@pytest.fixture(scope='session', autouse=True)
def ros_environment(tmp_path_factory):
    """Keep other ROS processes of this machine and network out of the tests."""
    number = os.getpid()
    if worker := os.environ.get('PYTEST_XDIST_WORKER'):
        # Those that run side by side are children of one process, and numbered.
        number = os.getppid() + int(worker.removeprefix('gw'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_DOMAIN_ID', str(1 + number % 100))
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        patch.setenv('ROS_LOG_DIR', str(tmp_path_factory.mktemp('log')))
        yield


@pytest.fixture
def rng(request):
    """Return a source of random moments: the same ones in every run with this `--seed`."""
    seed = f'{request.config.option.seed} {request.node.nodeid}'
    print(f'drawn by random.Random({seed!r})')
    return random.Random(seed)
