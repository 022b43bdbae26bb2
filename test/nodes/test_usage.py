# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What executables say of themselves, of what nobody knows, and while they start."""

from pathlib import Path
import re

from ament_index_python import get_package_prefix
import pytest

from doa_ros.nodes.configs import NODES, renamed, settings

EXECUTABLES = [*NODES, 'doa_pipeline']


@pytest.fixture
def say(start, tmp_path):
    """Run an executable with arguments until it ends; return its exit status and all it wrote."""

    def run(executable, *arguments):
        path = tmp_path / 'stdout'
        with path.open('w') as stdout:
            process = start(executable, arguments=arguments, stdout=stdout)
            status = process.end()
        return status, path.read_text() + process.output

    return run


@pytest.mark.parametrize(
    ('executable', 'option'),
    [('doa_pipeline', '-h'), *((executable, '--help') for executable in EXECUTABLES)],
)
def test_help_names_every_parameter_and_starts_nothing(say, executable, option):
    status, text = say(executable, option)
    assert status == 0
    assert text.startswith(f'usage: {executable} ')
    for node in NODES:
        hosted = executable in (node, 'doa_pipeline')
        assert (f'parameters of {node}:' in text) == hosted
        for name in settings([node]) if hosted else ():
            assert re.search(rf'^  {re.escape(name)} \(default: .+\)$', text, re.MULTILINE)
    assert '[INFO]' not in text


def test_help_that_cannot_be_written(start):
    with open('/dev/full', 'w') as stdout:
        process = start('doa_pipeline', arguments=['--help'], stdout=stdout)
        assert process.end() == 1
    assert process.output == 'doa_pipeline: standard output: No space left on device\n'


def test_help_shows_what_runs(say, require_model):
    require_model('cnn')
    _, text = say('gcc_phat', '--help')
    assert 'features.lag_count (default: 39)' in text


@pytest.mark.parametrize('arguments', [['--sensitivity', '0.3'], ['source:=sim'], ['--version']])
@pytest.mark.parametrize('executable', ['doa_pipeline', 'gcc_phat'])
def test_arguments_that_nobody_knows_are_refused(say, executable, arguments):
    status, text = say(executable, *arguments)
    assert status == 2
    assert f'{executable}: error: unrecognized arguments: {" ".join(arguments)}' in text
    assert '[INFO]' not in text


def test_ros_arguments_that_nobody_knows_are_named(say):
    status, text = say('gcc_phat', '--ros-args', '--log-lvel', 'debug')
    assert status == 1
    assert '[FATAL]' in text
    assert "after --ros-args, ROS does not know ['--log-lvel', 'debug']" in text


def test_what_is_installed_can_be_started():
    folder = Path(get_package_prefix('doa_ros'), 'lib', 'doa_ros')
    # Beside them are command lines, and the examples, which have tests of their own.
    names = {path.name for path in folder.iterdir() if path.suffix != '.py'}
    nodes = {name for name in names if not name.startswith('doa-')}
    assert nodes == set(EXECUTABLES)


def test_parameters_that_nobody_has_are_named(start, tmp_path):
    file = tmp_path / 'given.yaml'
    # Of another node of the chain, of all nodes, of nobody.
    lines = ['sensitivity: 0.4', 'use_sim_time: false', 'markers.arow_length: 2.0', 'zzz: 1']
    file.write_text('/**:\n  ros__parameters:\n' + ''.join(f'    {line}\n' for line in lines))
    process = start('doa_markers', arguments=['--ros-args', '--params-file', str(file)])
    process.wait_for('zzz')
    assert process.stop() == 0
    assert re.findall(r'there is no parameter (.*)', process.output) == [
        'markers.arow_length, it is ignored; do you mean markers.arrow_length?',
        'zzz, it is ignored',
    ]


@pytest.mark.parametrize('executable', ['doa_markers', 'doa_pipeline'])
def test_former_names_are_refused_with_those_of_today(start, tmp_path, executable):
    file = tmp_path / 'given.yaml'
    lines = ['arrow_length: 2.0', 'confirmation: 0.1', 'hop: 0.1']
    file.write_text('/**:\n  ros__parameters:\n' + ''.join(f'    {line}\n' for line in lines))
    parameters = {'source': 'sim', 'method': 'srp_phat'} if executable == 'doa_pipeline' else {}
    process = start(executable, arguments=['--ros-args', '--params-file', str(file)], **parameters)
    assert process.end() == 1
    assert process.output.count('[FATAL]') == 1
    assert (
        'former names of parameters are given: arrow_length is called markers.arrow_length now, '
        'confirmation is called tracker.confirmation_time now, hop is called features.hop now'
    ) in process.output
    assert 'Traceback' not in process.output


def test_names_of_today_exist():
    names = renamed()
    assert set(names.values()) <= set(settings())
    assert not set(names) & set(settings())


def test_qos_overrides_of_no_topic_are_named_where_all_topics_are(start, namespace, tmp_path):
    file = tmp_path / 'given.yaml'
    topics = f'{{{namespace}/estimates: {{publisher: {{depth: 3, durability: volatile}}}},'
    topics += f' {namespace}/track: {{publisher: {{depth: 3}}}}}}'
    file.write_text(f'/**: {{ros__parameters: {{qos_overrides: {topics}}}}}')
    arguments = ['--ros-args', '--params-file', str(file)]
    process = start('doa_pipeline', arguments=arguments, method='srp_phat')
    process.wait_for('the sound comes from', 'track.publisher.depth')
    assert process.stop() == 0
    estimates, track = re.findall(r'there is no parameter qos_overrides.(.*)', process.output)
    assert estimates.startswith(f'{namespace}/estimates.publisher.durability, it is ignored')
    assert track == (
        f'{namespace}/track.publisher.depth, it is ignored; '
        f'do you mean qos_overrides.{namespace}/tracks.publisher.depth?'
    )
    alone = start('doa_markers', arguments=[*arguments, '-p', 'zzz:=1'])
    alone.wait_for('zzz')
    assert alone.stop() == 0
    assert 'qos_overrides' not in alone.output


def test_start_is_a_sentence_per_node(start, recording, namespace, require_model):
    require_model('cnn')
    pytest.importorskip('foxglove', reason='Foxglove needs foxglove-sdk')
    arguments = ['--dashboard', '--foxglove']
    arguments += ['--ros-args', '-p', 'port:=0', '-p', 'foxglove_port:=0']
    process = start(
        'doa_pipeline', arguments=arguments, source='file', file=str(recording), loop=True
    )
    process.wait_for('the sound comes from', 'the page is at', 'Foxglove connects to')
    assert process.stop() == 0
    for node in NODES:
        first, *_ = re.findall(rf'\[{namespace[1:]}\.{node}\]: (.*)', process.output)
        assert len(first) < 120 and 'Config(' not in first
    # The TFLite runtime would have a word, too.
    assert 'Config(' not in process.output
    assert all(line.startswith('[') for line in process.output.splitlines())


def test_details_are_there_for_those_who_look_closer(start, recording):
    pytest.importorskip('foxglove', reason='Foxglove needs foxglove-sdk')
    arguments = ['--ros-args', '--log-level', 'debug']
    process = start(
        'doa_pipeline',
        arguments=['--dashboard', '--foxglove', *arguments],
        source='file',
        file=str(recording),
        method='srp_phat',
        port=0,
        foxglove_port=0,
    )
    wanted = {config.__name__ for configs in NODES.values() for config in configs.values()}
    process.wait_for(*(f'{name}(' for name in wanted))


@pytest.mark.parametrize('executable', ['doa_pipeline', 'doa_tracker'])
def test_who_gives_up_says_its_full_name(start, namespace, executable):
    process = start(executable, **{'tracker.gate_sigma': -1.0})
    assert process.end() == 1
    (fatal,) = [line for line in process.output.splitlines() if line.startswith('[FATAL]')]
    assert f'[{namespace[1:]}.doa_tracker]: parameter tracker.gate_sigma' in fatal
