# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Microphone arrays as messages."""

import math

from geometry_msgs.msg import Point, Vector3
import numpy as np
from std_msgs.msg import Header

from doa_ros.core.ambiguity import Line, MirrorPlane, NoAmbiguity, ambiguity_in_frame
from doa_ros.core.errors import ConfigError, MessageError
from doa_ros.core.geometry import MicArray, board_positions
from doa_ros.headers import check_header
from doa_ros.msg import MicArrayInfo

_AMBIGUITIES = {
    NoAmbiguity: MicArrayInfo.AMBIGUITY_NONE,
    MirrorPlane: MicArrayInfo.AMBIGUITY_PLANE,
    Line: MicArrayInfo.AMBIGUITY_LINE,
}
# More than any array has.
_MOST_MICROPHONES = 256
_FARTHEST = 1e3  # [m]


def array_info(header: Header, microphones: MicArray) -> MicArrayInfo:
    """Return the description of an array in its mounted frame.

    Raises:
        ConfigError: the array resolves no azimuth.
    """
    ambiguity = ambiguity_in_frame(microphones)
    x, y, z = ambiguity.axis.tolist()
    return MicArrayInfo(
        header=header,
        name=microphones.name,
        ambiguity=_AMBIGUITIES[type(ambiguity)],
        ambiguity_axis=Vector3(x=x, y=y, z=z),
        face_down=microphones.face_down,
        rotation=float(microphones.rotation),
        channel_count=microphones.channel_count,
        channel_labels=list(microphones.labels),
        channel_indices=list(microphones.channels),
        positions=[Point(x=x, y=y, z=z) for x, y, z in microphones.frame_positions.tolist()],
        sampling_frequency=float(microphones.sampling_frequency),
        speed_of_sound=float(microphones.speed_of_sound),
    )


def array_from_info(message: MicArrayInfo) -> MicArray:
    """Return the array that a message describes, without what only its own node needs to know.

    Raises:
        MessageError: it describes none.
    """
    check_header(message.header)
    if len(message.positions) > _MOST_MICROPHONES:
        raise MessageError(f'an array of {len(message.positions)} microphones')
    if not abs(message.rotation) <= 2 * math.pi:
        raise MessageError(f'an array that is turned by {message.rotation:g} rad')
    if not message.sampling_frequency.is_integer():
        raise MessageError(f'an array of {message.sampling_frequency:g} samples per second')
    positions = np.array([(p.x, p.y, p.z) for p in message.positions]).reshape(-1, 3)
    if not (np.abs(positions) < _FARTHEST).all():
        raise MessageError('an array with positions that are none in metres')
    positions = board_positions(positions, face_down=message.face_down, rotation=message.rotation)
    try:
        return MicArray(
            name=message.name,
            positions=positions,
            labels=tuple(message.channel_labels),
            channels=tuple(message.channel_indices.tolist()),
            channel_count=message.channel_count,
            sampling_frequency=int(message.sampling_frequency),
            face_down=message.face_down,
            rotation=message.rotation,
            speed_of_sound=message.speed_of_sound,
        )
    except ConfigError as error:
        raise MessageError(str(error)) from None
