# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The array file that doa-check writes."""

import math
from pathlib import Path

import yaml

from doa_ros.core.array_check.channel_order import ChannelOrder
from doa_ros.core.array_check.orientation import Orientation
from doa_ros.core.config import load_yaml
from doa_ros.core.geometry import MicArray


def array_file(path: Path, array: MicArray, orientation: Orientation) -> str:
    """Return an array file for what was found.

    Args:
        path: the array file that described the array.
        array: with the channels on which its microphones are heard.
        orientation: of the board.
    """
    content = load_yaml(path)
    for microphone, channel in zip(content['microphones'], array.channels, strict=True):
        microphone['channel'] = channel
    content['mounting'] = _mounting(orientation)
    content['rotation_deg'] = _rotation_deg(orientation)
    head = f'# Written by doa-check from {path.stem}.\n'
    return head + yaml.safe_dump(content, sort_keys=False, default_flow_style=None)


def summary(array: MicArray, order: ChannelOrder | None, orientation: Orientation) -> str:
    """Return what doa-check has found out, as lines of an array file.

    Args:
        array, orientation: as in `array_file`.
        order: of the channels; None where it is not known.
    """
    lines = [f'mounting: {_mounting(orientation)}', f'rotation_deg: {_rotation_deg(orientation)}']
    if order is not None and order.sure and not order.as_described:
        lines += [
            f'{label}: channel {channel}'
            for label, channel in zip(array.labels, array.channels, strict=True)
        ]
    return '\n'.join(lines)


def _mounting(orientation: Orientation) -> str:
    return 'face_down' if orientation.face_down else 'face_up'


def _rotation_deg(orientation: Orientation) -> float:
    # Nobody places a board to less than a tenth of a degree.
    return round(math.degrees(orientation.rotation), 1) + 0.0
