# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""doa-check: check a microphone array, step by step, and write an array file that fits it.

First the room must be quiet for a while: its noise shows levels, dead channels and the order of
the channels. Then somebody speaks from the side opposite the USB cable, then from the right, seen
from above with the cable at the back: their voice shows how the board lies.
"""

import sys

from doa_ros.command import doa_check

if __name__ == '__main__':
    # This runs before the imports, which take a second: a signal may come meanwhile.
    sys.exit(doa_check())

import argparse
from pathlib import Path

from doa_ros.audio.capture.process import list_devices
from doa_ros.cli.array_file import array_file, summary
from doa_ros.cli.check_sound import DeviceRecorder, FileRecorder
from doa_ros.cli.check_steps import CheckResult, check
from doa_ros.cli.output_file import OutputFile
from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.resources import DEFAULT_ARRAY, find_resource

# How often a person is asked to speak.
_ATTEMPTS = 3
# Exit status where the array is not usable as it is.
_FAULTY = 2


def main() -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args()
    if arguments.list_devices:
        print(list_devices())
        return 0
    path = find_resource('arrays', arguments.array)
    array = load_array(path).unmounted()
    if not ambiguity_of(array).horizontal:
        raise ConfigError(
            f'array {array.name!r} is not flat and horizontal: voices do not tell how it lies. '
            'Give its positions as mounted; /diagnostics says how its channels are'
        )
    out = None if arguments.out is None else OutputFile(arguments.out)
    result = _check(arguments, array)
    _write(path, result, out)
    return _FAULTY if result.faulty else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='doa-check', description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        '--array', default=DEFAULT_ARRAY, help='shipped name or YAML path (%(default)s)'
    )
    parser.add_argument(
        '--device',
        default='',
        help='part of its name, USB port (usb:1-1.4), ALSA name or number,\nsee --list-devices',
    )
    parser.add_argument('--list-devices', action='store_true', help='show the sound cards and end')
    parser.add_argument(
        '--file',
        type=Path,
        nargs='+',
        help='recordings instead of a device: three for the three steps,\nor one with --times',
    )
    parser.add_argument(
        '--times',
        help='where the steps are in one recording [s]: 0-12,14-22,24-32',
    )
    parser.add_argument(
        '--out', type=Path, help='array file to write; without it nothing is written'
    )
    return parser


def _check(arguments: argparse.Namespace, array: MicArray) -> CheckResult:
    if arguments.file is not None:
        return check(array, FileRecorder(array, arguments.file, arguments.times).record)
    if arguments.times is not None:
        raise ConfigError('--times is for a recording: give --file, too')
    device = DeviceRecorder(array, arguments.device)
    try:
        return check(array, device.record, _ATTEMPTS)
    finally:
        device.close()


def _write(path: Path, result: CheckResult, out: OutputFile | None) -> None:
    """Write the array file where one is asked for and would help, and say so."""
    if result.orientation is None:
        if out is not None:
            print(f'\nNot written: {out}, because it would not help.')
        return
    try:
        if out is not None:
            out.write(array_file(path, result.array, result.orientation).encode())
    finally:
        # A person has taken part in finding this out: it is shown even where the file fails.
        print(f'\n{summary(result.array, result.order, result.orientation)}\n')
    if out is None:
        print('Give --out FILE to get an array file with this.')
    else:
        print(f'Written: {out}. Use it by array:={out.path.resolve()}')
