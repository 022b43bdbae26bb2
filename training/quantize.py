# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Convert a trained network to TFLite, in the number formats asked for, and measure each.

Writes OUT/NAME_KIND.tflite with its card NAME_KIND.yaml, OUT/NAME_representative.npy, and a table
as NAME_models.csv and NAME_models.md.

  float32, float16    weights of that precision
  dynamic             int8 weights, float32 activations
  int8                int8 throughout; the ranges come from a pinned set, the same examples of
                      the train split every time
  qat                 the same after quantisation-aware training
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from doa_ros.core.errors import ModelError

from .compression.rounding import train_to_be_rounded
from .data.dataset import Shards
from .deployment import edgetpu, openvino_check
from .deployment.conversion import INTEGER_KINDS, KINDS, representative_set, to_tflite
from .deployment.converted_model import converted_model
from .deployment.measure import Measurement
from .models.architectures import inputs_of
from .runs import load_run
from .sections import QuantizeConfig
from .settings import find_settings
from .tables import Row, show_table

# Least share of the inputs in which OpenVINO and the interpreter must find the same directions;
# they round differently.
_OPENVINO_AGREEMENT = 0.95


def quantize(
    run: Path,
    *,
    data: Path,
    name: str,
    out: Path,
    kinds: Sequence[str] = (),
    check_edgetpu: bool = False,
    check_openvino: bool = False,
    config: QuantizeConfig | None = None,
) -> None:
    """Convert a trained network, write cards, print size, accuracy and latency of each.

    Args:
        run: folder made by train.
        data: folder made by simulate.
        name: of the model.
        out: folder of the .tflite files.
        kinds: number formats, of KINDS; empty for all.
        check_edgetpu: check the int8 models against what the Edge TPU compiler requires.
        check_openvino: check that every model loads in OpenVINO and agrees with the interpreter.
        config: replaces that of the run's settings.

    Raises:
        ConfigError: there is no trained network or no data.
        ModelError: a model does not pass the checks that were asked for; all are written.
    """
    model, settings = load_run(run)
    if config is not None:
        settings = replace(settings, quantize=config)
    train, val = (Shards(data, split, settings) for split in ('train', 'val'))
    inputs = inputs_of(settings)
    representative = representative_set(train, inputs)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / f'{name}_representative.npy', representative)
    # float32 comes first, whether it is kept or not: the others are compared with it.
    asked = kinds or KINDS
    exact: Measurement | None = None
    rows: list[Row] = []
    faults: list[str] = []
    for kind in dict.fromkeys(['float32', *asked]):
        network = model
        if kind == 'qat':
            network = train_to_be_rounded(model, settings, data, inputs, representative)
        content = to_tflite(network, kind, representative)
        converted = converted_model(content, model, settings, val, inputs, kind, exact)
        exact = exact or converted.measurement
        if kind not in asked:
            continue
        file = out / f'{name}_{kind}.tflite'
        converted.save(file)
        row: Row = {'format': kind, **converted.row(exact)}
        if check_edgetpu:
            found = edgetpu_faults(file) if kind in INTEGER_KINDS else []
            row['Edge TPU'] = ('no' if found else 'yes') if kind in INTEGER_KINDS else '-'
            faults += found
        if check_openvino:
            found = openvino_faults(file, representative)
            row['OpenVINO'] = 'no' if found else 'yes'
            faults += found
        rows.append(row)
    show_table(rows, f'{name}: validation set', out / f'{name}_models')
    if faults:
        raise ModelError('the models are written, but:\n' + '\n'.join(faults))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--name', required=True, help='name of the model')
    parser.add_argument('--out', type=Path, required=True, help='folder of the .tflite files')
    parser.add_argument(
        '--kind', action='append', choices=KINDS, help='may be given several times; default: all'
    )
    parser.add_argument(
        '--edgetpu',
        action='store_true',
        help='check the int8 models against what the Edge TPU compiler requires',
    )
    parser.add_argument(
        '--openvino',
        action='store_true',
        help='check that every model loads in OpenVINO and agrees with the interpreter',
    )
    parser.add_argument(
        '--settings', help="name or path of settings whose quantize section replaces the run's"
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    quantize(
        args.run,
        data=args.data,
        name=args.name,
        out=args.out,
        kinds=args.kind or (),
        check_edgetpu=args.edgetpu,
        check_openvino=args.openvino,
        config=find_settings(args.settings).quantize if args.settings else None,
    )


def edgetpu_faults(file: Path) -> list[str]:
    """Return what of a model the Edge TPU compiler does not take."""
    return [f'{file.name} for the Edge TPU: {problem}' for problem in edgetpu.problems(file)]


def openvino_faults(file: Path, inputs: np.ndarray) -> list[str]:
    """Return why a model cannot be used with OpenVINO.

    Args:
        file: the .tflite file, with its card beside it.
        inputs: what both runtimes compute, one after the other.
    """
    try:
        agreement = openvino_check.compare(file, inputs).agreement
    except ModelError as error:
        return [str(error)]
    if agreement >= _OPENVINO_AGREEMENT:
        return []
    return [f'{file.name}: OpenVINO finds the same directions in {100 * agreement:.1f} % only']
