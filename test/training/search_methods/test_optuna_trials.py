# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv
from dataclasses import replace
import threading

import optuna
import pytest

from doa_ros.core.errors import ConfigError
from training.models.architectures import CIRCULAR, REFERENCE
from training.models.blocks import load_network
from training.search_methods import optuna_trials as search_optuna
from training.search_methods.optuna_trials import choose, join, propose, search
from training.sections import SearchConfig
from training.settings import Settings

SETTINGS = Settings('uma8', search=SearchConfig(trials=8))


@pytest.fixture
def measured(monkeypatch):
    """Let trials measure nothing: an error that falls as the latency grows."""
    networks = []

    class Objective:
        def __init__(self, settings, data):
            pass

        def __call__(self, trial):
            network = propose(trial)
            networks.append(network.name)
            trial.set_user_attr('network', network.name)
            if network.input == 'taps' and network.blocks[0].operation == 'separable':
                raise ConfigError('cannot be built')
            return 1 / len(network.name), float(len(network.name))

    monkeypatch.setattr(search_optuna, '_Objective', Objective)
    return networks


def _rows(out):
    with (out / 'trials.csv').open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_the_designs_made_by_hand_come_first(measured, tmp_path):
    search(SETTINGS, tmp_path, tmp_path)
    assert measured[:2] == [REFERENCE.name, CIRCULAR.name]


def test_the_same_seed_proposes_the_same(measured, tmp_path):
    for name in ('a', 'b', 'c'):
        (tmp_path / name).mkdir()
    search(SETTINGS, tmp_path, tmp_path / 'a')
    search(SETTINGS, tmp_path, tmp_path / 'b')
    assert measured[:8] == measured[8:]
    search(replace(SETTINGS, search=SearchConfig(trials=8, seed=2)), tmp_path, tmp_path / 'c')
    assert measured[:8] != measured[16:]


def test_a_study_goes_on_where_it_ended(measured, tmp_path):
    search(replace(SETTINGS, search=SearchConfig(trials=3)), tmp_path, tmp_path)
    search(SETTINGS, tmp_path, tmp_path)
    assert len(measured) == 8
    assert [row['trial'] for row in _rows(tmp_path)] == [str(number) for number in range(8)]


def test_workers_share_the_trials_of_a_study(measured, tmp_path, monkeypatch):
    settings = replace(SETTINGS, search=SearchConfig(trials=16))
    search(replace(SETTINGS, search=SearchConfig(trials=1)), tmp_path, tmp_path)
    proposals: dict[threading.Thread, list[str]] = {}
    # On a busy machine one might be done before the other begins.
    both = threading.Barrier(2, timeout=60)

    def noted(trial):
        network = search_optuna.propose(trial)
        mine = proposals.setdefault(threading.current_thread(), [])
        mine.append(network.name)
        if len(mine) == 1:
            both.wait()
        return network

    monkeypatch.setattr(f'{__name__}.propose', noted)
    workers = [
        threading.Thread(target=join, args=(tmp_path, settings, tmp_path)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # Each may have been at a last one while the other finished.
    assert 16 <= len(measured) <= 18
    # Not the same proposals by both.
    one, other = proposals.values()
    assert one[: len(other)] != other[: len(one)]


def test_trials_that_fail_are_counted_and_explained(measured, tmp_path):
    search(replace(SETTINGS, search=SearchConfig(trials=30)), tmp_path, tmp_path)
    failed = [row for row in _rows(tmp_path) if row['state'] == 'fail']
    assert failed
    assert all(row['failure'] == 'ConfigError: cannot be built' for row in failed)


def test_a_study_in_which_all_fails_says_so(measured, tmp_path, monkeypatch):
    def refuse(trial):
        raise ConfigError('too large')

    monkeypatch.setattr(search_optuna, 'propose', refuse)
    objective = 'training.search_methods.optuna_trials._Objective.__call__'
    monkeypatch.setattr(objective, lambda self, trial: refuse(trial))
    with pytest.raises(ConfigError, match='trials.csv: no trial of the study succeeded'):
        search(SETTINGS, tmp_path, tmp_path)


def test_the_fastest_of_the_good_is_chosen(measured, tmp_path):
    def trial(error, latency):
        return optuna.trial.create_trial(values=[error, latency])

    front = [trial(0.2, 5.0), trial(0.104, 20.0), trial(0.1, 60.0)]
    assert choose(front) is front[1]
    search(SETTINGS, tmp_path, tmp_path)
    # Longer names are better here, and slower.
    assert load_network(tmp_path / 'architecture.yaml').name in measured
    assert len(list(tmp_path.glob('architecture_*.yaml'))) >= 2
