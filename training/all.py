# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""From an array file to a quantised and calibrated model, its card and a report, in one command.

Writes OUT/settings.yaml, OUT/data, OUT/run, OUT/models/NAME_*.tflite with their cards, and
OUT/report; the nodes load a model by `array:=ARRAY model:=PATH`. Run again after an interruption,
it goes on where it stopped.

Without --sounds, the rooms are filled with synthetic voices and noises (OUT/sounds); recordings
of speech make a better model. The report is made with real speech either way.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from doa_ros.core.ambiguity import ambiguity_of, require_elevations
from doa_ros.core.array_file import load_array
from doa_ros.core.features.config import FeatureConfig, lags_needed
from doa_ros.core.geometry import MicArray
from doa_ros.resources import find_resource

from .calibrate import calibrate
from .evaluate import evaluate
from .quantize import quantize
from .runs import is_finished
from .sections import SimulateConfig, TrainConfig
from .settings import Settings
from .simulate import simulate
from .simulation.synthetic import write_sounds
from .train import train

# Finer than the band needs: taps between the samples cost little and help.
_LAG_RATE = 48000.0
_OUTPUTS = ('azimuth', 'elevation', 'activity')
BUDGETS = {
    'small': (
        SimulateConfig(train_clips=4000, val_clips=300, every=5),
        TrainConfig(architecture='circular', outputs=_OUTPUTS, epochs=15, patience=4),
    ),
    'full': (
        SimulateConfig(train_clips=40000, val_clips=2000, every=4),
        TrainConfig(architecture='circular', outputs=_OUTPUTS, epochs=60, patience=10),
    ),
}
_SOUNDS_SEED = 1
_CALIBRATION_SCENES = 30


def make_model(
    array_name: str, *, out: Path, budget: str = 'small', sounds: Path | None = None
) -> None:
    """Run the verbs one after the other; those that have finished are not run again.

    Args:
        array_name: name or path of the array.
        out: folder of everything made.
        budget: of BUDGETS.
        sounds: folder of speech and noise; synthetic ones are made without it.

    Raises:
        ConfigError: the array cannot be used, or networks cannot be trained for it.
        DoaError: of the verbs.
    """
    array_path = find_resource('arrays', array_name)
    array = load_array(array_path)
    settings = settings_for(array, array_name, budget)
    require_elevations(array, settings.train.grid.elevation_min)
    out.mkdir(parents=True, exist_ok=True)
    settings.save(out / 'settings.yaml')
    data, trained, models, report = (out / name for name in ('data', 'run', 'models', 'report'))
    if sounds is None:
        sounds = out / 'sounds'
        if not sounds.exists():
            partial = out / 'sounds.partial'
            write_sounds(partial, _SOUNDS_SEED)
            partial.rename(sounds)
    simulate(settings, sounds=sounds, out=data)
    if not is_finished(trained):
        train(settings, data=data, out=trained)
    quantize(trained, data=data, name=array.name, out=models)
    model = models / f'{array.name}_int8.tflite'
    calibrate(model, array, sounds=sounds, scenes=_CALIBRATION_SCENES)
    evaluate(array_name, models=[model], out=report)
    print(
        f'Try it: ros2 launch doa_ros doa.launch.py array:={array_path} model:={model.resolve()}\n'
        f'Report: {report / "report.html"}'
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--array', required=True, help='name or path')
    parser.add_argument('--out', type=Path, required=True, help='folder of everything made')
    parser.add_argument(
        '--budget', choices=BUDGETS, default='small', help='small: minutes; full: hours'
    )
    parser.add_argument('--sounds', type=Path, help='folder of speech and noise')


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    make_model(args.array, out=args.out, budget=args.budget, sounds=args.sounds)


def settings_for(array: MicArray, name: str, budget: str) -> Settings:
    """Return the settings of a model for an array: lags and elevations as far as they reach."""
    features = FeatureConfig(lag_rate=_LAG_RATE, lag_count=lags_needed(array, _LAG_RATE))
    simulate, train = BUDGETS[budget]
    if not ambiguity_of(array).horizontal:
        classes = 2 * train.elevation_classes - 1
        train = replace(train, elevation_classes=classes, elevation_min_deg=-90.0)
    return Settings(name, features, features, simulate, train)
