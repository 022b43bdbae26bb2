# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Adapt a trained network to a board and a room with a few labelled recordings.

The recordings are mixed with simulated examples, so that the network does not forget. Some of the
recordings, whole rooms where there are several, are held out to choose the best round. Then the
way from the old network to the new one is searched for the weights that do best on them without
losing more than `max_loss` on the simulated val split: in the worst case the old network stays,
and the table says so. See examples/recordings.py for the folder of recordings.

Writes OUT as `train` does, so that quantize takes it, and the table as finetune.csv and .md.
"""

from pathlib import Path

from .data.recordings import load_recordings
from .fitting.adaptation import finetune, read_recordings
from .runs import load_run
from .settings import with_section
from .tables import show_table


def add_arguments(parser):
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


def run(args):
    """Adapt the network of a run and show what that brought."""
    model, settings = load_run(args.run)
    settings = with_section(settings, 'finetune', args.settings)
    array = settings.load_array()
    clips = load_recordings(args.recordings, array, settings.features, strict=args.strict)
    recordings = read_recordings(clips, array, settings)
    result = finetune(model, settings, recordings, args.data, args.out)
    rows = [
        {'measured on': name, **accuracy.cells()}
        for name, accuracy in (
            ('recordings held out, before', result.real_before),
            ('recordings held out, after', result.real_after),
            ('simulated val split, before', result.simulated_before),
            ('simulated val split, after', result.simulated_after),
        )
    ]
    show_table(rows, result.summary(), args.out / 'finetune')
