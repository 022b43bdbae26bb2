#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Run the tests: first all that may run side by side, then, one by one, those that measure time.

Usage: scripts/run_tests.py [--all] [argument of pytest ...]

Tests marked `nightly` take part only with --all. The last lines name every test that was
skipped, and why.
"""

from collections import defaultdict
import os
from pathlib import Path
import subprocess
import sys
import tempfile

_ROOT = Path(__file__).resolve().parents[1]
# pytest's exit status where all went well, and where the arguments choose no test.
_PASSED, _NO_TESTS = 0, 5
# More processes do not pay: each imports TensorFlow, which takes 0.7 GB.
_MOST_PROCESSES = 8


def main() -> int:
    """Run the tests; return the exit status."""
    arguments = sys.argv[1:]
    nightly = '--all' in arguments
    if nightly:
        arguments.remove('--all')
    chosen = '' if nightly else ' and not nightly'
    processes = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)
    with tempfile.TemporaryDirectory(prefix='doa_tests_') as folder:
        skips = Path(folder, 'skips')
        skips.touch()
        common = [*arguments, '--skips', str(skips)]
        statuses = [
            _pytest('-m', f'not alone{chosen}', '-n', str(processes), '--dist', 'worksteal',
                    *common),
            _pytest('-m', f'alone{chosen}', *common),
        ]  # fmt: skip
        print(_skipped(skips.read_text(encoding='utf-8')))
    failed = [status for status in statuses if status not in (_PASSED, _NO_TESTS)]
    return failed[0] if failed else min(statuses)


def _pytest(*arguments: str) -> int:
    command = [sys.executable, '-m', 'pytest', '-q', *arguments]
    return subprocess.run(command, cwd=_ROOT, check=False).returncode


def _skipped(lines: str) -> str:
    """Return what was skipped in words, by reason."""
    # Each of several processes tells of a whole file that it skips.
    tests = defaultdict(set)
    for line in lines.splitlines():
        test, _, reason = line.partition('\t')
        tests[reason].add(test)
    if not tests:
        return 'nothing was skipped'
    rows = [f'{sum(map(len, tests.values()))} skipped:']
    for reason, names in sorted(tests.items()):
        rows.append(f'  {len(names)} because of this: {reason}')
        rows += [f'    {name}' for name in sorted(names)]
    return '\n'.join(rows)


if __name__ == '__main__':
    sys.exit(main())
