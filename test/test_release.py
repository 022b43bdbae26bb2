# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The tools that release ROS packages understand the changelog and the manifest."""

import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

import pytest

pytest.importorskip('catkin_pkg', reason='the release tools come with colcon or ROS')

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(tmp_path):
    """Return a function that runs git or a release tool in a repository of its own."""
    who = {'NAME': 'A Releaser', 'EMAIL': 'releaser@localhost'}
    roles = ('AUTHOR', 'COMMITTER')
    environment = os.environ | {
        f'GIT_{role}_{key}': value for role in roles for key, value in who.items()
    }
    repository = tmp_path / 'doa_ros'
    repository.mkdir()

    def run(tool, *arguments):
        command = [tool]
        if tool != 'git':
            command = [sys.executable, '-c', f'from catkin_pkg.cli.{tool} import main; main()']
        done = subprocess.run(
            [*command, *arguments],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.repository = repository
    run('git', 'init', '-q')
    run('git', 'init', '-q', '--bare', str(tmp_path / 'remote.git'))
    run('git', 'remote', 'add', 'origin', str(tmp_path / 'remote.git'))
    for name in ('package.xml', 'CHANGELOG.rst', 'LICENSE'):
        shutil.copy(_ROOT / name, repository)
    _commit(run, 'Begin')
    return run


def _commit(run, message):
    run('git', 'add', '.')
    run('git', 'commit', '-q', '-m', message)
    run('git', 'push', '-q', '-u', 'origin', 'HEAD')


@pytest.mark.skipif(shutil.which('git') is None, reason='needs git')
def test_first_and_next_release(run):
    changelog = run.repository / 'CHANGELOG.rst'
    before = changelog.read_text()
    version = re.search('<version>(.*)</version>', (_ROOT / 'package.xml').read_text())[1]
    assert before.count('\nForthcoming\n') == 1
    # As package.xml says: it names the version that has not been released yet.
    run('prepare_release', '--version', version, '--no-push', '-y')
    assert run('git', 'tag').split() == [version]
    after = changelog.read_text()
    assert len(re.findall(rf'^{version} \(\d+-\d+-\d+\)\n-+\n\* ', after, re.MULTILINE)) == 1
    assert 'Forthcoming' not in after
    # Nothing that was said is lost.
    assert after.splitlines()[6:] == before.splitlines()[6:]

    (run.repository / 'new').write_text('')
    _commit(run, 'Say something new')
    run('generate_changelog', '-y')
    section = changelog.read_text().partition('Forthcoming\n')[2].partition(version)[0]
    assert '* Say something new' in section


def test_a_headless_robot_installs_nothing_to_look_at():
    from catkin_pkg.package import parse_package

    package = parse_package(str(_ROOT / 'package.xml'))
    names = [dependency.name for dependency in package.exec_depends]
    needed = set(names)
    assert len(needed) == len(names)
    assert {'rclpy', 'launch_ros', 'python3-numpy', 'python3-yaml'} <= needed
    optional = {'rviz2', 'python3-matplotlib', 'python3-rich', 'python3-tqdm', 'python3-aiohttp'}
    assert not needed & optional
