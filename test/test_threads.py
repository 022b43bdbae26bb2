# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Matrices are multiplied in one thread wherever a process begins."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize('package', ['doa_ros.cli', 'doa_ros.nodes', 'training'])
def test_sums_do_not_depend_on_the_number_of_cores(package):
    # With some processors, OpenBLAS rounds otherwise when more threads share a sum.
    variables = {k: v for k, v in os.environ.items() if k != 'OPENBLAS_NUM_THREADS'}
    script = f'import os, {package}; print(os.environ["OPENBLAS_NUM_THREADS"])'
    done = subprocess.run(
        [sys.executable, '-c', script], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == '1\n'
