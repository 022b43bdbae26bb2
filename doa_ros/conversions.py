# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Between ROS messages and what core works with: the only place that knows both."""

import array
from collections.abc import Iterable, Sequence
import math

from builtin_interfaces.msg import Time
from geometry_msgs.msg import (
    Point,
    Pose,
    PoseStamped,
    Quaternion,
    Vector3,
    Vector3Stamped,
)
import numpy as np
from std_msgs.msg import Header

from doa_ros.audio.audio_frame import FORMATS
from doa_ros.audio.source import AudioBlock
from doa_ros.core.ambiguity import (
    Line,
    MirrorPlane,
    NoAmbiguity,
    ambiguity_in_frame,
)
from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError, MessageError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import WindowFeatures
from doa_ros.core.features.framing import lost_before
from doa_ros.core.features.source_cancellation import Residual
from doa_ros.core.geometry import MicArray, board_positions, unit_vector
from doa_ros.core.localization.decoding import Estimate
from doa_ros.core.localization.spectrum import Spectrum
from doa_ros.core.localization.window_directions import WindowDirections
from doa_ros.core.tracking.track import Track
from doa_ros.core.units import NANOSECONDS
from doa_ros.headers import check_header, stamp_of
from doa_ros.msg import (
    AudioFrame,
    DoaEstimate,
    DoaEstimateArray,
    DoaSpectrum,
    DoaTrack,
    DoaTrackArray,
    FeatureSettings,
    GccPhat,
    MicArrayInfo,
)

_AMBIGUITIES = {
    NoAmbiguity: MicArrayInfo.AMBIGUITY_NONE,
    MirrorPlane: MicArrayInfo.AMBIGUITY_PLANE,
    Line: MicArrayInfo.AMBIGUITY_LINE,
}
_FORMAT_NAMES = {dtype: name for name, dtype in FORMATS.items()}

# What to do where the features of another node do not fit.
_SAME = 'give gcc_phat and doa_estimator the same model and method'
# Relative deviation of a received number that is still rounding.
_ROUNDING = 1e-6
_HALF_TURN = math.pi * (1 + _ROUNDING)
# More than the age of sound or of a track [s], the time between windows [s], and the standard
# deviation of an angle [rad] can be.
_OLDEST = 1e9
_LONGEST_HOP = 10.0
_WIDEST = 1e3
# As many directions as this are none, and no array has so many microphones.
_MOST_ESTIMATES = 360
_MOST_MICROPHONES = 256
_FARTHEST = 1e3  # [m]


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
    """Return the description of an array in its mounted frame.

    Raises:
        ConfigError: the array tells no azimuth.
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


def gcc_phat_from_window(
    header: Header, window: WindowFeatures, microphones: MicArray, features: FeatureConfig
) -> GccPhat:
    """Return the message of the features of one window."""
    first, second = microphones.pairs.T
    message = GccPhat(
        header=header,
        settings=FeatureSettings(**features.to_mapping()),
        sampling_frequency=float(microphones.sampling_frequency),
        pair_first=first.tolist(),
        pair_second=second.tolist(),
        activity=float(window.activity),
        sound_age=float(window.sound_age),
        first_sample_index=window.hop_index,
        residual_azimuth=math.nan,
    )
    message.data = _floats(window.features)
    if window.residual is not None:
        message.residual = _floats(window.residual.features)
        message.residual_azimuth = float(microphones.frame_azimuth(window.residual.azimuth))
    return message


def _floats(values: np.ndarray) -> array.array:
    """Return values as a message holds them, much faster than a list."""
    return array.array('f', values.astype(np.float32, copy=False).tobytes())


def features_from_settings(message: FeatureSettings) -> FeatureConfig:
    """Return the settings of features in a message.

    Raises:
        MessageError: a setting is out of bounds.
    """
    names = message.get_fields_and_field_types()
    try:
        return FeatureConfig(**{name: getattr(message, name) for name in names})
    except ConfigError as error:
        raise MessageError(f'GCC-PHAT with settings that are not usable: {error}') from None


def window_from_gcc_phat(
    message: GccPhat,
    microphones: MicArray,
    features: FeatureConfig,
    previous: int | None = None,
) -> WindowFeatures:
    """Return the features in a message.

    Args:
        message: the features.
        microphones: the array they must be of.
        features: their settings, as `features_from_settings` returns them.
        previous: index in the message before it, which tells whether anything was lost.

    Raises:
        MessageError: of another array, or values that are not usable.
    """
    check_header(message.header)
    pairs = microphones.pairs
    received = message.pair_first, message.pair_second
    if not all(np.array_equal(r, own) for r, own in zip(received, pairs.T, strict=True)):
        raise MessageError(
            f'GCC-PHAT of {len(message.pair_first)} pairs is not of array {microphones.name!r} '
            f'with {len(pairs)} pairs in this order; {_SAME}'
        )
    if message.sampling_frequency != microphones.sampling_frequency:
        raise MessageError(
            f'GCC-PHAT at {message.sampling_frequency:g} Hz is not of array {microphones.name!r} '
            f'at {microphones.sampling_frequency} Hz'
        )
    shape = len(pairs), features.lag_count
    gcc = _correlation(message, 'data', shape)
    residual = None
    if features.residual:
        if abs(message.residual_azimuth) > _HALF_TURN:
            raise MessageError('GCC-PHAT with residual_azimuth outside of -pi..pi')
        azimuth = microphones.board_azimuth(message.residual_azimuth)
        residual = Residual(_correlation(message, 'residual', shape), float(azimuth))
    if not 0 <= message.activity <= 1.01:
        raise MessageError('GCC-PHAT with activity outside of 0..1')
    _check_age(message.sound_age)
    hop = round(features.hop * microphones.sampling_frequency)
    due = None if previous is None else previous + hop
    return WindowFeatures(
        features=gcc,
        activity=message.activity,
        hop_index=message.first_sample_index,
        gap=lost_before(message.first_sample_index, due),
        sound_age=message.sound_age,
        residual=residual,
    )


def _correlation(message: GccPhat, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Return one of the correlations in a message, shape (pairs, lags)."""
    values = getattr(message, name)
    if len(values) != shape[0] * shape[1]:
        raise MessageError(
            f'GCC-PHAT {name} of {len(values)} values instead of {shape[0]} pairs x '
            f'{shape[1]} lags'
        )
    gcc = np.array(values, dtype=np.float32).reshape(shape)
    if not (np.abs(gcc) <= 1.01).all():
        raise MessageError(f'GCC-PHAT {name} outside of -1..1')
    return gcc


def _check_age(age: float) -> None:
    if not 0 <= age <= _OLDEST:
        raise MessageError(f'sound cannot be {age:g} s old')


def estimate_array(header: Header, directions: WindowDirections) -> DoaEstimateArray:
    """Return the message of the directions in a window, given its header."""
    return DoaEstimateArray(
        header=header,
        window_duration=float(directions.window),
        hop=float(directions.hop),
        sound_age=float(directions.sound_age),
        estimates=[_estimate_message(e) for e in directions.estimates],
    )


def _estimate_message(estimate: Estimate | Track) -> DoaEstimate:
    # The generated code aborts the process on a NumPy scalar.
    return DoaEstimate(
        azimuth=float(estimate.azimuth),
        elevation=float(estimate.elevation),
        azimuth_stddev=float(estimate.azimuth_stddev),
        elevation_stddev=float(estimate.elevation_stddev),
        confidence=float(estimate.confidence),
    )


def directions_of(message: DoaEstimateArray) -> WindowDirections:
    """Return the directions in a message.

    Raises:
        MessageError: an angle, a confidence, the hop or the age is not usable, or there are too
            many.
    """
    check_header(message.header)
    if not 0 < message.hop <= _LONGEST_HOP:
        raise MessageError(f'directions cannot come every {message.hop:g} s')
    _check_age(message.sound_age)
    _check_count(message.estimates)
    return WindowDirections(
        tuple(_estimate_of(e) for e in message.estimates),
        message.window_duration,
        message.hop,
        message.sound_age,
    )


def _check_count(directions: Sequence) -> None:
    if len(directions) > _MOST_ESTIMATES:
        raise MessageError(f'{len(directions)} estimates are no directions of sound')


def _estimate_of(message: DoaEstimate) -> Estimate:
    deviations = message.azimuth_stddev, message.elevation_stddev
    if not (
        abs(message.azimuth) <= _HALF_TURN
        and (math.isnan(message.elevation) or abs(message.elevation) <= _HALF_TURN / 2)
        and all(_unknown_or_positive(d) for d in deviations)
        and 0 <= message.confidence <= 1
    ):
        raise MessageError(
            f'estimate with azimuth {message.azimuth:g}, elevation {message.elevation:g}, '
            f'standard deviations {deviations[0]:g} and {deviations[1]:g}, confidence '
            f'{message.confidence:g}'
        )
    return Estimate(message.azimuth, message.elevation, *deviations, message.confidence)


def _unknown_or_positive(value: float) -> bool:
    return math.isnan(value) or 0 <= value <= _WIDEST


def track_array(header: Header, tracks: Iterable[Track]) -> DoaTrackArray:
    """Return the message of tracks that are confirmed.

    Args:
        header: of the analysed window.
        tracks: highest confidence first.
    """
    return DoaTrackArray(
        header=header,
        tracks=[
            DoaTrack(
                track_id=track.id,
                estimate=_estimate_message(track),
                azimuth_rate=float(track.azimuth_rate),
                elevation_rate=float(track.elevation_rate),
                azimuth_rate_stddev=float(track.azimuth_rate_stddev),
                elevation_rate_stddev=float(track.elevation_rate_stddev),
                age=float(track.age),
                predicted=track.predicted,
            )
            for track in tracks
        ],
    )


def tracks_of(message: DoaTrackArray) -> tuple[Track, ...]:
    """Return the tracks in a message.

    Raises:
        MessageError: an id, an angle, a rate, a confidence or an age is not usable, or there are
            too many.
    """
    check_header(message.header)
    _check_count(message.tracks)
    tracks = []
    for track in message.tracks:
        estimate = _estimate_of(track.estimate)
        _check_age(track.age)
        if not (
            math.isfinite(track.azimuth_rate)
            and not math.isinf(track.elevation_rate)
            and _unknown_or_positive(track.azimuth_rate_stddev)
            and _unknown_or_positive(track.elevation_rate_stddev)
        ):
            raise MessageError(
                f'track with rates {track.azimuth_rate:g} and {track.elevation_rate:g}, standard '
                f'deviations {track.azimuth_rate_stddev:g} and {track.elevation_rate_stddev:g}'
            )
        tracks.append(
            Track(
                id=track.track_id,
                azimuth=estimate.azimuth,
                elevation=estimate.elevation,
                azimuth_stddev=estimate.azimuth_stddev,
                elevation_stddev=estimate.elevation_stddev,
                confidence=estimate.confidence,
                azimuth_rate=track.azimuth_rate,
                elevation_rate=track.elevation_rate,
                azimuth_rate_stddev=track.azimuth_rate_stddev,
                elevation_rate_stddev=track.elevation_rate_stddev,
                age=track.age,
                confirmed=True,
                predicted=track.predicted,
            )
        )
    ids = {track.id for track in tracks}
    if 0 in ids or len(ids) < len(tracks):
        raise MessageError('tracks without an id, or two with the same')
    return tuple(tracks)


def target_pose(header: Header, track: Track) -> PoseStamped:
    """Return a pose at the array whose x axis points to a talker."""
    return PoseStamped(header=header, pose=pose_towards(track))


def target_vector(header: Header, track: Track) -> Vector3Stamped:
    """Return the unit vector to a talker."""
    x, y, z = unit_vector(track.azimuth, shown_elevation(track)).tolist()
    return Vector3Stamped(header=header, vector=Vector3(x=x, y=y, z=z))


def spectrum_message(
    header: Header, window: float, spectrum: Spectrum, grid: DirectionGrid
) -> DoaSpectrum:
    """Return the message of a spectrum in the mounted frame."""
    message = DoaSpectrum(
        header=header,
        window_duration=window,
        azimuth_step=grid.azimuth_step,
    )
    message.azimuth_probability = _floats(spectrum.azimuth_distribution)
    elevation = spectrum.elevation_distribution
    if elevation is not None:
        message.elevation_min = grid.elevation_min
        message.elevation_step = grid.elevation_step
        message.elevation_probability = _floats(elevation)
    return message


def shown_elevation(direction: Estimate | Track) -> float:
    """Return the elevation to show [rad]: in the plane where it is not known."""
    return 0.0 if math.isnan(direction.elevation) else direction.elevation


def pose_towards(direction: Estimate | Track) -> Pose:
    """Return a pose at the array whose x axis has a direction."""
    # Yaw by the azimuth, then pitch up by the elevation; pitch is positive downwards.
    half_yaw, half_pitch = direction.azimuth / 2, -shown_elevation(direction) / 2
    orientation = Quaternion(
        x=-math.sin(half_yaw) * math.sin(half_pitch),
        y=math.cos(half_yaw) * math.sin(half_pitch),
        z=math.sin(half_yaw) * math.cos(half_pitch),
        w=math.cos(half_yaw) * math.cos(half_pitch),
    )
    return Pose(orientation=orientation)
