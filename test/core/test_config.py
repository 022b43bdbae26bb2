# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Typed settings: types, bounds, unknown names and messages."""

from dataclasses import FrozenInstanceError, dataclass, fields
import math

from hypothesis import given
from hypothesis import strategies as st
import pytest

from doa_ros.core.config import Config, load_yaml, require_keys, setting, suggestion
from doa_ros.core.errors import ConfigError
from doa_ros.core.features.config import FeatureConfig
from doa_ros.core.localization.localizer import LocalizerConfig
from doa_ros.simulation.scene import SceneConfig


@dataclass(frozen=True)
class _Oven(Config):
    heat: float = setting(180.0, 'Temperature [C].', minimum=50.0, maximum=250.0)
    trays: int = setting(1, 'Number of trays.', minimum=1)
    mode: str = setting('fan', 'Way of heating.', choices=('fan', 'grill'))
    light: bool = setting(False, 'Whether the light is on.')


def test_defaults_and_mapping_round_trip():
    assert _Oven().to_mapping() == {'heat': 180.0, 'trays': 1, 'mode': 'fan', 'light': False}
    assert _Oven.from_mapping(_Oven(trays=2).to_mapping(), 'here') == _Oven(trays=2)
    assert _Oven.from_mapping({}, 'here') == _Oven()


def test_whole_numbers_serve_as_floats_but_not_the_other_way():
    heat = _Oven(heat=200).heat
    assert heat == 200
    assert isinstance(heat, float)
    with pytest.raises(ConfigError, match='trays must be a whole number, not 1.0'):
        _Oven(trays=1.0)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'heat': 300.0}, 'heat must be at most 250.0, not 300.0'),
        ({'heat': 20}, 'heat must be at least 50.0, not 20.0'),
        ({'heat': math.nan}, 'heat must be finite, not nan'),
        ({'heat': math.inf}, 'heat must be finite, not inf'),
        ({'heat': '200'}, "heat must be a number, not '200'"),
        ({'heat': True}, 'heat must be a number, not True'),
        ({'heat': None}, 'heat must be a number, not None'),
        ({'heat': 10**400}, 'heat'),
        ({'trays': True}, 'trays must be a whole number, not True'),
        ({'mode': 'steam'}, "mode must be one of fan, grill, not 'steam'"),
        ({'mode': ['fan']}, 'mode must be text'),
        ({'light': 1}, 'light must be true or false, not 1'),
        ({'colour': 'red'}, r'unknown colour \(known: heat, light, mode, trays\)'),
        ({1: 2}, 'unknown 1'),
    ],
)
def test_wrong_setting_is_refused_with_its_place(settings, message):
    with pytest.raises(ConfigError, match=message) as error:
        _Oven.from_mapping(settings, 'kitchen.yaml')
    assert str(error.value).startswith('kitchen.yaml: ')


@pytest.mark.parametrize('mapping', [None, 3, ['heat'], 'heat'])
def test_settings_must_be_a_mapping(mapping):
    with pytest.raises(ConfigError, match='kitchen.yaml: must be a mapping'):
        _Oven.from_mapping(mapping, 'kitchen.yaml')


def test_frozen():
    with pytest.raises(FrozenInstanceError):
        _Oven().heat = 200.0


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in fields(FeatureConfig)]) | st.text(max_size=3),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        max_size=4,
    )
)
def test_any_mapping_makes_settings_or_a_config_error(mapping):
    try:
        config = FeatureConfig.from_mapping(mapping, 'here')
    except ConfigError as error:
        assert str(error).startswith('here: ')
    else:
        assert config.hop <= config.window
        assert FeatureConfig.from_mapping(config.to_mapping(), 'here') == config


@pytest.mark.parametrize('kind', [FeatureConfig, LocalizerConfig, SceneConfig])
def test_every_setting_is_documented_and_its_default_allowed(kind):
    assert kind() == kind(**kind().to_mapping())
    for field in fields(kind):
        assert field.metadata['description'].endswith('.'), field.name
        if isinstance(field.default, float | int) and not isinstance(field.default, bool):
            assert field.metadata['minimum'] is not None, field.name
            assert field.metadata['maximum'] is not None, field.name


def test_require_keys():
    require_keys({'a': 1, 'b': 2}, 'here', required={'a'}, optional={'b', 'c'})
    with pytest.raises(ConfigError, match='^here: missing a, b$'):
        require_keys({'c': 1}, 'here', required={'b', 'a'}, optional={'c'})
    with pytest.raises(ConfigError, match=r'^here: unknown c, d \(known: a\)$'):
        require_keys({'a': 1, 'd': 2, 'c': 3}, 'here', required={'a'})
    with pytest.raises(ConfigError, match='^here: old is called new now$'):
        require_keys({'old': 1, 'c': 3}, 'here', optional={'new'}, renamed={'old': 'new'})


def test_nearest_known_name():
    known = {'source', 'scene', 'sensitivity'}
    assert suggestion('sorce', known) == '; do you mean source?'
    assert suggestion('sensitivty', known) == '; do you mean sensitivity?'
    assert suggestion('colour', known) == ''


def test_load_yaml_reads_utf_8(tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text('name: Küche  # ø\n', encoding='utf-8')
    assert load_yaml(path) == {'name': 'Küche'}


def test_load_yaml_runs_no_code(tmp_path):
    marker = tmp_path / 'marker'
    path = tmp_path / 'a.yaml'
    path.write_text(f'a: !!python/object/apply:os.mkdir ["{marker}"]')
    with pytest.raises(ConfigError, match='not valid YAML'):
        load_yaml(path)
    assert not marker.exists()
