# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Search a network for the data, then train it.

Writes OUT/architecture.yaml, the network found, OUT/settings.yaml, with which `train` takes it,
and OUT/run, the network trained. Run again after an interruption, it goes on.

  optuna  tries networks one by one: error on the val split after a few epochs against the latency
          of the int8 model in the interpreter. Processes or machines that see OUT can help with
          --join OUT: its study is the file journal.log. Also writes trials.csv, pareto.png and
          architecture_N.yaml of each network that no other one beats in both; the fastest within
          0.5 points of the best is taken.
  darts   trains a mixture of operations in each cell and how they mix at the same time, then
          keeps the strongest convolution of each cell. Also writes mixing.csv and mixing.png, the
          probabilities over the epochs.
"""

import argparse
from pathlib import Path

from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.trained_array import ANY_ARRAY

from .models.architectures import describe_architecture
from .runs import is_finished
from .search_methods import darts, optuna_trials
from .sections import TrainConfig
from .settings import Settings, find_settings, load_settings
from .train import train

_METHODS = {'optuna': optuna_trials.search, 'darts': darts.search}


def search(settings: Settings, *, method: str, data: Path, out: Path) -> None:
    """Search a network, then train what was found.

    Args:
        settings: of the search and of the training; whichever network they name, another one is
            looked for.
        method: 'optuna' or 'darts'.
        data: folder made by simulate.
        out: folder of the result.

    Raises:
        ConfigError: the folder holds a search with other settings, the method is not for them, or
            no network was found.
        DivergedError: a loss is not finite.
    """
    if settings.any_array and method == 'optuna':
        raise ConfigError(
            f'method optuna tries networks on taps, too, and with array {ANY_ARRAY} there are '
            'maps alone; use darts'
        )
    settings = settings.with_architecture(TrainConfig.architecture)
    out.mkdir(parents=True, exist_ok=True)
    stored, found = out / 'settings.yaml', out / 'architecture.yaml'
    if stored.exists() and _decisive(load_settings(stored)) != _decisive(settings):
        raise ConfigError(f'{out}: a search with other settings; use another folder')
    # The network found is the last thing that a search leaves.
    if not found.exists():
        settings.save(stored)
        _METHODS[method](settings, data, out)
    settings = settings.with_architecture(str(found))
    settings.save(stored)
    print(f'{found}: {describe_architecture(str(found))}')
    if not is_finished(out / 'run'):
        train(settings, data=data, out=out / 'run')


def join(out: Path, *, data: Path) -> None:
    """Try networks for a search of method 'optuna' that runs elsewhere.

    Args:
        out: folder of that search.
        data: folder made by simulate.

    Raises:
        ConfigError: no search runs there.
    """
    optuna_trials.join(out, load_settings(out / 'settings.yaml'), data)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--method', choices=_METHODS, required=True)
    parser.add_argument('--settings', default='uma8_reference', help='name or path')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument('--out', type=Path, help='folder of the result')
    target.add_argument(
        '--join', type=Path, metavar='OUT', help='optuna: try networks for a search that runs'
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    if args.join is None:
        search(find_settings(args.settings), method=args.method, data=args.data, out=args.out)
    elif args.method == 'optuna':
        join(args.join, data=args.data)
    else:
        raise ConfigError('--join: only a search of --method optuna can be shared')


def _decisive(settings: Settings) -> Settings:
    """Return what decides the result of a search on given data."""
    names = ('array', 'features', 'data_features', 'train', 'search')
    chosen = settings.with_architecture('')
    return Settings(**{name: getattr(chosen, name) for name in names})
