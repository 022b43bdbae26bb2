# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The soak: what it makes of its observations, and a short one with every fault."""

import re
import signal
import sys

import pytest

pytest.importorskip('rclpy')
from doa_ros.audio.capture import virtual_device  # noqa: E402
from doa_ros.cli import soak, soak_faults  # noqa: E402
from doa_ros.cli.plot_file import PlotFile  # noqa: E402
from doa_ros.cli.soak_log import InjectedFault, SoakLog  # noqa: E402
from doa_ros.cli.soak_report import draw, report  # noqa: E402


def _log(seconds=600.0, step=0.05, missing=(), growth=0.0):
    """Return what is observed while all goes well, but for these stretches [s] and growth [B]."""
    stamps = [n * step for n in range(round(seconds / step))]
    stamps = [t for t in stamps if not any(a <= t < b for a, b in missing)]
    return SoakLog(
        arrivals=[(t + 0.06, t) for t in stamps],
        memory=[(float(t), int(1e8 + growth * t / seconds), 0) for t in range(0, 600, 5)],
    )


def test_gaps_are_explained_by_faults_or_not():
    log = _log(missing=[(100, 103), (200, 200.2)])
    log.faults = [InjectedFault('device unplugged', 100.0, 102.5, 103.1)]
    assert [(round(begin), round(length, 1), known) for begin, length, known in log.gaps()] == [
        (100, 3.0, True),
        (200, 0.2, False),
    ]
    # Of the second nobody knows why.
    log.restarts = [101.0, 300.0]
    assert log.needless_restarts() == 1
    assert not log.missed
    text = report(log)
    assert '| device unplugged | 1 | 1 | 0.60 | 0.60 |' in text
    assert '2 restarts of the capture, 1 of them without a fault' in text
    assert '2 gaps in the estimates, 3.3 s together; 1 of them without a fault' in text


def test_growth_is_that_after_the_warm_up():
    assert _log().growth() == 0
    # From 15..30 % to the last 15 %: 70 % of the time lies between.
    assert _log(growth=10e6).growth() == pytest.approx(7e6, rel=0.1)


def test_a_fault_without_recovery_is_missed():
    log = _log()
    log.faults = [InjectedFault('pipeline stopped', 10.0, 11.0)]
    assert len(log.missed) == 1
    assert '1 faults, 1 without recovery' in report(log)


def test_the_plot_is_written(tmp_path):
    log = _log()
    log.faults = [
        InjectedFault('pipeline stopped', 10.0, 11.0),
        InjectedFault('x', 20.0, 21.0, 22.0),
    ]
    PlotFile(tmp_path / 'plot.png').write(lambda: draw(log))
    assert (tmp_path / 'plot.png').stat().st_size > 10_000


def test_one_that_was_interrupted_early_is_told_of_too(tmp_path):
    log = SoakLog(arrivals=[(100.0, 99.9)], memory=[(99.0, 10**8, 0)])
    assert '1 estimates' in report(log)
    assert log.growth() == 0
    PlotFile(tmp_path / 'plot.png').write(lambda: draw(log))


@pytest.fixture
def handlers():
    """Restore what happens on signals: the soak ignores them at its end."""
    numbers = signal.SIGINT, signal.SIGTERM
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.real_time
@pytest.mark.nightly
@pytest.mark.usefixtures('handlers')
def test_a_short_soak(tmp_path, monkeypatch, capfd):
    if not virtual_device.is_available():
        pytest.skip(virtual_device.NEEDED)
    # One fault after the other.
    monkeypatch.setattr(soak_faults, 'CALM', (0.2, 0.5))
    monkeypatch.setattr(soak_faults, 'RECOVERY_LIMIT', 10.0)
    plot = tmp_path / 'plot.png'
    monkeypatch.setattr(sys, 'argv', ['doa-soak', '--minutes', '0.4', '--plot', str(plot)])
    # What is set for the device's sake is for this test alone.
    for name in ('HOME', 'XDG_RUNTIME_DIR', 'PULSE_SERVER', 'ALSA_CONFIG_PATH'):
        monkeypatch.setenv(name, str(tmp_path))
    status = soak.main()
    output = capfd.readouterr().out
    faults, missed = re.search(r'(\d+) faults, (\d+) without recovery', output).groups()
    assert int(faults) >= 2 and int(missed) == 0, output
    assert plot.exists()
    # Half a minute is all warm-up: the memory still grows.
    assert status in (0, 1)
