# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Between ROS messages and arrays: the only place that knows both."""

import array
import math

from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
import numpy as np
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from doa_ros.audio.frame import FORMATS, check_header, stamp_of
from doa_ros.audio.source import NANOSECONDS, AudioBlock
from doa_ros.core.decoding import DirectionGrid, Estimate, Spectrum
from doa_ros.core.errors import MessageError
from doa_ros.core.features import FeatureConfig, GccFrame
from doa_ros.core.geometry import MicArray
from doa_ros.msg import (
    AudioFrame,
    DoaEstimate,
    DoaEstimateArray,
    DoaSpectrum,
    GccPhat,
    MicArrayInfo,
)

_FORMAT_NAMES = {dtype: name for name, dtype in FORMATS.items()}

# Relative deviation of a received number that is still rounding.
_ROUNDING = 1e-6
_HALF_TURN = math.pi * (1 + _ROUNDING)
# As many directions as this are none.
_MOST_ESTIMATES = 360
# Arrows fade on their own when estimates stop coming [s].
_MARKER_LIFETIME = 0.5
_ARROW_WIDTH = 0.03


def make_header(stamp: int, frame_id: str) -> Header:
    """Return a header for a stamp [ns]."""
    seconds, nanoseconds = divmod(stamp, NANOSECONDS)
    return Header(stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=frame_id)


def window_header(header: Header, block: AudioBlock, hop_index: int) -> Header:
    """Return the header of the analysis window that a block completed.

    It is the block's own where the window's new samples begin with the block, as they do while
    block and hop have the same length; otherwise its stamp is shifted to where they begin.
    """
    offset = hop_index - block.first_sample_index
    if offset == 0:
        return header
    shift = offset * NANOSECONDS // block.sampling_frequency
    return make_header(stamp_of(header) + shift, header.frame_id)


def audio_frame_from_block(header: Header, block: AudioBlock) -> AudioFrame:
    """Return the message of a block."""
    dtype = block.samples.dtype.newbyteorder('<')
    message = AudioFrame(
        header=header,
        format=_FORMAT_NAMES[dtype],
        channel_count=block.samples.shape[1],
        sampling_frequency=block.sampling_frequency,
        frame_sample_count=block.samples.shape[0],
        first_sample_index=block.first_sample_index,
    )
    # An array.array is taken as it is; a list or an ndarray would be checked byte by byte.
    message.data = array.array('B', block.samples.astype(dtype, copy=False).tobytes())
    return message


def array_info(header: Header, microphones: MicArray) -> MicArrayInfo:
    """Return the description of an array in its mounted frame."""
    return MicArrayInfo(
        header=header,
        name=microphones.name,
        channel_labels=list(microphones.labels),
        channel_indices=list(microphones.channels),
        positions=[Point(x=x, y=y, z=z) for x, y, z in microphones.frame_positions.tolist()],
        sampling_frequency=float(microphones.sampling_frequency),
        speed_of_sound=float(microphones.speed_of_sound),
    )


def gcc_phat_from_frame(
    header: Header, frame: GccFrame, microphones: MicArray, features: FeatureConfig
) -> GccPhat:
    """Return the message of one frame of features."""
    first, second = microphones.pairs.T
    message = GccPhat(
        header=header,
        window_duration=features.window,
        sampling_frequency=float(microphones.sampling_frequency),
        pair_first=first.tolist(),
        pair_second=second.tolist(),
        lag_min=float(features.lags[0]),
        lag_step=1 / features.lag_rate,
        lag_count=features.lag_count,
        activity=float(frame.activity),
    )
    message.data = array.array('f', frame.gcc.astype(np.float32, copy=False).tobytes())
    return message


def frame_from_gcc_phat(
    message: GccPhat,
    microphones: MicArray,
    features: FeatureConfig,
    previous: Header | None = None,
) -> GccFrame:
    """Return the features in a message.

    Args:
        message: the features.
        microphones, features: what it must have been made with.
        previous: header of the message before it, which tells whether anything was lost.

    Raises:
        MessageError: made for another array or with other settings, or values that are not
            usable.
    """
    check_header(message.header)
    pairs = microphones.pairs
    received = message.pair_first, message.pair_second
    if not all(np.array_equal(r, own) for r, own in zip(received, pairs.T, strict=True)):
        raise MessageError(
            f'GCC-PHAT of {len(message.pair_first)} pairs is not of array {microphones.name!r} '
            f'with {len(pairs)} pairs'
        )
    expected = {
        'window_duration': features.window,
        'sampling_frequency': microphones.sampling_frequency,
        'lag_min': features.lags[0],
        'lag_step': 1 / features.lag_rate,
        'lag_count': features.lag_count,
    }
    for name, value in expected.items():
        received = getattr(message, name)
        if not math.isclose(received, value, rel_tol=_ROUNDING):
            raise MessageError(
                f'GCC-PHAT with {name} {received:g} where {value:g} is configured; give '
                'gcc_phat and doa_estimator the same parameters'
            )
    if len(message.data) != len(pairs) * message.lag_count:
        raise MessageError(
            f'GCC-PHAT data of {len(message.data)} values instead of '
            f'{len(pairs)} pairs x {message.lag_count} lags'
        )
    gcc = np.array(message.data, dtype=np.float32).reshape(len(pairs), message.lag_count)
    if not (np.abs(gcc) <= 1.01).all() or not 0 <= message.activity <= 1.01:
        raise MessageError('GCC-PHAT data outside of -1..1, or activity outside of 0..1')
    # The index is known to the sender alone; stamps serve from here on.
    gap = 0
    if previous is not None:
        passed = (stamp_of(message.header) - stamp_of(previous)) / NANOSECONDS
        lost = passed - features.hop
        if abs(lost) > features.hop / 2:
            # A stream that starts again goes back in time: nothing is known about what was lost.
            gap = max(round(lost * microphones.sampling_frequency), 1)
    return GccFrame(gcc=gcc, activity=message.activity, hop_index=0, gap=gap)


def estimate_array(header: Header, window: float, estimates) -> DoaEstimateArray:
    """Return the message of estimates that are sorted by confidence.

    Args:
        header: of the analysed window.
        window: its length [s].
        estimates: `Estimate`, highest confidence first.
    """
    return DoaEstimateArray(
        header=header,
        window_duration=window,
        estimates=[
            # The generated code aborts the process on a NumPy scalar.
            DoaEstimate(
                azimuth=float(e.azimuth),
                elevation=float(e.elevation),
                azimuth_stddev=float(e.azimuth_stddev),
                elevation_stddev=float(e.elevation_stddev),
                confidence=float(e.confidence),
            )
            for e in estimates
        ],
    )


def estimates_of(message: DoaEstimateArray) -> tuple[Estimate, ...]:
    """Return the estimates in a message.

    Raises:
        MessageError: an angle or a confidence is not usable, or there are too many.
    """
    check_header(message.header)
    if len(message.estimates) > _MOST_ESTIMATES:
        raise MessageError(f'{len(message.estimates)} estimates are no directions of sound')
    for e in message.estimates:
        deviations = e.azimuth_stddev, e.elevation_stddev
        if not (
            abs(e.azimuth) <= _HALF_TURN
            and (math.isnan(e.elevation) or abs(e.elevation) <= _HALF_TURN / 2)
            and all(math.isnan(d) or 0 <= d < math.inf for d in deviations)
            and 0 <= e.confidence <= 1
        ):
            raise MessageError(
                f'estimate with azimuth {e.azimuth:g}, elevation {e.elevation:g}, standard '
                f'deviations {deviations[0]:g} and {deviations[1]:g}, confidence {e.confidence:g}'
            )
    return tuple(
        Estimate(e.azimuth, e.elevation, e.azimuth_stddev, e.elevation_stddev, e.confidence)
        for e in message.estimates
    )


def spectrum_message(
    header: Header, window: float, spectrum: Spectrum, grid: DirectionGrid
) -> DoaSpectrum:
    """Return the message of a spectrum in the mounted frame."""
    message = DoaSpectrum(
        header=header,
        window_duration=window,
        azimuth_step=grid.azimuth_step,
    )
    message.azimuth_probability = _probability(spectrum.azimuth, whole=not spectrum.several)
    if spectrum.elevation is not None:
        message.elevation_step = grid.elevation_step
        message.elevation_probability = _probability(spectrum.overall_elevation)
    return message


def _probability(values: np.ndarray, *, whole: bool = True) -> array.array:
    if whole:
        # int8 networks sum to one within their rounding only.
        values = values / max(float(values.sum()), 1e-9)
    return array.array('f', values.astype(np.float32).tobytes())


def marker_array(message: DoaEstimateArray, previous: int, length: float) -> MarkerArray:
    """Return an arrow per estimate: the surer, the longer and the greener.

    Args:
        message: the estimates.
        previous: number of arrows shown so far; those without an estimate are deleted.
        length: length of an arrow of confidence 1 [m].

    Raises:
        MessageError: an estimate is not usable.
    """
    markers = []
    for number, estimate in enumerate(estimates_of(message)):
        markers.append(
            Marker(
                header=message.header,
                ns='doa',
                id=number,
                type=Marker.ARROW,
                action=Marker.ADD,
                pose=_pose(estimate),
                scale=Vector3(
                    x=length * (0.3 + 0.7 * estimate.confidence), y=_ARROW_WIDTH, z=_ARROW_WIDTH
                ),
                color=ColorRGBA(
                    r=1 - estimate.confidence, g=estimate.confidence, b=0.1, a=1.0
                ),
                lifetime=Duration(nanosec=round(_MARKER_LIFETIME * NANOSECONDS)),
            )
        )
    for number in range(len(markers), previous):
        markers.append(
            Marker(header=message.header, ns='doa', id=number, action=Marker.DELETE)
        )
    return MarkerArray(markers=markers)


def _pose(estimate: Estimate):
    # Yaw by the azimuth, then pitch up by the elevation; pitch is positive downwards.
    elevation = 0.0 if math.isnan(estimate.elevation) else estimate.elevation
    half_yaw, half_pitch = estimate.azimuth / 2, -elevation / 2
    orientation = Quaternion(
        x=-math.sin(half_yaw) * math.sin(half_pitch),
        y=math.cos(half_yaw) * math.sin(half_pitch),
        z=math.sin(half_yaw) * math.cos(half_pitch),
        w=math.cos(half_yaw) * math.cos(half_pitch),
    )
    return Pose(orientation=orientation)
