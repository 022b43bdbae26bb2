# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The sensitivity, the mounting and the choice of the method."""

from dataclasses import replace
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy import signal

from doa_ros.core.ambiguity import ambiguity_of
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.features.extractor import CLEAR_ACTIVITY, FeatureExtractor, WindowFeatures
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.calibration import SENSITIVITY_POWER
from doa_ros.core.localization.compatibility import default_features
from doa_ros.core.localization.hmm_filter import HmmFilterConfig
from doa_ros.core.localization.localizer import Localizer, LocalizerConfig, _with_prior_odds
from doa_ros.core.localization.model_card import load_card
from doa_ros.core.localization.spectrum import MultiSourceSpectrum, SingleSourceSpectrum
from doa_ros.resources import find_resource

_SRP = {'method': 'srp_phat'}


@pytest.fixture
def localizer(uma8):
    def make(array=uma8, **settings):
        return Localizer(array, FeatureConfig(), LocalizerConfig(**{**_SRP, **settings}))

    return make


@pytest.fixture
def window(uma8, extract, plane_wave):
    """Return features of a source at 0.7 rad that stands out fully."""
    window = extract(uma8, plane_wave(uma8, 0.7, 0.4))[-1]
    return WindowFeatures(window.features, 1.0, window.hop_index)


def _certain(localizer):
    """Let the method be certain of class 10, whatever it is given."""
    localizer._estimator.spectrum = lambda gcc: SingleSourceSpectrum(np.eye(72)[10], np.eye(10)[2])
    return localizer


def test_estimate_and_spectrum_agree(localizer, window):
    found = localizer(sensitivity=0.7).locate(window)
    (estimate,) = found.estimates
    assert estimate.azimuth == pytest.approx(0.7, abs=0.02)
    assert estimate.elevation == pytest.approx(0.4, abs=0.08)
    assert 0 < estimate.azimuth_stddev < 0.3
    assert found.spectrum.azimuth.argmax() == 8
    assert found.spectrum.azimuth.shape == (72,)
    assert found.spectrum.elevation[8].argmax() == 2
    assert found.spectrum.elevation.shape == (72, 10)


def test_stated_elevations_know_how_uncertain_the_size_of_the_array_is(localizer, window):
    found, alone = localizer().locate(window), localizer()._estimator.spectra(window)
    estimate, exact, detection = found.estimates[0], alone.estimates[0], alone.detections()[0]
    size = ambiguity_of(localizer()._array).elevation_stddev(exact.azimuth, exact.elevation)
    assert size > math.radians(2)
    assert estimate.elevation_stddev == pytest.approx(math.hypot(exact.elevation_stddev, size))
    assert replace(estimate, elevation_stddev=exact.elevation_stddev) == exact
    # Those of the detections do not: the tracker adds it.
    assert found.detections[0] == detection


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_sensitive_answers_more(uma8, plane_wave, extract, activity, one, other):
    gcc = extract(uma8, plane_wave(uma8, 0.7, duration=0.1))[-1].features
    window = WindowFeatures(gcc, activity, 0)
    answers = []
    for sensitivity in sorted([one, other]):
        config = LocalizerConfig(method='srp_phat', sensitivity=sensitivity)
        found = Localizer(uma8, FeatureConfig(), config).locate(window).estimates
        assert all(0 <= e.confidence <= 1 for e in found)
        assert all(e.confidence >= config.least_confidence() for e in found)
        answers.append(len(found))
    assert answers == sorted(answers)


def test_sensitivity_0_never_answers_and_1_always(localizer, window):
    assert not localizer(sensitivity=0.0).locate(window).estimates
    assert not _certain(localizer(sensitivity=0.0)).locate(window).estimates
    silence = WindowFeatures(np.zeros((15, 13), dtype=np.float32), 0.0, 0)
    assert localizer(sensitivity=1.0).locate(silence).estimates


SETTINGS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@pytest.mark.parametrize('power', [0.1, 1.5, 2.41, 10.0])
def test_half_is_a_confidence_of_half_exactly(power):
    assert LocalizerConfig().prior_odds(power) == 1
    assert LocalizerConfig().least_confidence(power) == 0.5
    least = [LocalizerConfig(sensitivity=s).least_confidence(power) for s in (0, *SETTINGS, 1)]
    assert least[0] == math.inf and least[-1] == 0
    assert least == sorted(least, reverse=True)
    # Of odds, both sides are alike.
    for one, other in zip(least[1:-1], least[-2:0:-1], strict=True):
        assert one == pytest.approx(1 - other)


@given(st.floats(0, 1), st.sampled_from(SETTINGS))
def test_estimates_and_detections_are_weighed_alike(confidence, sensitivity):
    config = LocalizerConfig(sensitivity=sensitivity)
    weighed = _with_prior_odds(confidence, config.prior_odds())
    if abs(confidence - config.least_confidence()) > 1e-9:
        assert (weighed >= 0.5) == (confidence >= config.least_confidence())
    assert _with_prior_odds(confidence, 1.0) == pytest.approx(confidence, abs=1e-12)


@pytest.fixture(scope='module')
def words(uma8, plane_wave):
    """Return sound of 41 short noises from anywhere, between 0 and 10 dB above that of the room.

    And the samples at which each begins and ends.
    """
    rng = np.random.default_rng(5)
    rate = uma8.sampling_frequency
    every = round(1.5 * rate)
    levels = np.linspace(0, 10, 41)
    audio = 1e-2 * rng.standard_normal(((len(levels) + 2) * every, 6))
    spans = []
    for number, level in enumerate(levels):
        word = plane_wave(uma8, rng.uniform(-3, 3), 0.3, duration=0.4, seed=number)
        begin = (number + 2) * every
        audio[begin : begin + len(word)] += 10 ** (level / 20) * word
        spans.append((begin, begin + len(word)))
    return audio.astype(np.float32), spans


@pytest.mark.parametrize(
    ('model', 'growth'), [('uma8_rooms_int8', 0.28), ('uma8_several_int8', 0.55)]
)
def test_answers_grow_steadily_with_the_sensitivity(uma8, words, model, growth):
    path = find_resource('models', model)
    features = default_features(uma8, path)
    audio, spans = words
    windows = FeatureExtractor(uma8, features).push(0, audio)
    spoken = [any(a + 4800 <= f.hop_index <= b for a, b in spans) for f in windows]
    localizer = Localizer(uma8, features, LocalizerConfig(sensitivity=1.0), path)
    found = [localizer.locate(window).estimates[0].confidence for window in windows]
    power = localizer.sensitivity_power
    assert power == load_card(path).calibration.sensitivity_power != SENSITIVITY_POWER

    def shares(settings):
        least = [LocalizerConfig(sensitivity=s).least_confidence(power) for s in settings]
        return (np.array(found)[spoken] >= np.array(least)[:, None]).mean(axis=1)

    assert (np.diff(shares(SETTINGS)) > 0).all()
    fine = shares(np.linspace(0.05, 0.95, 91).tolist())
    assert fine[-1] - fine[0] > growth
    # No step of 0.01 does a fifth of it.
    assert np.diff(fine).max() < (fine[-1] - fine[0]) / 5


def test_confidence_falls_with_activity(localizer, window):
    def confidence(activity):
        found = _certain(localizer(sensitivity=1.0)).locate(
            WindowFeatures(window.features, activity, 0)
        )
        return found.estimates[0].confidence

    assert confidence(0.0) == 0
    assert confidence(CLEAR_ACTIVITY / 2) == pytest.approx(0.5)
    assert confidence(CLEAR_ACTIVITY) == confidence(1.0) == pytest.approx(1)


def test_configure_changes_the_sensitivity_at_once(localizer, window):
    found = _certain(localizer(sensitivity=0.5))
    weak = WindowFeatures(window.features, CLEAR_ACTIVITY / 4, 0)
    assert not found.locate(weak).estimates
    found.configure(LocalizerConfig(method='srp_phat', sensitivity=0.9))
    assert found.locate(weak).estimates


def test_face_down_mirrors_estimate_and_spectrum(localizer, face_down, window):
    up = localizer(sensitivity=1.0).locate(window)
    down = localizer(face_down, sensitivity=1.0).locate(window)
    mirrored = wrap_angle(-up.estimates[0].azimuth)
    assert down.estimates[0].azimuth == pytest.approx(mirrored, abs=1e-6)
    assert down.estimates[0].elevation == up.estimates[0].elevation
    classes = (-np.arange(72)) % 72
    np.testing.assert_array_equal(down.spectrum.azimuth, up.spectrum.azimuth[classes])


@pytest.mark.parametrize('down', [False, True])
@pytest.mark.parametrize('degrees', [60, -17.5])
def test_rotation_turns_estimate_and_spectrum(localizer, uma8, window, degrees, down):
    board = localizer(sensitivity=1.0).locate(window)
    turned = localizer(
        replace(uma8, rotation=math.radians(degrees), face_down=down), sensitivity=1.0
    ).locate(window)
    sign = -1 if down else 1
    expected = wrap_angle(sign * board.estimates[0].azimuth + math.radians(degrees))
    assert turned.estimates[0].azimuth == pytest.approx(expected, abs=1e-6)
    assert turned.detections[0].azimuth == pytest.approx(expected, abs=1e-6)
    total = board.spectrum.azimuth.sum()
    assert turned.spectrum.azimuth.sum() == pytest.approx(total, rel=1e-5)

    def centre(spectrum):
        return np.angle(spectrum.azimuth @ np.exp(1j * np.radians(5 * np.arange(72))))

    expected = sign * centre(board.spectrum) + math.radians(degrees)
    assert abs(wrap_angle(centre(turned.spectrum) - expected)) < 1e-5


def test_without_elevation_it_is_nan(localizer, window):
    found = localizer(sensitivity=1.0)
    found._estimator.spectrum = lambda gcc: SingleSourceSpectrum(np.eye(72)[10])
    (estimate,) = found.locate(window).estimates
    assert estimate.azimuth == pytest.approx(math.radians(50))
    assert math.isnan(estimate.elevation)
    assert math.isnan(estimate.elevation_stddev)


def test_cnn_needs_a_model(uma8):
    with pytest.raises(ConfigError, match='method cnn needs a model'):
        Localizer(uma8, FeatureConfig(), LocalizerConfig())


def test_cnn_uses_the_network(uma8, window, write_network, tmp_path):
    model = write_network(tmp_path / 'small.tflite', uma8)
    config = LocalizerConfig(sensitivity=1.0)
    localizer = Localizer(uma8, FeatureConfig(), config, model)
    assert localizer.grid.azimuth_count == 72
    (estimate,) = localizer.locate(window).estimates
    assert estimate.azimuth == pytest.approx(0.7, abs=0.1)


@pytest.fixture
def hmm_filtered(uma8, write_network, tmp_path):
    """Return a function that makes a localizer with an HMM filter; its network is always sure."""
    outputs = 'azimuth', 'elevation', 'activity'
    config = HmmFilterConfig(bias=-3.0, activity_weight=0.3)
    model = write_network(tmp_path / 'own.tflite', uma8, outputs=outputs, hmm=config)

    def make(**settings):
        return Localizer(uma8, FeatureConfig(), LocalizerConfig(**settings), model)

    return make


def test_an_hmm_filter_grows_sure_of_a_source(hmm_filtered, window):
    localizer = hmm_filtered(sensitivity=1.0)
    found = [localizer.locate(window) for _ in range(10)]
    confidence = [f.estimates[0].confidence for f in found]
    assert all(b > a for a, b in zip(confidence, confidence[1:], strict=False))
    assert found[-1].estimates[0].azimuth == pytest.approx(0.7, abs=0.1)
    assert found[-1].spectrum.azimuth.sum() == pytest.approx(1)
    # The tracker learns that, too, though no direction of an earlier window.
    localizer = hmm_filtered()
    detected = [localizer.locate(window).detections for _ in range(20)]
    assert (detected[0][0].confidence if detected[0] else 0) + 0.1 < detected[-1][0].confidence


def test_detections_are_those_before_the_filter(hmm_filtered, uma8, plane_wave, extract, window):
    elsewhere = WindowFeatures(extract(uma8, plane_wave(uma8, -2.0, 0.4))[-1].features, 1.0, 0)
    localizer = hmm_filtered()
    for _ in range(20):
        before = localizer.locate(window)
    after = localizer.locate(elsewhere)
    assert before.detections[0].azimuth == pytest.approx(0.7, abs=0.1)
    assert before.estimates[0].azimuth == pytest.approx(0.7, abs=0.1)
    assert after.detections[0].azimuth == pytest.approx(-2.0, abs=0.1)
    # Whoever takes over, there is somebody.
    confidences = [found.detections[0].confidence for found in (before, after)]
    assert confidences[1] == pytest.approx(confidences[0], abs=0.05)
    assert abs(wrap_angle(after.spectrum.azimuth.argmax() * math.radians(5) - 0.7)) < 0.1
    # In silence there is nothing to detect, whatever the filter holds.
    assert not localizer.locate(replace(window, activity=0.0)).detections


def test_detections_of_a_method_without_a_filter_are_its_estimates(localizer, window):
    found = localizer(sensitivity=0.5).locate(window)
    estimate, detection = found.estimates[0], found.detections[0]
    assert (detection.azimuth, detection.elevation) == (estimate.azimuth, estimate.elevation)
    assert detection.confidence == pytest.approx(estimate.confidence)
    assert detection.azimuth_stddev < estimate.azimuth_stddev


@given(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_sensitive_detects_more(uma8, plane_wave, extract, activity, one, other):
    gcc = extract(uma8, plane_wave(uma8, 0.7, duration=0.1))[-1].features
    counts, confidences = [], []
    for sensitivity in sorted([one, other]):
        config = LocalizerConfig(method='srp_phat', sensitivity=sensitivity)
        found = Localizer(uma8, FeatureConfig(), config).locate(WindowFeatures(gcc, activity, 0))
        counts.append(len(found.detections))
        confidences.append(max((d.confidence for d in found.detections), default=0.0))
        assert all(0.1 <= d.confidence <= 1 for d in found.detections)
    assert counts == sorted(counts) and confidences == sorted(confidences)


def test_sensitivity_0_detects_nothing_and_1_whatever_there_is(localizer, window):
    weak = replace(window, activity=CLEAR_ACTIVITY / 100)
    assert not _certain(localizer(sensitivity=0.0)).locate(window).detections
    assert not _certain(localizer(sensitivity=0.5)).locate(weak).detections
    assert _certain(localizer(sensitivity=1.0)).locate(weak).detections


@pytest.mark.parametrize('forget', ['reset', 'gap'])
def test_a_new_stream_resets_the_filter(hmm_filtered, window, forget):
    localizer = hmm_filtered(sensitivity=1.0)
    first = localizer.locate(window)
    for _ in range(10):
        localizer.locate(window)
    if forget == 'reset':
        localizer.reset()
        again = localizer.locate(window)
    else:
        again = localizer.locate(replace(window, gap=480))
    assert again.estimates == first.estimates


def test_a_steady_sound_is_a_source_only_when_asked_for(hmm_filtered, window):
    steady = replace(window, activity=0.02)
    confidence = {}
    for wanted in (False, True):
        localizer = hmm_filtered(sensitivity=1.0, report_stationary=wanted)
        for _ in range(20):
            (estimate,) = localizer.locate(steady).estimates
        confidence[wanted] = estimate.confidence
    assert confidence[False] < 0.3 and confidence[True] > 0.6


def test_a_steady_sound_without_a_filter(localizer, window):
    steady = replace(window, activity=0.02)
    quiet, loud = localizer(sensitivity=1.0), localizer(sensitivity=1.0, report_stationary=True)
    one, other = (found.locate(steady).estimates[0].confidence for found in (quiet, loud))
    assert one / other == pytest.approx(0.02 / CLEAR_ACTIVITY)
    # While it runs, too.
    quiet.configure(LocalizerConfig(**_SRP, sensitivity=1.0, report_stationary=True))
    assert quiet.locate(steady).estimates == loud.locate(steady).estimates


@pytest.fixture(scope='module')
def fan(uma8, plane_wave):
    """Return 6 s of a fan: steady noise from 1.2 rad, and some hiss."""
    rng = np.random.default_rng(4)
    low_pass = signal.butter(1, 1500, fs=48000)
    sound = signal.lfilter(*low_pass, plane_wave(uma8, 1.2, 0.3, duration=6.0), axis=0)
    return sound + 0.05 * sound.std() * rng.standard_normal(sound.shape)


@pytest.mark.parametrize('wanted', [False, True])
def test_the_shipped_model_and_a_fan(uma8, fan, extract, wanted):
    model = find_resource('models', 'uma8_rooms_int8')
    features = load_card(model).features
    assert features.whitening
    if wanted:
        features = replace(features, whitening=False)
    localizer = Localizer(uma8, features, LocalizerConfig(report_stationary=wanted), model)
    found = [localizer.locate(window).estimates for window in extract(uma8, fan, features)][20:]
    if not wanted:
        assert not any(found)
        return
    assert np.mean([bool(estimates) for estimates in found]) > 0.9
    errors = [abs(wrap_angle(estimates[0].azimuth - 1.2)) for estimates in found if estimates]
    assert np.median(errors) < np.radians(5)


@pytest.mark.parametrize('name', ['uma8_rooms_int8', 'uma8_several_int8'])
def test_high_above_the_azimuth_is_uncertain(uma8, plane_wave, extract, name):
    model = find_resource('models', name)
    features = load_card(model).features
    localizer = Localizer(uma8, features, LocalizerConfig(report_stationary=True), model)
    hiss = 0.003 * np.random.default_rng(3).standard_normal((48000, 6))
    deviations = []
    for degrees in (20, 50, 75, 85):
        localizer.reset()
        sound = plane_wave(uma8, 1.0, np.radians(degrees), duration=1.0) + hiss
        found = [localizer.locate(window) for window in extract(uma8, sound, features)]
        deviations.append(found[-1].estimates[0].azimuth_stddev)
    assert max(deviations[:2]) < deviations[2] < deviations[3]


def test_unknown_method():
    with pytest.raises(ConfigError, match='method must be one of cnn, srp_phat'):
        LocalizerConfig(method='music')


def _judged_one_by_one(localizer, *classes):
    """Let the method see a source in each of the classes, with elevation classes 3, 4, ..."""
    azimuth, rises = np.zeros(72), np.zeros(72)
    azimuth[list(classes)] = np.linspace(1.0, 0.8, len(classes))
    rises[list(classes)] = 3.0 + np.arange(len(classes))
    elevation = np.exp(-0.5 * (np.arange(10) - rises[:, None]) ** 2)
    spectrum = MultiSourceSpectrum(azimuth, elevation)
    localizer._estimator.spectrum = lambda gcc: spectrum
    return localizer


def test_several_sources_are_given_the_strongest_first(localizer, window):
    found = _judged_one_by_one(localizer(), 10, 30, 50).locate(window).estimates
    step = 2 * math.pi / 72
    expected = [wrap_angle(step * k) for k in (10, 30, 50)]
    assert [estimate.azimuth for estimate in found] == pytest.approx(expected)
    assert [estimate.confidence for estimate in found] == pytest.approx([1.0, 0.9, 0.8])
    expected = [math.radians(angle) for angle in (30, 40, 50)]
    assert [estimate.elevation for estimate in found] == pytest.approx(expected)


def test_several_sources_turn_with_the_mounting(uma8, window):
    turned = replace(uma8, face_down=True)
    localizer = Localizer(turned, FeatureConfig(), LocalizerConfig(method='srp_phat'))
    found = _judged_one_by_one(localizer, 10, 30).locate(window)
    expected = [wrap_angle(-2 * math.pi / 72 * k) for k in (10, 30)]
    assert [estimate.azimuth for estimate in found.estimates] == pytest.approx(expected)
    assert found.spectrum.azimuth.argmax() == 72 - 10
    assert found.spectrum.elevation[72 - 30].argmax() == 4
