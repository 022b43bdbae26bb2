# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Captures from the UMA-8 into a folder: a process of its own, as ALSA reads its settings once.

Usage: python capture.py FOLDER SECONDS
"""

import json
from pathlib import Path
import sys
import threading
import time

import numpy as np

from doa_ros.audio.device import DeviceSource
from doa_ros.core.errors import AudioError
from doa_ros.core.geometry import load_array
from doa_ros.resources import find_resource


def main(folder: Path, seconds: float) -> None:
    """Write samples.npy and report.json; the file `started` appears with the first block."""
    source = DeviceSource(load_array(find_resource('arrays', 'uma8')), block_duration=0.02)
    report = {'blocks': [], 'error': ''}
    samples = []

    def close():
        begin = time.monotonic()
        source.close()
        report['close'] = time.monotonic() - begin

    timer = threading.Timer(seconds, close)
    try:
        for block in source.blocks(time.time_ns):
            if not samples:
                (folder / 'started').touch()
                timer.start()
            samples.append(block.samples)
            report['blocks'].append(
                [block.first_sample_index, len(block.samples), block.stamp, time.time_ns()]
            )
    except AudioError as error:
        report['error'] = str(error)
        report['failed'] = time.time_ns()
        timer.cancel()
        close()
    else:
        timer.join()
    np.save(folder / 'samples.npy', np.concatenate(samples))
    (folder / 'report.json').write_text(json.dumps(report))


if __name__ == '__main__':
    main(Path(sys.argv[1]), float(sys.argv[2]))
