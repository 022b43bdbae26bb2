# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Adapt a trained network to a board and a room with a few labelled recordings.

The recordings are mixed with simulated examples, so that the network does not forget. Some of the
recordings, whole rooms where there are several, are held out to choose the best round. Then old
and new weights are mixed in the share that does best on the recordings held out and loses no more
than `max_loss` on the simulated val split. In the worst case the old network stays, and the table
says so. See training/data/recordings.py for the folder of recordings.

Writes OUT as `train` does, so that quantize takes it, and the table as finetune.csv and .md.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from .data.recordings import load_recordings
from .fitting import adaptation
from .runs import load_run
from .sections import FinetuneConfig
from .settings import find_settings
from .tables import Row, show_table


def finetune(
    run: Path,
    *,
    recordings: Path,
    data: Path,
    out: Path,
    config: FinetuneConfig | None = None,
    strict: bool = False,
) -> None:
    """Adapt the network of a run and show what that brought.

    Args:
        run: folder made by train.
        recordings: folder of labelled recordings.
        data: folder made by simulate.
        out: folder of the result.
        config: replaces that of the run's settings.
        strict: stop at a recording that cannot be read instead of leaving it out.

    Raises:
        ConfigError: there is no network, no label or no simulated example.
        AudioError: no recording can be read, or one cannot and `strict` is set.
    """
    model, settings = load_run(run)
    if config is not None:
        settings = replace(settings, finetune=config)
    array = settings.load_array()
    clips = load_recordings(recordings, array, settings.features, strict=strict)
    examples = adaptation.read_recordings(clips, array, settings)
    result = adaptation.finetune(model, settings, examples, data, out)
    rows: list[Row] = [
        {'measured on': name, **accuracy.cells()}
        for name, accuracy in (
            ('recordings held out, before', result.real_before),
            ('recordings held out, after', result.real_after),
            ('simulated val split, before', result.simulated_before),
            ('simulated val split, after', result.simulated_after),
        )
    ]
    show_table(rows, result.summary(), out / 'finetune')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--run', type=Path, required=True, help='folder made by train')
    parser.add_argument(
        '--recordings', type=Path, required=True, help='folder of labelled recordings'
    )
    parser.add_argument('--data', type=Path, required=True, help='folder made by simulate')
    parser.add_argument('--out', type=Path, required=True, help='folder of the result')
    parser.add_argument(
        '--settings', help="name or path of settings whose finetune section replaces the run's"
    )
    parser.add_argument(
        '--strict', action='store_true', help='stop at a recording that cannot be read'
    )


def run(args: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    finetune(
        args.run,
        recordings=args.recordings,
        data=args.data,
        out=args.out,
        config=find_settings(args.settings).finetune if args.settings else None,
        strict=args.strict,
    )
