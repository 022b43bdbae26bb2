# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
import csv
from dataclasses import replace
from functools import partial
import math
from pathlib import Path
import re
import shutil

import numpy as np
from pandas.testing import assert_frame_equal
import pytest
import soundfile
import yaml

from doa_ros import network_choice
from doa_ros.core.errors import ConfigError
from doa_ros.core.localization.decoding import Estimate
from doa_ros.resources import DEFAULT_MODEL, config_directory, find_resource
from training import evaluate
from training.deployment.costs import measure_cost
from training.evaluation import benchmarks
from training.evaluation.methods import baselines
from training.evaluation.methods.baselines import single_source_baselines
from training.evaluation.methods.localizer import localizer_methods
from training.evaluation.methods.method import DirectionMethod
from training.evaluation.metrics.single_source import METRICS
from training.evaluation.metrics.single_source.answers import collect_answers
from training.evaluation.report.report import write_report
from training.evaluation.report.single_source import single_source_report
from training.evaluation.scenes import trajectories, voices
from training.evaluation.scenes.conditions import CONDITIONS, DIFFICULTIES
from training.evaluation.scenes.rooms import demo_corpus, fixed_clips
from training.evaluation.scenes.world import FAMILIES

MODELS = ['uma8_reference_int8', 'uma8_reference_float32']
# Three of the directions keep the test short; the verb takes all of them.
NUMBERS = (3, 9, 15)


@pytest.fixture(scope='module')
def clips(uma8):
    return list(fixed_clips(uma8, demo_corpus(uma8.sampling_frequency), NUMBERS))


@pytest.fixture(scope='module')
def report(uma8, clips):
    paths = [find_resource('models', name) for name in MODELS]
    others, notes = single_source_baselines(uma8)
    answers = collect_answers(uma8, [*localizer_methods(uma8, paths), *others], clips)
    costs = {path.stem: measure_cost(path) for path in paths}
    return single_source_report(answers, costs=costs, goals={}, notes=[*notes, '2 < 3'])


@pytest.fixture(scope='module')
def figures(report):
    """By condition and method."""
    whole = report.results[report.results['binning'] == '']
    return {(row['condition'], row['method']): row for row in whole.to_dict('records')}


@pytest.mark.parametrize('condition', CONDITIONS, ids=lambda c: c.name)
def test_the_shipped_model_reaches_its_goal(report, figures, condition):
    found = figures[condition.name, 'uma8_reference_int8']
    here = report.results[report.results['condition'] == condition.name]
    assert here['voiced'].min() >= 12
    assert found['azimuth_mae_deg'] <= condition.goal_mae_deg
    assert found['unanswered'] < 0.3


@pytest.mark.parametrize('elevated', [False, True])
def test_srp_phat_where_there_are_no_networks(run_verb, tmp_path, monkeypatch, elevated):
    # A line, and a tetrahedron.
    places = [[0.03, 0.03, 0.03], [-0.03, -0.03, 0.03], [-0.03, 0.03, -0.03], [0.03, -0.03, -0.03]]
    positions = places if elevated else [[0.0, y, 0.0] for y in (-0.06, -0.02, 0.02, 0.06)]
    microphones = [
        {'label': f'm{k}', 'channel': k, 'position': p} for k, p in enumerate(positions)
    ]
    content = {'name': 'other', 'sampling_frequency': 16000, 'channel_count': 4}
    array = tmp_path / 'array.yaml'
    array.write_text(yaml.safe_dump({**content, 'microphones': microphones}), encoding='utf-8')
    report = tmp_path / 'report'
    monkeypatch.setattr(benchmarks, 'fixed_clips', partial(fixed_clips, numbers=NUMBERS))
    run_verb('evaluate', '--array', array, '--report', report)
    with (report / 'results.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert {row['method'] for row in rows} == {'SRP-PHAT on our features'}
    assert rows[0]['condition'] == CONDITIONS[0].name
    assert float(rows[0]['azimuth_mae_deg']) < 5
    if elevated:
        assert float(rows[0]['elevation_mae_deg']) < 5
    else:
        assert math.isnan(float(rows[0]['elevation_mae_deg']))


class _Front(DirectionMethod):
    """Always says that the sound comes from the front, where nobody talks."""

    name = 'front'

    def estimates(self, clip):
        return [[Estimate(0.0, 0.0, math.nan, math.nan, math.nan)] for _ in clip.blocks]


def test_a_new_method_is_a_class_and_a_line_in_the_list(monkeypatch):
    monkeypatch.setattr(baselines, '_SINGLE_SOURCE', (lambda array: _Front(),))
    monkeypatch.setattr(benchmarks, 'fixed_clips', partial(fixed_clips, numbers=NUMBERS[:1]))
    results = evaluate.evaluate(models=MODELS[:1]).results
    front = results[results['method'] == 'front'].iloc[0]
    assert front['azimuth_mae_deg'] > 10
    assert front['silence_answered'] == 1


@pytest.mark.parametrize('condition', CONDITIONS, ids=lambda c: c.name)
def test_int8_is_as_good_as_float32(figures, condition):
    int8, float32 = (figures[condition.name, name]['azimuth_mae_deg'] for name in MODELS)
    assert int8 == pytest.approx(float32, abs=0.7)


def test_baselines_work_too_or_the_comparison_would_be_unfair(figures):
    dry = {method: f for (c, method), f in figures.items() if c == CONDITIONS[0].name}
    assert len(dry) >= 7
    for method, found in dry.items():
        assert found['azimuth_mae_deg'] < 5, method
        assert found['elevation_mae_deg'] < 15, method


def test_all_methods_answer_at_the_same_blocks(report):
    columns = ['condition', 'room', 'time', 'voiced', 'silent', 'azimuth', 'elevation']
    by_method = report.answers.groupby('method')[columns]
    first, *others = (mine.reset_index(drop=True) for _, mine in by_method)
    for other in others:
        assert_frame_equal(other, first)


def test_a_report_holds_tables_plots_figures_and_answers(report, tmp_path):
    write_report(tmp_path, report)
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    page = (tmp_path / 'report.html').read_text(encoding='utf-8')
    for method in set(report.answers['method']):
        assert f'| {method} |' in markdown
        assert f'<td>{method}</td>' in page
    assert '| 45,642 |' in markdown
    deviations = markdown.split('Stated standard deviations')[1].split('#')[0]
    for condition in (*(c.name for c in CONDITIONS), 'all of them'):
        assert f'| {condition} | {MODELS[0]} |' in deviations
    assert 'MUSIC' not in deviations
    links = re.findall(r'\]\((.*\.png)\)', markdown)
    assert len(links) == 6
    for link in links:
        assert (tmp_path / link).stat().st_size > 5000
    assert '<li>2 &lt; 3</li>' in page
    # The page needs nothing beside it.
    assert page.count('src="data:image/png;base64,') == len(links)
    assert 'src="' not in page.replace('src="data:', '')
    # Every line of a Markdown table has as many cells as its header.
    for table in re.findall(r'(?:^\|.*\n)+', markdown, re.MULTILINE):
        assert len({line.count('|') for line in table.splitlines()}) == 1

    with (tmp_path / 'results.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(report.results)
    assert all(f'{metric.name}{end}' in rows[0] for metric in METRICS for end in ('', '_low'))
    with np.load(tmp_path / 'answers.npz') as stored:
        assert len(stored['method']) == len(report.answers)


def test_recordings_give_the_figures_of_what_was_simulated(run_verb, clips, tmp_path):
    clip = clips[0][1]
    folder = tmp_path / 'recordings'
    folder.mkdir()
    soundfile.write(folder / 'a.wav', clip.audio * 10, clip.sampling_frequency, subtype='FLOAT')
    source = clip.sources[0]
    azimuth, elevation = np.degrees([source.azimuth[0], source.elevation[0]])
    (folder / 'labels.csv').write_text(
        f'file,start,end,azimuth_deg,elevation_deg\na.wav,1.5,4.5,{azimuth},{elevation}\n',
        encoding='utf-8',
    )
    out = tmp_path / 'out'
    run_verb('evaluate', '--recordings', folder, '--model', MODELS[0], '--report', out)
    with (out / 'results.csv').open(encoding='utf-8') as file:
        first = next(csv.DictReader(file))
    assert (first['method'], first['condition']) == (MODELS[0], 'recordings')
    assert int(first['voiced']) > 3
    assert float(first['azimuth_mae_deg']) < 5
    # One room says nothing about others.
    assert first['azimuth_mae_deg_low'] == 'nan'


def test_random_scenes_are_those_of_the_settings(
    run_verb, settings_path, sounds, write_network, uma8, tmp_path
):
    network = write_network(tmp_path / 'own.tflite', uma8)
    run_verb('evaluate', '--scenes', 2, '--settings', settings_path, '--sounds', sounds,
             '--engine', 'pyroomacoustics', '--no-baselines', '--model', network,
             '--report', tmp_path)  # fmt: skip
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    assert '| random scenes (pyroomacoustics) | own |' in markdown
    assert 'MUSIC' not in markdown


def test_the_benchmark_of_rooms_stands_beside_its_goals(run_verb, tmp_path):
    run_verb('evaluate', '--bench', 'rooms', '--scenes', 1, '--engine', 'fast', '--no-baselines',
             '--model', MODELS[0], '--report', tmp_path)  # fmt: skip
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    for difficulty in DIFFICULTIES:
        assert f'| {difficulty.name} | {MODELS[0]} |' in markdown
        assert f'| {difficulty.name} | goal |' in markdown
        assert f'{MODELS[0]}, short sounds in {difficulty.name}' in markdown
    # Unanswered, azimuth and elevation of the answers, answers within 10 degrees, silence.
    name = DIFFICULTIES[1].name
    assert f'| {name} | goal | 0.150 | 3.0 | 5.0 | 0.960 | 0.010 |' in markdown


def test_the_benchmark_of_talkers_stands_beside_its_goals(run_verb, tmp_path):
    run_verb('evaluate', '--bench', 'talkers', '--scenes', 1, '--engine', 'fast',
             '--model', MODELS[0], '--report', tmp_path)  # fmt: skip
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    for method in (MODELS[0], 'NormMUSIC (pyroomacoustics, told 2)'):
        assert f'| {DIFFICULTIES[1].name} | {method} |' in markdown
    assert f'| {DIFFICULTIES[1].name} | goal | 0.900 | 0.050 |' in markdown
    assert (tmp_path / 'found_and_spurious.png').stat().st_size > 5000
    with (tmp_path / 'results.csv').open(encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert {row['rooms'] for row in rows} == {'1'}
    assert {'recall', 'spurious', 'elevation_mae_deg_low'} <= set(rows[0])


def test_the_benchmark_of_tracks_stands_beside_its_goals(run_verb, tmp_path, monkeypatch):
    # The verb takes 10 minutes of noise and all scenarios.
    monkeypatch.setattr(benchmarks, '_NOISE_MINUTES', 0.5)
    monkeypatch.setattr(trajectories, 'SCENARIOS', trajectories.SCENARIOS[1:2])
    run_verb('evaluate', '--bench', 'tracks', '--scenes', 1, '--model', MODELS[0],
             '--report', tmp_path)  # fmt: skip
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    condition = f'passing, {DIFFICULTIES[0].name}'
    for method in (f'{MODELS[0]}, tracks', 'SRP-PHAT on our features, untracked'):
        assert f'| {condition} | {method} |' in markdown
    assert f'| {condition} | goal | 0.850 |' in markdown
    assert '| noise only | goal |' in markdown
    plots = re.findall(r'\]\((.*\.png)\)', markdown)
    assert len(plots) == len(DIFFICULTIES) + 1
    assert all((tmp_path / plot).stat().st_size > 5000 for plot in plots)


def test_the_benchmark_of_the_world_has_a_table_per_family(run_verb, tmp_path, monkeypatch):
    noise, talkers = (replace(f, situations=f.situations[:1]) for f in FAMILIES[:2])
    monkeypatch.setattr(benchmarks, 'FAMILIES', (noise, talkers))
    run_verb('evaluate', '--bench', 'world', '--scenes', 1, '--model', 'uma8_several_int8',
             '--report', tmp_path)  # fmt: skip
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    for family, told in ((noise, ', told 2'), (talkers, '')):
        assert family.title in markdown
        (situation,) = family.situations
        methods = ('uma8_several_int8', 'uma8_several_int8, tracks', 'SRP-PHAT on our features')
        for method in (*methods, f'NormMUSIC (pyroomacoustics{told})', 'goal'):
            assert f'| {situation.name} | {method} |' in markdown
    plots = re.findall(r'\]\((.*\.png)\)', markdown)
    assert len(plots) == 2 and all((tmp_path / p).stat().st_size > 5000 for p in plots)


def test_the_benchmark_of_voices_stands_beside_its_goals(run_verb, tmp_path, monkeypatch):
    pytest.importorskip('pystoi')
    monkeypatch.setattr(voices, 'CONDITIONS', voices.CONDITIONS[:1])
    run_verb('evaluate', '--bench', 'voices', '--scenes', 1, '--report', tmp_path)
    markdown = (tmp_path / 'report.md').read_text(encoding='utf-8')
    (condition,) = voices.CONDITIONS
    for method in ('centre microphone', 'ours, tracks of uma8_several_int8'):
        assert f'| {condition.name} | {method} |' in markdown
    assert f'| {condition.name} | goal | 5.500 | 0.720 |' in markdown
    assert 'Separation of 3 tracks at 48000 Hz: 0.' in markdown
    assert (tmp_path / 'voices.png').stat().st_size > 5000


@pytest.mark.parametrize(
    'arguments,message',
    [
        (['--scenes', '3'], '--scenes needs'),
        (['--scenes', '0', '--settings', 'uma8_reference'], '--scenes needs'),
        (['--settings', 'uma8_reference'], 'give --scenes'),
        (['--recordings', 'x', '--scenes', '3'], 'exclude each other'),
        (['--bench', 'rooms', '--recordings', 'x'], 'excludes --recordings'),
        (['--bench', 'rooms', '--scenes', '0'], 'needs a positive number'),
        (['--bench', 'talkers', '--settings', 'uma8_several'], 'talkers excludes'),
        (['--dead', '5'], 'must lie in 0..4'),
        (['--scale', '3'], 'must lie in 0.5..2'),
        (['--no-peers'], 'is called --no-baselines now'),
    ],
)
def test_options_that_do_not_go_together_are_refused(run_verb, arguments, message):
    with pytest.raises(ConfigError, match=message):
        run_verb('evaluate', *arguments)


def test_models_of_the_same_name_are_refused(uma8, tmp_path):
    path = find_resource('models', MODELS[0])
    for suffix in ('.tflite', '.yaml'):
        shutil.copy(path.with_suffix(suffix), tmp_path)
    with pytest.raises(ConfigError, match='same file name'):
        localizer_methods(uma8, [path, tmp_path / path.name])


def test_fixed_clips_are_the_same_every_time(uma8, clips):
    corpus = demo_corpus(uma8.sampling_frequency)
    again = list(fixed_clips(uma8, corpus, NUMBERS[:1]))
    np.testing.assert_array_equal(again[0][1].audio, clips[0][1].audio)


def test_templates_are_installed_with_the_package():
    setup = (config_directory().parent / 'setup.py').read_text(encoding='utf-8')
    assert "'doa_ros.training.evaluation.report': ['templates/*']" in setup
    assert (
        len(list((Path(evaluate.__file__).parent / 'evaluation/report/templates').glob('*.j2')))
        == 2
    )


def test_an_array_is_compared_with_the_networks_that_fit_it(
    uma8, square, tetrahedron, make_array, monkeypatch
):
    line = make_array([[0.03 * k, 0, 0] for k in range(4)])
    assert DEFAULT_MODEL in evaluate._default_models(uma8, 'rooms')
    monkeypatch.setattr(network_choice, 'ANY_ARRAY_MODEL', 'not_shipped')
    assert not evaluate._default_models(tetrahedron, 'rooms')
    monkeypatch.setattr(network_choice, 'ANY_ARRAY_MODEL', 'uma8_several_int8')
    for array in (square, tetrahedron):
        assert evaluate._default_models(array, 'rooms') == ('uma8_several_int8',)
    assert not evaluate._default_models(line, 'rooms')
