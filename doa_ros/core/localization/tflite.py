# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""One adapter over the TFLite runtimes: ai-edge-litert, tflite-runtime, TensorFlow."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
import ctypes
from functools import lru_cache
from importlib import import_module
import os
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from doa_ros.core.config import error_text
from doa_ros.core.errors import ModelError

_STDERR = 2
# The first that works is taken.
_RUNTIMES = ('ai_edge_litert.interpreter', 'tflite_runtime.interpreter', 'tensorflow')
# The operator that a model consists of after the Edge TPU compiler.
_EDGETPU_OPERATOR = 'edgetpu-custom-op'
# What a runtime raises where the model is not usable.
_UNUSABLE = (ValueError, RuntimeError, OSError)


def _runtime(name: str):
    """Return the module that has the class Interpreter."""
    module = import_module(name)
    # TensorFlow loads it on first use; the package tensorflow.lite has no Interpreter.
    return module.lite if name == 'tensorflow' else module


def _open(network: Path | bytes, delegate: str):
    """Return an interpreter of the first runtime that works.

    Raises:
        ModelError: none does; the message says what each says.
        ValueError, RuntimeError, OSError: the model is not usable.
    """
    tried = []
    for name in _RUNTIMES:
        try:
            runtime = _runtime(name)
        except Exception as error:
            tried.append(_failed(name, error))
            continue
        delegates = [_load_delegate(runtime, delegate)] if delegate else None
        try:
            # One thread: the networks are too small to gain from more.
            return runtime.Interpreter(
                **_source(network), num_threads=1, experimental_delegates=delegates
            )
        except _UNUSABLE:
            raise
        # Made for another NumPy, it is imported, but makes no interpreter.
        except Exception as error:
            tried.append(_failed(name, error))
    raise ModelError(
        f'no TFLite runtime works ({"; ".join(tried)}); try: pip install ai-edge-litert'
    )


def _source(network: Path | bytes) -> dict[str, bytes]:
    """Return the arguments that give an interpreter its network."""
    if isinstance(network, bytes):
        return {'model_content': network}
    # The name as bytes, as it may hold any.
    return {'model_path': os.fsencode(network)}


def _failed(runtime: str, error: Exception) -> str:
    return f'{runtime}: {error_text(error.__cause__ or error)}'


def _load_delegate(runtime, name: str):
    """Load an external delegate: a library with the function tflite_plugin_create_delegate."""
    library = os.path.expanduser(name)
    where = (
        'looked for at this path'
        if '/' in library
        else "looked for in the system's library folders and LD_LIBRARY_PATH"
    )
    # The runtimes' own loader complains beside its exception when either of these fails.
    try:
        functions = ctypes.CDLL(library)
    except OSError as error:
        raise ModelError(
            f'delegate {name!r} cannot be loaded, {where} ({error}); install it or give its path '
            '(for a Coral Edge TPU: libedgetpu.so.1 of the Debian package libedgetpu1-std), or '
            'leave the delegate empty to run on the CPU'
        ) from None
    if not hasattr(functions, 'tflite_plugin_create_delegate'):
        raise ModelError(
            f'delegate {name!r} is no TFLite delegate: the library has no function '
            'tflite_plugin_create_delegate'
        )
    # TensorFlow has it elsewhere.
    load = getattr(runtime, 'load_delegate', None) or runtime.experimental.load_delegate
    try:
        return load(library)
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f'delegate {name!r} does not start ({" ".join(str(error).split())}); is its '
            'accelerator connected, and may this user open it?'
        ) from None


@contextmanager
def _no_chatter() -> Iterator[None]:
    """Keep what a runtime says at level INFO, that it computes as usual, from stderr.

    It obeys no setting and no variable. All other lines come a moment later.
    """
    with ExitStack() as stack:
        try:
            said_meanwhile = stack.enter_context(TemporaryFile())
            stderr = os.dup(_STDERR)
        except OSError:
            # There is no stderr, or nowhere to keep it.
            yield
            return
        stack.callback(os.close, stderr)
        os.dup2(said_meanwhile.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(stderr, _STDERR)
            said_meanwhile.seek(0)
            others = [line for line in said_meanwhile if not line.startswith(b'INFO: ')]
            with suppress(OSError):
                os.write(_STDERR, b''.join(others))


class TFLiteModel:
    """A network with one input and one or more outputs; int8 and float32 look the same.

    Args:
        network: the .tflite file, or its content.
        delegate: name or path of a library that runs the network, or as much of it as it can,
            on an accelerator; empty for the CPU.

    Raises:
        ModelError: no runtime works, the delegate does not load, or the file is not a
            usable model.
    """

    def __init__(self, network: Path | bytes, delegate: str = ''):
        name = 'a network in memory' if isinstance(network, bytes) else network
        try:
            with _no_chatter():
                self._interpreter = _open(network, delegate)
                self._interpreter.allocate_tensors()
            inputs = self._interpreter.get_input_details()
            self._outputs = self._interpreter.get_output_details()
            # What is wrong with a damaged network may show only when it runs.
            self._interpreter.invoke()
        except _UNUSABLE as error:
            reason = ' '.join(str(error).split())
            if _EDGETPU_OPERATOR in reason:
                reason += '; it is compiled for the Edge TPU: set the delegate libedgetpu.so.1'
            by = f' with delegate {delegate!r}' if delegate else ''
            raise ModelError(f'{name}: not a usable TFLite model{by} ({reason})') from None
        if len(inputs) != 1:
            raise ModelError(f'{name}: must have one input, not {len(inputs)}')
        self._input = inputs[0]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input without the batch axis."""
        return tuple(int(n) for n in self._input['shape'][1:])

    @property
    def output_sizes(self) -> tuple[int, ...]:
        """Number of values of each output."""
        return tuple(int(np.prod(output['shape'][1:])) for output in self._outputs)

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """Run the network on one input of `input_shape`; return each output flat, float32."""
        self._interpreter.set_tensor(self._input['index'], self.encode(values))
        self._interpreter.invoke()
        return self.decode(self._interpreter.get_tensor(o['index']) for o in self._outputs)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return one input of `input_shape` as the network takes it, with its batch axis."""
        return _quantise(values, self._input)[None]

    def decode(self, tensors: Iterable[np.ndarray]) -> list[np.ndarray]:
        """Return the values of the network's output tensors, each flat, float32."""
        return [
            _dequantise(tensor, output).ravel()
            for tensor, output in zip(tensors, self._outputs, strict=True)
        ]


def _quantise(values: np.ndarray, tensor: dict) -> np.ndarray:
    if tensor['dtype'] == np.float32:
        return values.astype(np.float32)
    scale, zero_point = tensor['quantization']
    lowest, highest = _limits(tensor['dtype'])
    levels = values / scale
    np.rint(levels, out=levels)
    levels += zero_point
    # np.clip is slower.
    np.maximum(levels, lowest, out=levels)
    np.minimum(levels, highest, out=levels)
    return levels.astype(tensor['dtype'])


@lru_cache(maxsize=4)
def _limits(dtype: type) -> tuple[int, int]:
    """Return the smallest and the largest number of an integer type."""
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _dequantise(values: np.ndarray, tensor: dict) -> np.ndarray:
    if tensor['dtype'] == np.float32:
        return values
    scale, zero_point = tensor['quantization']
    return (values.astype(np.float32) - zero_point) * np.float32(scale)
