#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Point the CMake exports of the ROS 2 wheels at this Python.

The exports of the message packages name the Python and NumPy headers of the machine that
built the wheels. Run with the Python of the virtual environment that holds the wheels.
"""

from pathlib import Path
import re
import sys
import sysconfig

import numpy

_PYTHON_HEADERS = re.compile(r'/opt/python/cp\d+-cp\d+/include/python3\.\d+')
_NUMPY_HEADERS = re.compile(
    r'/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/numpy/_core/include'
)


def main() -> None:
    """Rewrite the exports in place; running it again changes nothing."""
    for path in Path(sys.prefix, 'share').rglob('*.cmake'):
        text = path.read_text(encoding='utf-8')
        new = _NUMPY_HEADERS.sub(lambda _: numpy.get_include(), text)
        new = _PYTHON_HEADERS.sub(lambda _: sysconfig.get_paths()['include'], new)
        if new != text:
            path.write_text(new, encoding='utf-8')


if __name__ == '__main__':
    main()
