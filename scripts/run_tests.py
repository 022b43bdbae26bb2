#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the tests: those that compute, then those in real time, then those that want to be alone.

Of the first two kinds, one more runs side by side than there are cores, as some wait. What fails
there is tried once more, one by one: a computer that is too busy fails tests that wait for other
processes. The last lines name every test that passed only then, and every one that was skipped,
and why.
"""

import argparse
from collections import defaultdict
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile

_ROOT = Path(__file__).resolve().parents[1]
# What runs in real time is elsewhere, and to import TensorFlow takes as long as many tests.
_NOT_IN_REAL_TIME = ['--ignore', 'test/training']
# pytest's exit status where all went well, where a test failed, and where the arguments choose
# no test.
_PASSED, _FAILED, _NO_TESTS = 0, 1, 5
# Where pytest notes what has failed.
_LAST_FAILED = _ROOT / '.pytest_cache' / 'v' / 'cache' / 'lastfailed'
# More processes do not pay: each imports TensorFlow, which takes 0.7 GB.
_MOST_PROCESSES = 8


def main() -> int:
    """Run the tests; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, usage='%(prog)s [options] [for pytest]')
    parser.add_argument('--all', action='store_true', help='also those marked nightly')
    parser.add_argument(
        '--must-run', action='append', default=[], metavar='PATH', help='fail where one is skipped'
    )
    given, arguments = parser.parse_known_args()
    chosen = '' if given.all else ' and not nightly'
    processes = min(len(os.sched_getaffinity(0)) + 1, _MOST_PROCESSES)
    with tempfile.TemporaryDirectory(prefix='doa_tests_') as folder:
        skips = Path(folder, 'skips')
        skips.touch()
        # With a blank instead of =, pytest would take the file for one of tests.
        arguments.append(f'--skips={skips}')
        side_by_side = ['-n', str(processes), '--dist', 'worksteal']
        groups = [
            ('not real_time and not alone', side_by_side),
            ('real_time', [*side_by_side, *_NOT_IN_REAL_TIME]),
            ('alone', _NOT_IN_REAL_TIME),
        ]
        statuses, passed_alone = [], []
        for marked, options in groups:
            status = _pytest(*arguments, *options, '-m', f'{marked}{chosen}')
            if status == _FAILED and side_by_side[0] in options:
                failed = json.loads(_LAST_FAILED.read_text(encoding='utf-8'))
                status = _pytest(*arguments, '--last-failed', '-m', f'{marked}{chosen}')
                if status == _PASSED:
                    passed_alone += failed
            statuses.append(status)
        skipped = _skipped(skips.read_text(encoding='utf-8'))
    print(_listed(skipped))
    if passed_alone:
        print(f'{len(passed_alone)} failed side by side and passed one by one:')
        print('\n'.join(f'  {name}' for name in passed_alone))
    names = [name for names in skipped.values() for name in names]
    if forbidden := [name for name in names if name.startswith(tuple(given.must_run))]:
        print(f'{len(forbidden)} of them must not be skipped: {", ".join(forbidden)}')
        return 1
    failed = [status for status in statuses if status not in (_PASSED, _NO_TESTS)]
    return failed[0] if failed else min(statuses)


def _pytest(*arguments: str) -> int:
    command = [sys.executable, '-m', 'pytest', '-q', *arguments]
    return subprocess.run(command, cwd=_ROOT, check=False).returncode


def _skipped(lines: str) -> dict[str, list[str]]:
    """Return what was skipped, by reason."""
    # Each of several processes tells of a whole file that it skips.
    tests = defaultdict(set)
    for line in lines.splitlines():
        test, _, reason = line.partition('\t')
        tests[reason].add(test)
    return {reason: sorted(names) for reason, names in sorted(tests.items())}


def _listed(skipped: dict[str, list[str]]) -> str:
    if not skipped:
        return 'nothing was skipped'
    rows = [f'{sum(map(len, skipped.values()))} skipped:']
    for reason, names in skipped.items():
        rows.append(f'  {len(names)} because of this: {reason}')
        rows += [f'    {name}' for name in names]
    return '\n'.join(rows)


if __name__ == '__main__':
    sys.exit(main())
