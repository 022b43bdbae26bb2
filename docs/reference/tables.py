#!/usr/bin/env python3
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the tables of the pages in this folder, from the code: `make docs` does.

A table stands between two lines, `<!-- table: NAME -->` and `<!-- end of table -->`. So do the
sections of the API.
"""

from collections.abc import Iterable, Iterator
from dataclasses import Field
from pathlib import Path
import re
import sys
from typing import Any

from doa_ros.core.errors import ConfigError
from doa_ros.launching.arguments import launch_arguments
from doa_ros.nodes.configs import NODES, settings
from doa_ros.nodes.topics import TOPICS
from doa_ros.nodes.usage import feature_defaults
from doa_ros.resources import config_directory

FOLDER = Path(__file__).resolve().parent
_ROOT = FOLDER.parents[1]
_TABLE = re.compile(r'(<!-- table: (\S+) -->\n).*?(<!-- end of table -->)', re.DOTALL)


def main() -> int:
    """Write all tables into the pages."""
    for page in sorted(FOLDER.rglob('*.md')):
        before = page.read_text(encoding='utf-8')
        after = with_tables(before)
        if after != before:
            page.write_text(after, encoding='utf-8')
            print(f'tables of {page.relative_to(_ROOT)} written')
    return 0


def with_tables(page: str) -> str:
    """Return the text of a page with the tables as they are today.

    Raises:
        ConfigError: a table is named that there is not.
    """
    return _TABLE.sub(lambda found: f'{found[1]}\n{_table(found[2])}\n\n{found[3]}', page)


def _table(name: str) -> str:
    kind, _, what = name.partition('/')
    if kind == 'topics':
        return topics()
    if kind == 'launch':
        return launch()
    if kind == 'parameters' and what in NODES:
        return parameters(what)
    if kind == 'modules' and (folder := _ROOT / what.replace('.', '/')).is_dir():
        return modules(folder)
    if kind == 'message' and (path := _ROOT / 'msg' / f'{what}.msg').exists():
        return message(path)
    raise ConfigError(f'there is no table {name}')


def topics() -> str:
    """Return the table of what the nodes publish."""
    return _written(
        ['topic', 'type', 'published by', ''],
        (
            [f'`{topic.name}`', type_name(topic.message_type), node, topic.description]
            for node, published in TOPICS.items()
            for topic in published
        ),
    )


def type_name(message_type: type) -> str:
    """Return the name of a message type as package/Name; ours link to their fields."""
    package, *_ = message_type.__module__.split('.')
    name = message_type.__name__
    anchor = f'(messages.md#{name.lower()})' if package == 'doa_ros' else ''
    return f'[{package}/{name}]{anchor}' if anchor else f'{package}/{name}'


def parameters(node: str) -> str:
    """Return the table of the parameters of a node."""
    defaults = feature_defaults()
    return _written(
        ['parameter', 'default', 'values', ''],
        (
            [
                f'`{name}`',
                _code(defaults.get(name, field.default)),
                _values(field),
                ('*live*: ' if field.metadata['dynamic'] else '') + field.metadata['description'],
            ]
            for name, field in settings([node]).items()
        ),
    )


def _values(field: Field[Any]) -> str:
    rules = field.metadata
    if rules['choices'] is not None:
        return ', '.join(_code(choice) for choice in rules['choices'])
    if rules['minimum'] is not None:
        return f'{rules["minimum"]:g} to {rules["maximum"]:g}'
    return 'true, false' if isinstance(field.default, bool) else 'text'


def launch() -> str:
    """Return the table of the arguments of the launch file."""
    return _written(
        ['argument', 'default', 'values', ''],
        (
            [
                f'`{argument.name}`',
                _code(argument.default),
                ', '.join(_code(choice) for choice in argument.choices or ()),
                argument.description.replace(str(config_directory()), 'config'),
            ]
            for argument in launch_arguments()
        ),
    )


def message(path: Path) -> str:
    """Return what a message means, and the table of its fields."""
    paragraphs, rows = [], []
    # Paragraphs of the comment before the first field are groups without one.
    for group in re.split(r'\n(?:#?\n)+', path.read_text(encoding='utf-8').strip()):
        comment, fields = _plain(group), list(_fields(group))
        if not fields:
            paragraphs.append(comment)
        alike = [(kind, name) for kind, name, said in fields if not said]
        if alike:
            kinds, names = (list(dict.fromkeys(cells)) for cells in zip(*alike, strict=True))
            rows.append([', '.join(map(_code, names)), ', '.join(kinds), comment])
        rows += [[_code(name), kind, said] for kind, name, said in fields if said]
    return '\n\n'.join([*paragraphs, _written(['field', 'type', ''], rows)])


def modules(folder: Path) -> str:
    """Return a section per module of a package, which Sphinx fills from the docstrings."""
    dotted = '.'.join(folder.relative_to(_ROOT).parts)
    names = [f'{dotted}.{path.stem}' for path in sorted(folder.glob('*.py'))]
    return '\n\n'.join(
        f'## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```'
        for name in (name.removesuffix('.__init__') for name in names)
    )


def _plain(group: str) -> str:
    """Return the comment lines of a group of lines, as Markdown."""
    lines = [line[1:].strip() for line in group.splitlines() if line.startswith('#')]
    return _escaped(re.sub(r'\s+', ' ', ' '.join(lines)))


def _fields(group: str) -> Iterator[tuple[str, str, str]]:
    """Yield type, name and comment at the end of the line of each field in a group of lines."""
    for line in group.splitlines():
        if line and not line.startswith('#'):
            declaration, _, said = line.partition('#')
            kind, name = declaration.split(maxsplit=1)
            yield kind, name.strip(), _escaped(said.strip())


def _escaped(text: str) -> str:
    return re.sub(r'([*|<])', r'\\\1', text)


def _code(value: Any) -> str:
    """Return a value as `-p NAME:=VALUE` takes it, as code."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'`{text}`' if text else ''


def _written(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(row)} |' for row in lines)


if __name__ == '__main__':
    sys.exit(main())
