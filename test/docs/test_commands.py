# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands and programs in the documents do what they say, or say what they need."""

from importlib.util import find_spec
from pathlib import Path
import shlex
import shutil
import subprocess
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from documents import WrongError, blocks, check, commands, inline_commands
from geometry_msgs.msg import Twist
from node_fixtures import Listener, Process
import numpy as np
import pytest
from std_msgs.msg import Bool, Int32
from std_srvs.srv import SetBool
import yaml

from doa_ros.core.errors import ConfigError
from doa_ros.core.geometry import wrap_angle
from doa_ros.nodes.topics import TOPICS

_BASH = blocks('bash')
_PYTHON = blocks('python')
_TRAINS = pytest.mark.skipif(
    find_spec('tensorflow') is None,
    reason='scripts/setup.sh training installs what training needs',
)


def _marks(command):
    return [_TRAINS] if {'training', 'evaluate', 'doa-train'} & set(command) else []


_COMMANDS = [
    pytest.param(command, block.mark, id=f'{block}: {" ".join(command)}', marks=_marks(command))
    for block in _BASH
    for command in commands(block)
]
_INLINE = [pytest.param(c, id=c, marks=_marks(c.split())) for c in inline_commands()]
# Longer than any of the programs takes to hear something on a very busy machine [s].
_PATIENCE = 60.0


@pytest.mark.parametrize(('command', 'mark'), _COMMANDS)
def test_a_command_is_known_or_marked(command, mark):
    assert check(command) or mark


@pytest.mark.parametrize('command', _INLINE)
def test_a_command_in_a_sentence_is_known(command):
    assert check(shlex.split(command))


@pytest.mark.parametrize(
    'command',
    [
        'make demmo',
        'make demo SORCE=device',
        'make demo DEMO_ARGS="--scene_ demo"',
        'doa-locate talk.wav --tracs',
        'doa_pipeline --ros-args -p sorce:=sim',
        'doa_pipeline --ros-args -p source:=radio',
        'ros2 run doa_ros doa-locate',
        'ros2 launch doa_ros doa.launch.py sorce:=sim',
        'ros2 launch doa_ros doa.launch.py method:=magic',
        'ros2 topic echo /doa/estimate',
        'ros2 param set /doa/doa_estimator sensitivity 2',
        'ros2 param set /doa/doa_estimator method srp_phat',
        'ros2 service call /doa/doa_estimator/mute std_srvs/srv/SetBool "{data: false}"',
        'turn_to_talker.py --ros-args -p gian:=2.0',
        'turn_to_talker.py --ros-args -r cmd_val:=x',
        'record_labelled.py a b c --azimut 3',
        'ros2 launch doa_ros robot.launch.py sorce:=sim',
        'python -m training simulat',
        pytest.param('python -m training simulate --out x --nope', marks=_TRAINS),
        'python3 -m pytest test/nothing.py',
    ],
)
def test_a_wrong_command_is_found(command):
    with pytest.raises((WrongError, ConfigError)):
        check(shlex.split(command))


def test_a_foreign_command_needs_a_mark():
    assert not check(['arecord', '-l'])


@pytest.fixture(scope='module')
def talk_wav(tmp_path_factory):
    """A folder with recordings as the pages have them."""
    import soundfile

    from doa_ros.audio.recordings.mono import read_mono
    from doa_ros.core.array_file import load_array
    from doa_ros.resources import find_resource
    from doa_ros.simulation.scene import SceneConfig, render

    folder = tmp_path_factory.mktemp('recordings')
    array = load_array(find_resource('arrays', 'uma8'))
    rate = array.sampling_frequency
    sounds = find_resource('scenes', 'demo').parent
    speech, noise = (read_mono(sounds / f'{name}.flac', rate) for name in ('speech', 'noise'))
    scene = SceneConfig(duration=4.0, lead=1.5, tail=0.0, azimuth_deg=40.0, speed_deg=0.0)
    heard, _ = render(scene, array, speech, noise)
    soundfile.write(folder / 'talk.wav', heard, rate, subtype='PCM_32')
    soundfile.write(folder / 'six.wav', heard[:, array.channels], rate, subtype='PCM_32')
    return folder


_LOCATE = [c for b in _BASH if not b.mark for c in commands(b) if c[0] == 'doa-locate']


@pytest.mark.parametrize('command', _LOCATE, ids=' '.join)
def test_recordings_are_located(command, talk_wav, call, monkeypatch):
    monkeypatch.chdir(talk_wav)
    done = call('locate', *command[1:])
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 20


_EXTRACT = [c for b in _BASH if not b.mark for c in commands(b) if c[0] == 'doa-extract']


@pytest.mark.parametrize('command', _EXTRACT, ids=' '.join)
def test_talkers_are_extracted(command, talk_wav, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copy(talk_wav / 'talk.wav', tmp_path)
    done = call('extract', *command[1:])
    assert done.returncode == 0, done.stderr
    assert 'track_1.wav' in done.stdout


@pytest.fixture(scope='module')
def nodes():
    """The nodes at work in the namespace of the launch file, and a client that talks to them."""
    parameters = {'source': 'sim', 'scene': 'demo', 'loop': True, 'method': 'srp_phat'}
    process = Process('doa_pipeline', '/doa', publish_audio=True, **parameters)
    listener = Listener('/doa')
    process.wait_for('the sound comes from')
    yield listener
    listener.close()
    assert process.stop() == 0
    assert 'Traceback' not in process.output


def _of_ros2(*words):
    """Return a decorator for a test of each command `ros2 WORDS ...` in the documents."""
    found = [c for b in _BASH if not b.mark for c in commands(b) if c[:3] == ['ros2', *words]]
    assert found
    return pytest.mark.parametrize('command', found, ids=' '.join)


@pytest.mark.real_time
@_of_ros2('param', 'set')
def test_parameters_can_be_set(command, nodes):
    *_, node, name, value = command
    accepted, reason = nodes.set(node, name, yaml.safe_load(value))
    assert accepted, reason


@pytest.mark.real_time
@_of_ros2('topic', 'echo')
def test_topics_say_something(command, nodes):
    types = {f'/doa/{t.name}': t.message_type for topics in TOPICS.values() for t in topics}
    topic = command[3]
    messages = nodes.collect(types.get(topic, DiagnosticArray), topic)
    nodes.spin_until(lambda: messages, f'a message on {topic}')


@pytest.mark.real_time
@_of_ros2('service', 'call')
def test_services_answer(command, nodes):
    *_, name, kind, values = command
    assert kind == 'std_srvs/srv/SetBool'
    client = nodes.node.create_client(SetBool, name)
    nodes.spin_until(client.service_is_ready, f'{name} there')
    for request in (yaml.safe_load(values), {'data': True}):
        assert nodes.answer(client.call_async(SetBool.Request(**request))).success


@pytest.fixture
def run(tmp_path):
    """Run a block of Python until what it should do has happened, or it has ended."""

    def run_one(block, folder=None, done=lambda: False, spin=time.sleep):
        script = tmp_path / 'block.py'
        script.write_text(block.text, encoding='utf-8')
        with (tmp_path / 'out').open('w+') as out:
            process = subprocess.Popen(
                [sys.executable, '-u', script], cwd=folder, stdout=out, stderr=subprocess.STDOUT
            )
            deadline = time.monotonic() + _PATIENCE
            try:
                while process.poll() is None and not done(Path(out.name).read_text()):
                    assert time.monotonic() < deadline, Path(out.name).read_text()
                    spin(0.1)
            finally:
                ended = process.poll()
                process.kill()
                process.wait()
            text = Path(out.name).read_text()
        assert not ended and 'Traceback' not in text, text
        return text

    return run_one


@pytest.mark.real_time
@pytest.mark.parametrize('block', _PYTHON, ids=str)
def test_programs_do_something(block, nodes, run, talk_wav):
    """A program that listens publishes or prints something, another one ends."""
    wheels = nodes.collect(Twist, '/cmd_vel')
    speech = nodes.collect(Bool, '/is_speeching')
    directions = nodes.collect(Int32, '/sound_direction')

    listens = 'spin(' in block.text

    def done(text):
        turned = any(speed.angular.z for speed in wheels)
        return listens and bool(text or turned or any(s.data for s in speech) and directions)

    text = run(block, talk_wav, done, nodes.spin)
    if text and not listens:
        # The talker of the recording.
        azimuths = [int(line.split()[-2]) for line in text.splitlines()]
        assert len(azimuths) > 20
        assert abs(np.median(azimuths) - 40) < 5


@pytest.mark.real_time
def test_the_robot_of_the_readme_turns_to_the_talker(nodes, run):
    (block,) = [block for block in _PYTHON if block.document.name == 'README.md']
    assert len([line for line in block.text.splitlines() if line]) <= 12
    truth = nodes.collect(TOPICS['audio_capture'][2].message_type, 'truth')
    turns = []

    def take(speed):
        if speed.angular.z and truth and truth[-1].estimates:
            turns.append((speed.angular.z, truth[-1].estimates[0].azimuth))

    nodes.node.create_subscription(Twist, '/cmd_vel', take, 10)
    run(block, done=lambda text: len(turns) > 20, spin=nodes.spin)
    errors = [abs(wrap_angle(turn - azimuth)) for turn, azimuth in turns]
    # Also where a scene has just begun again, and with every sound reported.
    assert np.median(errors) < 0.2
