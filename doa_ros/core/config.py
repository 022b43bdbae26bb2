# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Typed frozen configurations: one declaration holds type, default, description and bounds.

The nodes turn the same declarations into ROS parameters (`doa_ros.parameters`).
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
import dataclasses
import difflib
import math
from pathlib import Path
import reprlib
import stat
from typing import Any, ClassVar, Self

import yaml

from doa_ros.core.errors import ConfigError

_MAX_YAML_BYTES = 1 << 20
# Values in a YAML file, those that aliases repeat included; a long one counts as several.
_MAX_YAML_NODES = 50_000
# Longer values are no settings, and some take PyYAML minutes.
_MAX_YAML_SCALAR = 10_000
# From this length on, a value is long.
_LONG_SCALAR = 64
# Names that an error message lists.
_MOST_NAMES = 10
# Most characters of a library's message that are passed on: it may hold a whole value.
_MOST_TEXT = 200

# What a value of a type is, for people who write YAML.
_KINDS = {
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number',
    str: 'text (in quotes where it is a number)',
}

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _LONG_SCALAR

short = _repr.repr
"""Returns a value as Python would write it, cut to what a sentence can hold."""


def setting(default, description, *, minimum=None, maximum=None, choices=None, dynamic=False):
    """Return a dataclass field that carries its own documentation and bounds.

    Args:
        default: value when nothing is configured.
        description: one sentence, with the unit in [ ].
        minimum, maximum: inclusive bounds of a number.
        choices: the allowed strings.
        dynamic: whether a node accepts a new value while it runs.
    """
    metadata = {
        'description': description,
        'minimum': minimum,
        'maximum': maximum,
        'choices': choices,
        'dynamic': dynamic,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of frozen dataclasses built from `setting` fields; validates when it is built.

    Attributes:
        RENAMED: today's names of settings by those that they had before; old ones are refused.
    """

    RENAMED: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = check_setting(field, getattr(self, field.name))
            object.__setattr__(self, field.name, value)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], where: str) -> Self:
        """Build from a parsed YAML mapping.

        Raises:
            ConfigError: an unknown key or a value out of bounds; the message starts with `where`.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        require_keys(mapping, where, optional=names, renamed=cls.RENAMED)
        try:
            return cls(**mapping)
        except ConfigError as error:
            raise ConfigError(f'{where}: {error}') from None

    def to_mapping(self) -> dict[str, Any]:
        """Return the settings as a plain dictionary."""
        return dataclasses.asdict(self)


def check_setting(field: dataclasses.Field[Any], value: Any) -> Any:
    """Return `value` as the type of the field.

    Raises:
        ConfigError: wrong type, not finite, out of bounds or not among the choices.
    """
    kind: type = type(field.default)
    if kind is float and type(value) is int:
        with suppress(OverflowError):
            value = float(value)
    if type(value) is not kind:
        wanted = _KINDS.get(kind, f'of type {kind.__name__}')
        raise ConfigError(f'{field.name} must be {wanted}, not {short(value)}')
    rules = field.metadata
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f'{field.name} must be finite, not {value}')
    if rules['minimum'] is not None and value < rules['minimum']:
        raise ConfigError(f'{field.name} must be at least {rules["minimum"]}, not {value}')
    if rules['maximum'] is not None and value > rules['maximum']:
        raise ConfigError(f'{field.name} must be at most {rules["maximum"]}, not {value}')
    if rules['choices'] is not None and value not in rules['choices']:
        choices = ', '.join(rules['choices'])
        raise ConfigError(f'{field.name} must be one of {choices}, not {short(value)}')
    return value


def error_text(error: BaseException) -> str:
    """Return the message of an error of another library, on one line that a sentence can hold."""
    text = ' '.join(str(error).split())
    return text if len(text) <= _MOST_TEXT else f'{text[:_MOST_TEXT]} ...'


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a question after the known name that was probably meant, or nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return f'; do you mean {found[0]}?' if found else ''


def _listed(names) -> str:
    """Return names for a sentence: some of them where there are many."""
    plain = str.isprintable
    names = [n if plain(n) and len(n) <= _LONG_SCALAR else short(n) for n in sorted(names)]
    return ', '.join(names[:_MOST_NAMES]) + (' ...' if len(names) > _MOST_NAMES else '')


class _Loader(yaml.SafeLoader):
    """The safe loader; what aliases and long values make out of a small file is bounded."""

    def __init__(self, stream):
        super().__init__(stream)
        self._count = 0
        # Of each node that is complete, by id, with all below it.
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent, index):
        before, alias = self._count, self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if not alias:
            self._count += 1 + _length(node) // _LONG_SCALAR
            self._sizes[id(node)] = self._count - before
        elif id(node) in self._sizes:
            self._count += self._sizes[id(node)]
        else:
            raise yaml.YAMLError('a value that contains itself')
        if self._count > _MAX_YAML_NODES:
            raise yaml.YAMLError(f'more than {_MAX_YAML_NODES} values')
        if _length(node) > _MAX_YAML_SCALAR:
            raise yaml.YAMLError(f'a value of more than {_MAX_YAML_SCALAR} characters')
        return node


def _length(node) -> int:
    return len(node.value) if isinstance(node, yaml.ScalarNode) else 0


def load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, read with the safe loader.

    Raises:
        ConfigError: the file is missing, too large, too intricate, not YAML or not a mapping.
    """
    try:
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):
            raise ConfigError(f'{path}: is a device or a pipe, not a settings file')
        if status.st_size > _MAX_YAML_BYTES:
            raise ConfigError(f'{path}: larger than {_MAX_YAML_BYTES} bytes, not a settings file')
        content = yaml.load(path.read_text(encoding='utf-8'), Loader=_Loader)
    except OSError as error:
        raise ConfigError(f'{path}: cannot be read ({error.strerror})') from None
    # PyYAML lets out whatever int(), datetime() and others say about a malformed value.
    except (yaml.YAMLError, ValueError, AttributeError, LookupError, RecursionError) as error:
        raise ConfigError(f'{path}: not valid YAML: {error_text(error)}') from None
    if not isinstance(content, dict):
        raise ConfigError(f'{path}: must hold a mapping of names to values')
    return content


def require_keys(
    mapping: Any,
    where: str,
    *,
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> None:
    """Check the keys of a parsed mapping.

    Args:
        mapping: what was parsed.
        where: what an error message begins with.
        required, optional: the known keys.
        renamed: today's names of keys by those that they had before.

    Raises:
        ConfigError: not a mapping, a required key is missing, or a key is unknown or has another
            name today.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(f'{where}: must be a mapping, not {short(mapping)}')
    for old, new in (renamed or {}).items():
        if old in mapping:
            raise ConfigError(f'{where}: {old} is called {new} now')
    required, known = set(required), {*required, *optional}
    missing = required - set(mapping)
    if missing:
        raise ConfigError(f'{where}: missing {", ".join(sorted(missing))}')
    unknown = {str(key) for key in mapping} - known
    if unknown:
        names = ', '.join(sorted(known))
        raise ConfigError(f'{where}: unknown {_listed(unknown)} (known: {names})')
