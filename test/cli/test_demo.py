# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo as a user runs it, and how it counts."""

from dataclasses import replace
from importlib.util import find_spec
import math
from pathlib import Path
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

if find_spec('rclpy') is None:
    pytest.skip('ROS is not set up: source env.sh', allow_module_level=True)

from doa_ros.cli.demo_log import DemoLog
from doa_ros.cli.demo_plot import draw
from doa_ros.cli.demo_report import angles, make_console, summarise
from doa_ros.cli.plot_file import PlotFile
from doa_ros.core.errors import DoaError
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.tracking.config import TrackerConfig
from doa_ros.core.tracking.tracker import Tracker
from doa_ros.resources import find_resource


def run_demo(*arguments):
    return subprocess.run(
        ['doa-demo', *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    plot = tmp_path_factory.mktemp('demo') / 'plot.png'
    return run_demo('--plot', plot), plot


def percentage(output, name):
    return float(re.search(rf'{name}\s+([\d.]+)%', output).group(1))


@pytest.mark.real_time
def test_the_demo_keeps_its_promise(demo):
    done, plot = demo
    assert done.returncode == 0, done.stderr
    assert percentage(done.stdout, 'voiced windows within 10 deg') >= 95
    assert percentage(done.stdout, 'silent windows answered') <= 2
    assert 'CPU seconds per second of audio' in done.stdout
    assert plot.stat().st_size > 10000


@pytest.mark.real_time
def test_the_demo_prints_truth_beside_estimates(demo):
    done, _ = demo
    rows = [line.split() for line in done.stdout.splitlines() if line.count('deg') == 4]
    assert len(rows) > 10
    for row in rows:
        true, estimated = float(row[2]), float(row[4])
        assert abs(math.remainder(true - estimated, 360)) < 15


@pytest.fixture(params=['short', pytest.param('shipped', marks=pytest.mark.nightly)])
def two_talkers(request, tmp_path):
    """Return the path of the shipped scene of two talkers, or of its beginning."""
    shipped = find_resource('scenes', 'two_talkers')
    content = yaml.safe_load(shipped.read_text(encoding='utf-8'))
    if request.param == 'short':
        content |= {'duration': 10, 'lead': 1.5, 'tail': 0.5}
    recordings = {kind: str(shipped.with_name(f'{kind}.flac')) for kind in ('speech', 'noise')}
    path = tmp_path / 'two_talkers.yaml'
    path.write_text(yaml.safe_dump(content | recordings), encoding='utf-8')
    return path


@pytest.mark.real_time
def test_two_talkers_are_shown_with_ids(two_talkers, tmp_path):
    plot = tmp_path / 'plot.png'
    done = run_demo('--scene', two_talkers, '--plot', plot)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r'\s*\d+\.\d\d s', line)]
    assert len(rows) > 30
    shown = [set(re.findall(r'(\d+): ~?-?\d+ deg', row)) for row in rows]
    # From the first words of the second talker on, both are known for a while.
    assert sum(found == {'1', '2'} for found in shown) > 10
    assert percentage(done.stdout, 'voices with a track within 15 deg') > 60
    assert 'track 1: ' in done.stdout and 'track 2: ' in done.stdout
    assert plot.stat().st_size > 10000


def test_the_demo_says_why_it_cannot_start(tmp_path):
    done = run_demo('--source', 'device', '--device', 'no such device', '--plot', tmp_path / 'p')
    assert done.returncode == 1
    assert 'no such device' in done.stderr
    assert 'Traceback' not in done.stderr


def test_a_device_may_be_given_by_its_number(tmp_path):
    done = run_demo('--source', 'device', '--device', '99', '--plot', tmp_path / 'p')
    assert done.returncode == 1
    assert "no input device whose number is '99'" in done.stderr


HOP = 50_000_000


def estimate(azimuth_deg):
    return (Estimate(math.radians(azimuth_deg), 0.3, 0.1, 0.1, 0.9),)


def test_scoring_matches_by_stamp_and_counts_silence():
    log = DemoLog()
    for k in range(60):
        speaking = 20 <= k < 40
        log.truth[k * HOP] = estimate(k) if speaking else ()
        if k != 30:  # One message was lost.
            log.estimates[k * HOP] = estimate(k + 3) if 22 <= k < 42 or k == 5 else ()
    score = log.score()
    # Active in 4 of the last 6 from 23 to 41; 30 is missing.
    assert score.voiced == 18
    assert score.answered == 1
    assert score.within_10 == 1
    assert score.azimuth_mae_deg == pytest.approx((16 * 3 + 4 + 5) / 18)
    # Nothing active in the last second: 0 to 19 and 59.
    assert score.silent == 20 + 1
    assert score.silence_answered == pytest.approx(1 / 21)


def test_voices_are_followed_where_a_track_is_near():
    log, tracker = DemoLog(), Tracker(TrackerConfig(observation_delay=0.0))
    for k in range(40):
        log.truth[k * HOP] = estimate(40) + estimate(-60)[: k % 2]
        log.tracks[k * HOP] = tuple(
            t for t in tracker.update(k * HOP, estimate(48), sound_age=0.0) if t.confirmed
        )
    begin = next(stamp for stamp, tracks in log.tracks.items() if tracks) // HOP
    assert log.tracked() == pytest.approx((40 - begin) / 60)
    assert math.isnan(DemoLog().tracked())


def test_the_demo_needs_neither_rich_nor_matplotlib(monkeypatch, capsys, tmp_path):
    for module in ('rich.console', 'matplotlib.backend_bases', 'matplotlib.figure'):
        monkeypatch.setitem(sys.modules, module, None)
    log = DemoLog({0: estimate(5)}, {0: (), HOP: estimate(5)})
    summarise(log, PlotFile(tmp_path / 'plot.png'), make_console())
    shown = capsys.readouterr().out
    assert 'Summary (' in shown
    assert 'plot' in shown
    assert 'none, it needs matplotlib: sudo apt install python3-matplotlib' in shown


def test_who_has_no_elevation_gets_none():
    (level,) = estimate(5)
    (known,) = estimate(-5)
    assert angles((replace(level, elevation=math.nan),)) == ('5 deg', '')
    assert angles((known,)) == ('-5 deg', '17 deg')
    # Of a line, and below the horizon.
    for elevation, lowest in ((math.nan, math.nan), (-1.0, -math.pi / 2)):
        found = (replace(level, elevation=elevation),)
        log = DemoLog({0: found, HOP: found}, {0: found, HOP: found}, {}, [], lowest)
        low, _ = draw(log).axes[1].get_ylim()
        assert low == pytest.approx(math.degrees(np.nan_to_num(lowest)))


@pytest.mark.parametrize(
    ('plot', 'reason'),
    [
        ('missing/plot.png', r'cannot be written \(there is no folder'),
        ('.', r'cannot be written \(it is a folder'),
        ('plot.xyz', r'\.xyz is no format of pictures; known are .*png'),
    ],
)
@pytest.mark.parametrize('command', ['doa-demo', 'doa-soak'])
def test_a_plot_that_cannot_be_written_is_said_first(call, tmp_path, command, plot, reason):
    path = tmp_path / plot
    done = call(command.removeprefix('doa-'), '--plot', path)
    assert (done.returncode, done.stdout) == (1, '')
    assert re.fullmatch(f'{command}: {re.escape(str(path))}: {reason}.*\n', done.stderr)


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--scene', 'nonesuch'], "no scene named 'nonesuch'"),
        (['--array', 'nonesuch'], "no array named 'nonesuch'"),
        (['--model', 'nonesuch'], "no model named 'nonesuch'"),
    ],
)
def test_arguments_that_are_no_good_are_said_first(call, tmp_path, arguments, reason):
    done = call('demo', *arguments, '--plot', tmp_path / 'plot.png')
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.startswith(f'doa-demo: {reason}') and done.stderr.count('\n') == 1


def test_a_full_disk_leaves_the_summary(capsys):
    log = DemoLog({0: estimate(5)}, {0: (), HOP: estimate(5)})
    with pytest.raises(DoaError, match='/dev/full: cannot be written .No space left on device'):
        summarise(log, PlotFile(Path('/dev/full')), make_console())
    assert 'Summary (' in capsys.readouterr().out


def test_a_plot_without_a_suffix_is_a_png_of_that_name(tmp_path):
    log = DemoLog({0: estimate(5)}, {0: (), HOP: estimate(5)})
    assert PlotFile(tmp_path / 'plot').write(lambda: draw(log)) == str(tmp_path / 'plot')
    assert (tmp_path / 'plot').read_bytes().startswith(b'\x89PNG')
