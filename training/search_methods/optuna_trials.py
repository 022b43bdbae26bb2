# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Architecture search by trials: validation error against the latency of the int8 model.

The tree-structured Parzen estimator for several objectives proposes the networks: Y. Ozaki et al.,
"Multiobjective tree-structured Parzen estimator for computationally expensive optimization
problems", GECCO 2020. The study is a journal, a file that several processes or machines append to.
"""

import csv
import math
from pathlib import Path

import keras
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import BaseTrial, FrozenTrial, TrialState
import tensorflow as tf
from tqdm import tqdm

from doa_ros.core.errors import ConfigError, DoaError
from doa_ros.core.localization.network_input import NETWORK_INPUTS
from doa_ros.core.localization.tflite import TFLiteModel

from ..data.dataset import Shards
from ..data.inputs import inputs_for
from ..deployment.conversion import output_names, representative_set, to_tflite
from ..deployment.costs import latency
from ..deployment.measure import measure_model
from ..fitting.batches import Batches
from ..fitting.loop import check_finite, compile_heads
from ..models.blocks import BlockConfig, NetworkConfig, build, save_network
from ..settings import Settings
from ..splits import SPLITS

# What may be lost against the best error for the sake of speed: half a point.
_TOLERANCE = 0.005
# Trials at random before the estimator proposes.
_RANDOM_TRIALS = 5
_STUDY = 'search'

# The designs made by hand are tried first: a front that does not reach them found nothing.
_BY_HAND = (
    {
        'input': 'taps',
        'depth': 2,
        **{f'operation_{n}': 'conv' for n in (1, 2)},
        **{f'filters_{n}': 64 for n in (1, 2)},
        **{f'kernel_{n}': 3 for n in (1, 2)},
        'pool': True,
        'dense': 100,
    },
    {
        'input': 'map',
        'depth': 3,
        **{f'operation_{n}': 'conv' for n in (1, 2, 3)},
        **{f'filters_{n}': 32 for n in (1, 2, 3)},
        **{f'kernel_{n}': 5 for n in (1, 2, 3)},
        'dense': 32,
    },
)


def propose(trial: BaseTrial) -> NetworkConfig:
    """Return the network of a trial."""
    kind = trial.suggest_categorical('input', list(NETWORK_INPUTS))
    blocks = [
        BlockConfig(
            trial.suggest_categorical(f'operation_{number}', ['conv', 'separable']),
            filters=trial.suggest_categorical(f'filters_{number}', [16, 24, 32, 48, 64]),
            kernel=trial.suggest_categorical(f'kernel_{number}', [3, 5]),
        )
        for number in range(1, trial.suggest_int('depth', 1, 4) + 1)
    ]
    if kind == 'taps':
        blocks.append(BlockConfig('dropout'))
        if trial.suggest_categorical('pool', [True, False]):
            blocks.append(BlockConfig('pool', kernel=2, stride=2))
    dense = trial.suggest_categorical('dense', [16, 32, 64, 100])
    return NetworkConfig(kind, dense, tuple(blocks))


def search(settings: Settings, data: Path, out: Path) -> None:
    """Do the trials of a study, and write what it found.

    Args:
        settings: of the model; `search` says how many trials.
        data: folder made by `simulate`.
        out: folder of the study; one that was begun there goes on.

    Raises:
        ConfigError: no trial succeeded.
    """
    study = _open(out)
    _work(study, settings, data)
    trials = study.get_trials(deepcopy=False)
    _write_trials(trials, out / 'trials.csv')
    if not study.best_trials:
        raise ConfigError(f'{out / "trials.csv"}: no trial of the study succeeded')
    front = sorted(study.best_trials, key=lambda trial: trial.values[1])
    chosen = choose(front)
    for trial in front:
        save_network(_network(trial), out / f'architecture_{trial.number}.yaml', _origin(trial))
    _draw_front(trials, front, chosen, out / 'pareto.png')
    save_network(_network(chosen), out / 'architecture.yaml', _origin(chosen))


def join(out: Path, settings: Settings, data: Path) -> None:
    """Do trials of a study that was begun elsewhere, until it has all.

    Args:
        out: folder of the study.
        settings: with which it was begun.
        data: as for `search`.
    """
    _work(_open(out), settings, data)


def choose(front: list[FrozenTrial]) -> FrozenTrial:
    """Return the fastest trial whose error is within half a point of the least."""
    least = min(trial.values[0] for trial in front)
    good = [trial for trial in front if trial.values[0] <= least + _TOLERANCE]
    return min(good, key=lambda trial: trial.values[1])


def _open(out: Path) -> optuna.Study:
    """Return the study of a folder; begin it where there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(out / 'journal.log'))),
        study_name=_STUDY,
        directions=['minimize', 'minimize'],
        load_if_exists=True,
    )
    for parameters in _BY_HAND:
        study.enqueue_trial(parameters, skip_if_exists=True)
    return study


def _work(study: optuna.Study, settings: Settings, data: Path) -> None:
    """Do trials until the study has all of them."""
    config = settings.search
    measured = _Objective(settings, data)
    with tqdm(total=config.trials, desc='search', unit='trial') as progress:
        while (finished := _finished(study)) < config.trials:
            progress.update(finished - progress.n)
            trial = study.ask()
            # By its number, a trial draws the same in every process, and no two draw the same.
            study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=_RANDOM_TRIALS,
                multivariate=False,
                seed=1000 * config.seed + trial.number,
            )
            try:
                values = measured(trial)
            # A network that cannot be built, does not learn, does not fit the memory or does not
            # convert.
            except (DoaError, MemoryError, tf.errors.OpError, RuntimeError) as error:
                trial.set_user_attr('failure', f'{type(error).__name__}: {error}')
                study.tell(trial, state=TrialState.FAIL)
                continue
            study.tell(trial, values)
            progress.set_postfix_str(f'error {values[0]:.3f}, {values[1]:.1f} us')
        progress.update(finished - progress.n)


def _finished(study: optuna.Study) -> int:
    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL)))


class _Objective:
    """Trains the network of a trial a little, and measures its int8 model."""

    def __init__(self, settings: Settings, data: Path):
        self._settings = settings
        self._train, self._val = (Shards(data, split, settings) for split in SPLITS)
        self._inputs = {kind: inputs_for(settings, kind) for kind in NETWORK_INPUTS}
        self._representative = {
            kind: representative_set(self._train, inputs) for kind, inputs in self._inputs.items()
        }

    def __call__(self, trial: optuna.Trial) -> tuple[float, float]:
        """Return the share that is not within 10 degrees, and the latency [us]."""
        config, train = self._settings.search, self._settings.train
        keras.backend.clear_session()
        keras.utils.set_random_seed(config.seed)
        network = propose(trial)
        trial.set_user_attr('network', network.name)
        inputs = self._inputs[network.input]
        model = build(network, inputs.shape, train)
        parameters = sum(math.prod(variable.shape) for variable in model.trainable_variables)
        trial.set_user_attr('parameters', parameters)
        if parameters > config.parameters_max:
            raise ConfigError(f'more than {config.parameters_max} parameters to train')
        compile_heads(model, train.learning_rate, train)
        examples = Batches(self._train, inputs, train, shuffle=True)
        model.fit(
            examples.stream().take(min(config.batches, len(examples))),
            epochs=config.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=check_finite)],
        )
        interpreter = TFLiteModel(to_tflite(model, 'int8', self._representative[network.input]))
        outputs = output_names(interpreter, model, train.heads)
        result = measure_model(interpreter, outputs, train, self._val, inputs)
        return 1 - result.within_10, 1e6 * latency(interpreter)


def _network(trial: FrozenTrial) -> NetworkConfig:
    return propose(optuna.trial.FixedTrial(trial.params))


def _origin(trial: FrozenTrial) -> str:
    error, latency = trial.values
    return (
        f'Found by search --method optuna, trial {trial.number}: after the epochs of a trial '
        f'{100 * error:.1f} % not within 10 degrees, int8 in {latency:.1f} us.'
    )


def _write_trials(trials: list[FrozenTrial], path: Path) -> None:
    columns = ('trial', 'state', 'error', 'latency_us', 'parameters', 'network', 'failure')
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for trial in trials:
            noted = [trial.user_attrs.get(n, '') for n in ('parameters', 'network', 'failure')]
            values = trial.values or ('', '')
            writer.writerow([trial.number, trial.state.name.lower(), *values, *noted])


def _draw_front(
    trials: list[FrozenTrial], front: list[FrozenTrial], chosen: FrozenTrial, path: Path
) -> None:
    """Plot error over latency: all trials, those that no other beats in both, the chosen one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.add_subplot(
        xlabel='latency of the int8 model [us]', ylabel='not within 10 degrees [%]'
    )
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]

    def points(some: list[FrozenTrial]) -> tuple[list[float], list[float]]:
        return [t.values[1] for t in some], [100 * t.values[0] for t in some]

    axes.plot(*points(done), 'o', color='tab:grey', label='trials')
    axes.plot(*points(front), 'o-', color='tab:blue', drawstyle='steps-post', label='Pareto front')
    axes.plot(*points([chosen]), '*', color='tab:red', markersize=14, label='chosen')
    for trial in done:
        axes.annotate(
            str(trial.number),
            (trial.values[1], 100 * trial.values[0]),
            xytext=(4, 4),
            textcoords='offset points',
            fontsize=8,
        )
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
