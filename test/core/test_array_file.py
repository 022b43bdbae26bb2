# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Array files are read, or refused with a sentence that names file and fault."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import yaml

from doa_ros.core.array_file import load_array
from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import MicArray
from doa_ros.resources import find_resource


def _content() -> dict:
    return yaml.safe_load(find_resource('arrays', 'uma8').read_text())


def _changed(change) -> str:
    content = _content()
    change(content)
    return yaml.safe_dump(content)


def _set(key, value):
    return lambda content: content.update({key: value})


def _set_microphone(key, value):
    return lambda content: content['microphones'][2].update({key: value})


def _scale(content):
    for microphone in content['microphones']:
        microphone['position'] = [100 * x for x in microphone['position']]


_WRONG = {
    'missing key': (lambda c: c.pop('channel_count'), 'missing channel_count'),
    'unknown key': (_set('colour', 'red'), 'unknown colour'),
    'key of a microphone missing': (lambda c: c['microphones'][4].pop('label'),
                                    'microphone 4: missing label'),
    'unknown key of a microphone': (_set_microphone('gain', 2), 'microphone 2: unknown gain'),
    'microphone not a mapping': (_set('microphones', [1, 2]), 'microphone 0: must be a mapping'),
    'microphones not a list': (_set('microphones', {'a': 1}), 'microphones must be a list'),
    'no microphones': (_set('microphones', []), 'at least two microphones'),
    'one microphone': (lambda c: c.update(microphones=c['microphones'][:1]),
                       'at least two microphones'),
    'coincident': (_set_microphone('position', [0.0, -0.0430, 0.0]), 'ring_1 and ring_3 coincide'),
    'same label': (_set_microphone('label', 'ring_1'), 'labels must be unique'),
    'channel too large': (_set_microphone('channel', 8),
                          r'channels must lie in 0\.\.7 .* that of microphone ring_3 is 8$'),
    'channel negative': (_set_microphone('channel', -1), 'that of microphone ring_3 is -1$'),
    'channel not whole': (_set_microphone('channel', 1.5),
                          "microphone 'ring_3': channel must be a whole number, not 1.5$"),
    'channel yes': (_set_microphone('channel', True), 'channel must be a whole number, not True$'),
    'same channel': (_set_microphone('channel', 1), 'ring_1 and ring_3 use the same channel 1$'),
    'NaN': (_set_microphone('position', [math.nan, 0, 0]),
            'position of microphone ring_3 must be finite'),
    'infinite': (_set_microphone('position', [math.inf, 0, 0]), 'must be finite'),
    'two coordinates': (
        _set_microphone('position', [0.1, 0.1]),
        r"microphone 'ring_3': position must be \[x, y, z\] in metres, not \[0\.1, 0\.1\]"),
    'a coordinate': (_set_microphone('position', 0.1), r'\[x, y, z\] in metres, not 0\.1'),
    'lists in lists': (_set_microphone('position', [[0.1], 0, 0]),
                       r"'ring_3': position must be a number, not \[0\.1\]"),
    'words': (_set_microphone('position', ['here', 0, 0]),
              "'ring_3': position must be a number without a unit, not 'here'"),
    'beyond floats': (_set_microphone('position', [10**400, 0, 0]), 'too large'),
    'centimetres': (_scale, 'microphone ring_1 lies beyond 1 m; are positions in metres'),
    'mounting': (_set('mounting', 'upside_down'), 'mounting must be face_up or face_down'),
    'mounting list': (_set('mounting', ['face_up']), 'mounting must be face_up or face_down'),
    'rotation': (_set('rotation_deg', 400), r'rotation_deg must lie in -360\.\.360'),
    'rotation NaN': (_set('rotation_deg', math.nan), 'rotation_deg must lie in'),
    'rotation as text': (_set('rotation_deg', 'left'), "rotation_deg must be a number .* 'left'"),
    'rotation with a unit': (_set('rotation_deg', '90°'),
                             "rotation_deg must be a number without a unit, not '90°'"),
    'unused not a list': (_set('unused_channels', 7), 'unused_channels must be a list'),
    'unused without channel': (_set('unused_channels', [{'label': 'a'}]), 'missing channel'),
    'unused no mapping': (_set('unused_channels', [7]), 'unused channel 0: must be a mapping'),
    'factory without advice': (_set('factory_firmware', {'channels': 2}), 'missing advice'),
    'factory no mapping': (_set('factory_firmware', 2), 'factory_firmware: must be a mapping'),
    'factory with all channels': (
        _set('factory_firmware', {'channels': 8, 'advice': 'flash it'}),
        'channels of the factory_firmware must be fewer than channel_count'),
    'factory no number': (
        _set('factory_firmware', {'channels': 'two', 'advice': 'flash it'}),
        'factory_firmware: channels'),
    'silent microphone': (
        _set('unused_channels', [{'label': 'a', 'channel': 1, 'silent': True}]),
        'silent channel 1 is a microphone'),
    'rate too low': (_set('sampling_frequency', 48), r'8000\.\.384000 Hz'),
    'rate as text': (_set('sampling_frequency', '48 kHz'),
                     "sampling_frequency must be a whole number, not '48 kHz'$"),
    'rate that YAML reads as text': (_set('sampling_frequency', '48e3'),
                                     "sampling_frequency .*, not '48e3'; write 48000"),
    'count as text': (_set('channel_count', 'eight'), 'channel_count must be a whole number'),
    'speed of sound': (_set('speed_of_sound', 34300), r'300\.\.400 m/s'),
    'speed of sound NaN': (_set('speed_of_sound', math.nan), r'300\.\.400 m/s'),
    'speed of sound None': (_set('speed_of_sound', None), 'speed_of_sound must be a number'),
    'speed of sound beyond floats': (_set('speed_of_sound', 10**400), 'too large'),
}  # fmt: skip


@pytest.mark.parametrize('case', _WRONG)
def test_wrong_array_file_names_file_and_fault(tmp_path, case):
    change, message = _WRONG[case]
    path = tmp_path / 'wrong.yaml'
    path.write_text(_changed(change))
    with pytest.raises(ConfigError, match=message) as error:
        load_array(path)
    assert str(error.value).startswith(str(path))


_NOT_YAML = {
    'unclosed': b'name: [uma8',
    'tab': b'name:\n\t- 1',
    'not text': b'\xff\xfe\x00\x01',
    'control character': b'name: \x07',
    'two documents': b'a: 1\n---\nb: 2',
    'python object': b'!!python/object/apply:os.getcwd []',
    'impossible date': b'name: 2024-13-45',
    'empty number': b'name: 0b_',
    'wrong tag': b'name: !!bool maybe',
    'wrong timestamp': b'name: !!timestamp soon',
    'empty int': b"name: !!int ''",
    'endless number': b'name: ' + b'9' * 5000,
    'deep': b'[' * 2000,
}


@pytest.mark.parametrize('case', _NOT_YAML)
def test_array_file_that_is_not_yaml(tmp_path, case):
    path = tmp_path / 'wrong.yaml'
    path.write_bytes(_NOT_YAML[case])
    with pytest.raises(ConfigError, match='not valid YAML') as error:
        load_array(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize('text', ['', '3', '- a\n- b', 'uma8'])
def test_array_file_that_is_no_mapping(tmp_path, text):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match='must hold a mapping'):
        load_array(path)


def test_array_file_too_large_is_not_read(tmp_path):
    path = tmp_path / 'wrong.yaml'
    path.write_text('#' * (1 << 20) + _changed(lambda content: None))
    with pytest.raises(ConfigError, match='larger than'):
        load_array(path)


def test_array_file_missing_or_a_folder(tmp_path):
    with pytest.raises(ConfigError, match='No such file'):
        load_array(tmp_path / 'none.yaml')
    with pytest.raises(ConfigError, match='directory'):
        load_array(tmp_path)


def test_array_file_optional_keys(tmp_path):
    path = tmp_path / 'array.yaml'
    path.write_text(
        _changed(lambda c: [c.pop(k) for k in ('mounting', 'speed_of_sound', 'description')])
    )
    array = load_array(path)
    assert not array.face_down
    assert array.speed_of_sound == 343
    assert array.device == 'micArray'
    assert array.rotation == 0
    path.write_text(
        _changed(lambda c: c.update(mounting='face_down', rotation_deg=60, device=None))
    )
    array = load_array(path)
    assert array.face_down
    assert array.rotation == pytest.approx(math.radians(60))
    assert array.device == ''


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | st.just(10**400)
    | st.binary(max_size=3)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=100)
@given(data=st.data())
def test_fuzzed_array_file_is_refused_politely(tmp_path_factory, data):
    content = _content()
    places = [content, *content['microphones']]
    places += [m['position'] for m in content['microphones']]
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places))
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else [0, 1, 2]))
        place[key] = data.draw(_VALUES)
    path = tmp_path_factory.getbasetemp() / 'fuzz.yaml'
    path.write_text(yaml.safe_dump(content))
    _load_or_refuse(path)


@settings(max_examples=100)
@given(st.text(alphabet='[]{}:-!&*|>%@`"\'#,?0b_x.e+ \n\tay1', max_size=40) | st.binary())
def test_fuzzed_bytes_are_refused_politely(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / 'fuzz.yaml'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError):
        load_array(path)


def _load_or_refuse(path):
    try:
        array = load_array(path)
    except ConfigError as error:
        assert str(error).startswith(str(path))
    else:
        assert isinstance(array, MicArray)
        assert np.isfinite(array.positions).all()
