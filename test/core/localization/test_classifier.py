# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Models: the shipped ones, and every way in which one does not fit."""

import dataclasses
from dataclasses import replace
import hashlib
import math
import shutil

import numpy as np
import pytest
from scipy import signal
import yaml

from doa_ros.core.directions import DirectionGrid
from doa_ros.core.errors import ConfigError, ModelError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.geometry import wrap_angle
from doa_ros.core.localization.classifier import Classifier
from doa_ros.core.localization.compatibility import adapted_array, incompatibilities
from doa_ros.core.localization.decoding import decode_azimuth, decode_azimuths
from doa_ros.core.localization.model_card import filter_file, load_card, save_card
from doa_ros.core.localization.recurrent_filter import RecurrentFilter, RecurrentFilterConfig
from doa_ros.resources import find_resource
from doa_ros.simulation.acoustics import DiffuseField

_SHIPPED = (
    'uma8_reference_int8',
    'uma8_reference_float32',
    'uma8_rooms_int8',
    'uma8_several_int8',
)
_AZIMUTHS = np.radians([-165, -120, -80, -30, 5, 40, 95, 150])
_FEATURES = FeatureConfig()


@pytest.fixture
def network(uma8, write_network, tmp_path):
    return write_network(tmp_path / 'small.tflite', uma8)


@pytest.fixture
def change_card(network):
    """Return a function that changes the content of the card of `network`."""

    def change(**changes):
        card = network.with_suffix('.yaml')
        content = yaml.safe_load(card.read_text())
        for key, value in changes.items():
            if value is None:
                del content[key]
            else:
                content[key] = value
        card.write_text(yaml.safe_dump(content))

    return change


def _accept(model):
    """Enter the file as it is in its card."""
    card = model.with_suffix('.yaml')
    content = yaml.safe_load(card.read_text())
    content['sha256'] = hashlib.sha256(model.read_bytes()).hexdigest()
    card.write_text(yaml.safe_dump(content))


# --- what fits ------------------------------------------------------------------------


def test_probabilities_follow_the_source(uma8, network, extract, plane_wave):
    classifier = Classifier.load(network, uma8, _FEATURES)
    for azimuth in _AZIMUTHS:
        spectrum = classifier.spectrum(extract(uma8, plane_wave(uma8, azimuth, 0.4))[-1].features)
        assert spectrum.azimuth.sum() == pytest.approx(1, abs=1e-5)
        assert spectrum.elevation.sum() == pytest.approx(1, abs=1e-5)
        assert abs(wrap_angle(decode_azimuth(spectrum.azimuth)[0] - azimuth)) < 0.1


def test_outputs_come_in_the_order_of_the_card(uma8, write_network, tmp_path, extract, plane_wave):
    model = write_network(tmp_path / 'a.tflite', uma8, outputs=('elevation', 'azimuth'))
    gcc = extract(uma8, plane_wave(uma8, 1.0))[-1].features
    spectrum = Classifier.load(model, uma8, _FEATURES).spectrum(gcc)
    assert (len(spectrum.azimuth), len(spectrum.elevation)) == (72, 10)
    assert decode_azimuth(spectrum.azimuth)[0] == pytest.approx(1.0, abs=0.1)


def test_azimuth_alone(uma8, write_network, tmp_path):
    grid = DirectionGrid(36, 5)
    model = write_network(tmp_path / 'a.tflite', uma8, grid=grid, outputs=('azimuth',))
    classifier = Classifier.load(model, uma8, _FEATURES)
    spectrum = classifier.spectrum(np.zeros((15, 13), dtype=np.float32))
    assert classifier.grid == grid
    assert spectrum.azimuth.shape == (36,)
    assert spectrum.elevation is None


def test_another_array_and_other_features(square, write_network, tmp_path, extract, plane_wave):
    features = FeatureConfig(lag_count=9, band_max=6000.0)
    model = write_network(tmp_path / 'a.tflite', square, features)
    gcc = extract(square, plane_wave(square, -2.0), features)[-1].features
    spectrum = Classifier.load(model, square, features).spectrum(gcc)
    assert decode_azimuth(spectrum.azimuth)[0] == pytest.approx(-2.0, abs=0.15)


def test_network_of_an_array_that_fills_space(tetrahedron, write_network, tmp_path, extract,
                                              plane_wave):  # fmt: skip
    grid = DirectionGrid(72, 19, -math.pi / 2)
    model = write_network(tmp_path / 'a.tflite', tetrahedron, grid=grid)
    assert load_card(model).grid == grid
    classifier = Classifier.load(model, tetrahedron, FeatureConfig())
    for azimuth, elevation in ((0.7, -0.5), (-2.0, 0.4)):
        gcc = extract(tetrahedron, plane_wave(tetrahedron, azimuth, elevation))[-1].features
        spectrum = classifier.spectrum(gcc)
        assert decode_azimuth(spectrum.azimuth)[0] == pytest.approx(azimuth, abs=0.2)
        assert spectrum.elevation_min == -math.pi / 2
        # The first class is straight below.
        below = dataclasses.replace(spectrum, elevation=np.eye(19)[0])
        assert below.elevation_at(azimuth)[0] == pytest.approx(-math.pi / 2)


def test_network_must_know_the_elevations_that_the_array_gives(
    tetrahedron, square, write_network, tmp_path
):
    above = write_network(tmp_path / 'above.tflite', tetrahedron)
    with pytest.raises(ConfigError, match='elevations from -90 degrees on, .* begin at 0 degrees'):
        Classifier.load(above, tetrahedron, FeatureConfig())
    below = write_network(
        tmp_path / 'below.tflite', square, grid=DirectionGrid(72, 19, -math.pi / 2)
    )
    # Classes that the array never gives are no harm.
    assert Classifier.load(below, square, FeatureConfig()).grid.elevation_count == 19
    line = replace(square, positions=square.positions * [1, 0, 0] * [[1], [1], [2], [2]])
    with pytest.raises(ConfigError, match='no elevations, which networks need'):
        Classifier.load(below, line, FeatureConfig())
    card = below.with_suffix('.yaml')
    text = card.read_text(encoding='utf-8').replace('deg: -90.0', 'deg: -91.0')
    card.write_text(text, encoding='utf-8')
    with pytest.raises(ModelError, match='elevation_min_deg must lie in -90..0'):
        load_card(below)


def test_card_round_trip(uma8, network):
    card = load_card(network)
    assert card.array.name == 'uma8'
    assert card.features == _FEATURES
    assert card.grid == DirectionGrid(72, 10)
    assert card.to_mapping() == yaml.safe_load(network.with_suffix('.yaml').read_text())
    assert incompatibilities(card, uma8, _FEATURES) == []


def test_a_network_that_knows_whitened_features_takes_plain_ones_but_not_the_other_way(
    uma8, network
):
    card = load_card(network)
    whitened = replace(_FEATURES, whitening=True)
    assert incompatibilities(replace(card, features=whitened), uma8, _FEATURES) == []
    assert len(incompatibilities(card, uma8, whitened)) == 1


def test_mounting_and_device_do_not_matter(network, face_down):
    Classifier.load(network, replace(face_down, device='other', name='other'), _FEATURES)


# --- what does not fit ----------------------------------------------------------------


def _refused(network, array, features=_FEATURES):
    with pytest.raises(ModelError) as error:
        Classifier.load(network, array, features)
    assert str(error.value).startswith(str(network.with_suffix('')))
    return str(error.value)


def test_missing_model(uma8, tmp_path):
    assert 'no such model file' in _refused(tmp_path / 'none.tflite', uma8)


def test_missing_card(uma8, network):
    network.with_suffix('.yaml').unlink()
    assert 'needs this card beside' in _refused(network, uma8)


def test_changed_network(uma8, network):
    data = bytearray(network.read_bytes())
    data[-100] ^= 1
    network.write_bytes(data)
    assert 'the file is damaged or the card belongs to another' in _refused(network, uma8)


def test_truncated_network(uma8, network):
    network.write_bytes(network.read_bytes()[:1000])
    assert 'the file is damaged' in _refused(network, uma8)


@pytest.mark.parametrize('content', [b'', b'TFL3', b'not a network at all, but a sentence'])
def test_no_network_at_all(uma8, network, content):
    network.write_bytes(content)
    _accept(network)
    assert 'not a usable TFLite model' in _refused(network, uma8)


def test_other_number_of_microphones(uma8, network, square):
    message = _refused(network, replace(square, sampling_frequency=48000))
    assert "it has 6 microphones (uma8) and array 'square' has 4" in message


def test_moved_microphone(uma8, network):
    positions = uma8.positions.copy()
    positions[2] += [0.003, 0.004, 0]
    message = _refused(network, replace(uma8, positions=positions))
    assert "lies 5.0 mm away from its place in 'uma8'" in message
    positions = uma8.positions + 1e-4
    Classifier.load(network, replace(uma8, positions=positions), _FEATURES)


def test_swapped_microphones(uma8, network):
    swapped = replace(uma8, positions=uma8.positions[[1, 0, 2, 3, 4, 5]])
    assert 'are turned or in another order' in _refused(network, swapped)
    Classifier.load(network, adapted_array(swapped, network)[0], _FEATURES)


@pytest.mark.parametrize('scale', [0.88, 0.899, 1.101, 2.0])
def test_other_size(uma8, network, scale):
    message = _refused(network, replace(uma8, positions=scale * uma8.positions))
    assert f"is {scale:.3f} times as large as 'uma8', and only 0.9 to 1.1 times will do" in message


def test_rate_below_the_band(uma8, network):
    message = _refused(network, replace(uma8, sampling_frequency=12000))
    assert "up to 7000 Hz, and those of array 'uma8' end at 6000 Hz" in message
    Classifier.load(network, replace(uma8, sampling_frequency=16000), _FEATURES)


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('window', 0.2),
        ('hop', 0.02),
        ('band_min', 300.0),
        ('band_max', 6000.0),
        ('lag_rate', 24000.0),
        ('lag_count', 15),
        ('averaging_time', 0.3),
        ('noise_floor_time', 2.0),
        ('weight_min', 0.05),
    ],
)
def test_other_feature_is_named(uma8, network, name, value):
    mine = getattr(_FEATURES, name)
    message = _refused(network, uma8, replace(_FEATURES, **{name: value}))
    assert f'its {name} is {mine:g} and the configured one is {value:g}' in message


def test_all_differences_are_named_at_once(uma8, network):
    features = replace(_FEATURES, hop=0.02, averaging_time=0.3)
    message = _refused(network, replace(uma8, sampling_frequency=12000), features)
    assert message.count(';') == 2


_WRONG_CARDS = {
    'unknown key': ({'colour': 'red'}, 'unknown colour'),
    'missing key': ({'sha256': None}, 'missing sha256'),
    'format': ({'format': 3}, 'format 3 is neither 1 nor 2'),
    'old name': ({'multilabel': True}, 'multilabel is called multi_source now'),
    'old feature': ({'features': {'averaging': 0.5}}, 'averaging is called averaging_time now'),
    'old section': ({'memory': {}}, 'memory is called hmm and calibration now'),
    'array': ({'array': 'uma8'}, 'must be a mapping'),
    'any array': ({'array': 'any'}, 'array any needs input map'),
    'array key': ({'array': {'name': 'uma8'}}, 'missing positions, sampling_frequency'),
    'positions': ({'array': {'name': 'a', 'sampling_frequency': 48000, 'positions': 5}},
                  'positions'),
    'positions NaN': ({'array': {'name': 'a', 'sampling_frequency': 48000,
                                 'positions': [[math.nan] * 3] * 6}}, 'positions'),
    'positions words': ({'array': {'name': 'a', 'sampling_frequency': 48000,
                                   'positions': [['x', 'y', 'z']] * 6}}, 'could not convert'),
    'unknown feature': ({'features': FeatureConfig().to_mapping() | {'colour': 1}},
                        'unknown colour'),
    'feature': ({'features': FeatureConfig().to_mapping() | {'window': 7.0}},
                'window must be at most'),
    'missing feature': ({'features': {'window': 0.1}}, 'missing averaging_time'),
    'classes': ({'azimuth_classes': 'many'}, 'invalid literal'),
    'infinite classes': ({'azimuth_classes': math.inf}, 'infinity'),
    'few azimuths': ({'azimuth_classes': 3}, 'at least 4 azimuth'),
    'few elevations': ({'elevation_classes': 2}, '3 elevation'),
    'outputs': ({'outputs': ['azimuth', 'distance']}, 'outputs must name azimuth'),
    'no azimuth': ({'outputs': ['elevation']}, 'outputs must name azimuth'),
    'outputs number': ({'outputs': 3}, 'not iterable'),
    'outputs text': ({'outputs': 'azimuth'}, 'outputs must name azimuth'),
    'outputs nested': ({'outputs': [['azimuth']]}, 'outputs must name azimuth'),
    'input': ({'input': 'maps'}, "input must be taps or map, not 'maps'"),
    'input of taps': ({'input': 'map'}, 'promises (72, 10) (azimuths, elevations)'),
    'training': ({'training': 'long'}, 'training must be a mapping'),
    'multi_source': ({'multi_source': 'yes'}, 'multi_source must be true or false'),
    'hmm': ({'hmm': {'offset': -1.0}}, 'hmm: offset must be at least'),
    'hmm key': ({'hmm': {'colour': 1.0}}, 'hmm: unknown colour'),
    'hmm without activity': ({'hmm': {}}, 'hmm needs an activity output'),
    'hmm of several': ({'hmm': {}, 'multi_source': True}, 'activity output, and a single source'),
    'recurrent filter of one source': ({'recurrent_filter': {'sha256': '0' * 64}},
                                       'recurrent_filter needs multi_source'),
    'recurrent filter key': ({'recurrent_filter': {'offset': 1.0}}, 'unknown offset'),
    'calibration of nothing': ({'calibration': {}}, 'calibration needs hmm or recurrent_filter'),
    'calibration key': ({'calibration': {'colour': 1.0}}, 'calibration: unknown colour'),
    'calibration': ({'calibration': 1.0}, 'calibration: must be a mapping'),
    'weight of SRP-PHAT': ({'srp_weight': -1.0}, 'srp_weight must be at least 0'),
    'weight of several': ({'srp_weight': 2.0, 'multi_source': True}, 'at most'),
    'weight of nothing': ({'srp_weight': math.nan}, 'srp_weight must'),
    'outputs twice': ({'outputs': ['azimuth', 'azimuth']}, 'outputs must name azimuth'),
}  # fmt: skip


@pytest.mark.parametrize('case', _WRONG_CARDS)
def test_wrong_card(uma8, network, change_card, case):
    changes, message = _WRONG_CARDS[case]
    change_card(**changes)
    assert message in _refused(network, uma8)


@pytest.mark.parametrize('key', ['format', 'srp_weight'])
def test_a_long_value_in_a_card_makes_no_long_sentence(uma8, network, change_card, key):
    change_card(**{key: 'x' * 3000})
    said = _refused(network, uma8)
    assert 'xxx' in said and len(said) < 1000


def test_two_talkers_at_once(uma8, extract, plane_wave):
    """Of several sources, each azimuth class has elevations, and both opinions count."""
    model = find_resource('models', 'uma8_several_int8')
    features = load_card(model).features
    both = plane_wave(uma8, 0.5, 0.3) + plane_wave(uma8, -2.0, 0.8, seed=5)
    gcc = extract(uma8, both, features)[-1].features
    spectrum = Classifier.load(model, uma8, features).spectrum(gcc)
    assert spectrum.elevation.shape == (72, 10)
    peaks = decode_azimuths(spectrum.azimuth)[:2]
    for azimuth, elevation in ((0.5, 0.3), (-2.0, 0.8)):
        (near,) = (p for p in peaks if abs(wrap_angle(p[0] - azimuth)) < math.radians(10))
        assert near[2] > 0.3
        decoded, _ = spectrum.elevation_at(near[0])
        assert decoded == pytest.approx(elevation, abs=math.radians(20))


@pytest.fixture
def several(tmp_path):
    """Return a copy of the shipped model of several sources."""
    shipped = find_resource('models', 'uma8_several_int8')
    for file in (shipped, shipped.with_suffix('.yaml'), filter_file(shipped)):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / shipped.name


def test_a_recurrent_filter_belongs_to_its_model(uma8, several):
    features = load_card(several).features
    assert isinstance(Classifier.load(several, uma8, features).source_filter(), RecurrentFilter)
    filter_file(several).write_bytes(b'another')
    with pytest.raises(ModelError, match='_filter.tflite: its SHA-256 is not the one'):
        Classifier.load(several, uma8, features)
    filter_file(several).unlink()
    with pytest.raises(ModelError, match='_filter.tflite: missing; the model needs'):
        Classifier.load(several, uma8, features)


def test_a_recurrent_filter_for_other_classes_is_refused(uma8, several):
    shutil.copy(several, filter_file(several))
    sha256 = hashlib.sha256(several.read_bytes()).hexdigest()
    config = RecurrentFilterConfig(sha256)
    save_card(replace(load_card(several), recurrent_filter=config), several)
    classifier = Classifier.load(several, uma8, load_card(several).features)
    with pytest.raises(ModelError, match='does not suit 72 azimuths'):
        classifier.source_filter()


def test_card_that_is_not_yaml(uma8, network):
    network.with_suffix('.yaml').write_text('format: [1')
    assert 'not valid YAML' in _refused(network, uma8)


def test_network_with_other_sizes_than_its_card(uma8, network, change_card):
    change_card(azimuth_classes=36)
    assert 'its outputs do not have the sizes its card promises' in _refused(network, uma8)


def test_network_with_fewer_outputs_than_its_card(uma8, network, change_card):
    change_card(outputs=['azimuth'])
    assert 'its outputs do not have the sizes' in _refused(network, uma8)


def test_network_with_another_input_than_its_card(uma8, network, change_card):
    features = replace(_FEATURES, lag_count=15)
    change_card(features=features.to_mapping())
    message = _refused(network, uma8, features)
    assert 'input of shape (13, 15), but its card promises (15, 15)' in message


# --- the shipped models ---------------------------------------------------------------


@pytest.fixture(scope='module')
def sounds(uma8, plane_wave):
    """Return speech-like sources in diffuse noise, one per azimuth; elevation 0.35."""
    rng = np.random.default_rng(1)
    field = DiffuseField(uma8.positions, 48000, 343.0).mix(rng.standard_normal((6, 144_000))).T
    time = np.arange(144_000) / 48000
    syllables = np.where(time > 1.5, np.maximum(0, np.sin(2 * np.pi * 3 * time)), 0)[:, None]
    # Speech falls towards high frequencies.
    slope = signal.butter(1, 800, fs=48000)
    sources = [
        plane_wave(uma8, azimuth, 0.35, duration=3.0, seed=number)
        for number, azimuth in enumerate(_AZIMUTHS)
    ]
    return [
        signal.lfilter(*slope, source * syllables + 0.001 * field, axis=0) for source in sources
    ]


@pytest.fixture
def shipped(uma8, sounds, extract):
    """Return a function from a name to the classifier and its features of every sound."""

    def load(name):
        path = find_resource('models', name)
        features = load_card(path).features
        heard = [[f.features for f in extract(uma8, sound, features)[36::3]] for sound in sounds]
        return Classifier.load(path, uma8, features), heard

    return load


@pytest.mark.parametrize('name', _SHIPPED)
def test_shipped_model_fits_the_shipped_array_and_finds_sources(shipped, name):
    classifier, heard = shipped(name)
    errors, heights = [], []
    for azimuth, windows in zip(_AZIMUTHS, heard, strict=True):
        for gcc in windows:
            spectrum = classifier.spectrum(gcc)
            found = decode_azimuth(spectrum.azimuth)[0]
            errors.append(abs(wrap_angle(found - azimuth)))
            if spectrum.elevation is not None:
                heights.append(spectrum.elevation_at(found)[0] - 0.35)
    assert np.degrees(np.median(errors)) < 3
    assert np.degrees(np.max(errors)) < 12
    assert np.degrees(np.abs(np.median(heights or 0.0))) < 12


def test_int8_and_float32_agree(shipped):
    int8, heard = shipped('uma8_reference_int8')
    float32, _ = shipped('uma8_reference_float32')
    differences, angles = [], []
    for gcc in (gcc for windows in heard for gcc in windows):
        rounded, exact = int8.spectrum(gcc), float32.spectrum(gcc)
        # A probability in steps of 1/256 is wrong by half a step, 36 of them by a few.
        assert rounded.azimuth.sum() == pytest.approx(1, abs=0.03)
        differences.append(np.abs(rounded.azimuth - exact.azimuth).max())
        one, other = decode_azimuth(rounded.azimuth), decode_azimuth(exact.azimuth)
        if min(one[2], other[2]) >= 0.5:  # Only what is sure enough is answered.
            angles.append(math.degrees(abs(wrap_angle(one[0] - other[0]))))
    # Between two classes the share of each may move, the azimuth of both hardly does.
    assert np.median(differences) < 0.05
    assert max(differences) < 0.3
    assert len(angles) > 0.8 * len(differences)
    assert np.percentile(angles, 95) < 2
    assert max(angles) < 10
