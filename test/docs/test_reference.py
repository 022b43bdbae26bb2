# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the reference are those of the code."""

from dataclasses import dataclass
import importlib.util
from pathlib import Path

from geometry_msgs.msg import Vector3Stamped
import pytest

from doa_ros.core.config import Config, setting
from doa_ros.core.errors import ConfigError
from doa_ros.launching.arguments import launch_arguments
from doa_ros.nodes.configs import NODES
from doa_ros.nodes.topics import TOPICS, PublishedTopic

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = _ROOT / 'docs' / 'reference'
_PAGES = sorted(_REFERENCE.rglob('*.md'))


@pytest.fixture(scope='module')
def tables():
    """The module that writes the tables."""
    spec = importlib.util.spec_from_file_location('reference_tables', _REFERENCE / 'tables.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('page', _PAGES, ids=lambda path: path.stem)
def test_tables_are_those_of_today(tables, page):
    text = page.read_text(encoding='utf-8')
    assert tables.with_tables(text) == text, 'run docs/reference/tables.py'


def test_everything_has_its_table():
    text = '\n'.join(page.read_text(encoding='utf-8') for page in _PAGES)
    packages = {path.parent for path in (_ROOT / 'doa_ros' / 'core').rglob('*.py')}
    names = [f'parameters/{node}' for node in NODES]
    names += [f'message/{path.stem}' for path in (_ROOT / 'msg').iterdir()]
    names += [f'modules/{".".join(path.relative_to(_ROOT).parts)}' for path in packages]
    assert len(names) > 15
    assert [n for n in [*names, 'topics', 'launch'] if f'<!-- table: {n} -->' not in text] == []


def test_a_table_that_nobody_makes_is_an_error(tables):
    with pytest.raises(ConfigError, match='no table parameters/nobody'):
        tables.with_tables('<!-- table: parameters/nobody -->\n<!-- end of table -->')


def test_a_parameter_has_a_row(tables, monkeypatch):
    @dataclass(frozen=True)
    class HornConfig(Config):
        volume: float = setting(0.5, 'How loud.', minimum=0.0, maximum=2.5, dynamic=True)
        tune: str = setting('a', 'Which one.', choices=('a', 'b'))
        name: str = setting('', 'Of the horn.')

    monkeypatch.setitem(NODES, 'horn', {'horn': HornConfig})
    assert tables.parameters('horn').splitlines()[2:] == [
        '| `horn.volume` | `0.5` | 0 to 2.5 | *live*: How loud. |',
        '| `horn.tune` | `a` | `a`, `b` | Which one. |',
        '| `horn.name` |  | text | Of the horn. |',
    ]


def test_a_topic_has_a_row(tables, monkeypatch):
    wind = PublishedTopic('wind', Vector3Stamped, 'how strong it is')
    monkeypatch.setitem(TOPICS, 'weather', (wind,))
    row = '| `wind` | geometry_msgs/Vector3Stamped | weather | how strong it is |'
    assert tables.topics().splitlines()[-1] == row
    assert '[doa_ros/GccPhat](messages.md#gccphat)' in tables.topics()


def test_a_message_has_its_sentences_and_fields(tables, tmp_path):
    path = tmp_path / 'Rain.msg'
    path.write_text("""# How it rains.
#
# Not meant for snow.

# Values of kind.
uint8 DRIZZLE=0  # hardly
uint8 kind

# Where it rains [m],
# a * b.
float64 x
float64 y
""")
    assert tables.message(path).splitlines() == [
        'How it rains.',
        '',
        'Not meant for snow.',
        '',
        '| field | type |  |',
        '| --- | --- | --- |',
        '| `kind` | uint8 | Values of kind. |',
        '| `DRIZZLE=0` | uint8 | hardly |',
        '| `x`, `y` | float64 | Where it rains [m], a \\* b. |',
    ]


def test_every_argument_of_the_launch_has_a_row(tables):
    rows = tables.launch().splitlines()[2:]
    assert [row.split('`')[1] for row in rows] == [a.name for a in launch_arguments()]
    assert not any(str(_ROOT) in row for row in rows)
