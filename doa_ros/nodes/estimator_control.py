# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""What doa_dashboard knows of the node doa_estimator, and asks of it."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool

from doa_ros.core.config import check_setting
from doa_ros.core.errors import ConfigError
from doa_ros.nodes.configs import settings

_NODE, _NAME = 'doa_estimator', 'sensitivity'
# The sensitivity is asked for at each so-manyth call.
_EVERY = 5


class EstimatorControl:
    """Reads and sets the sensitivity, and mutes, from any thread.

    Args:
        node: that asks.
        may_set: whether it may do more than read.

    Attributes:
        state: the `sensitivity`, None while it is not known.
    """

    def __init__(self, node: Node, *, may_set: bool):
        self._get = node.create_client(GetParameters, f'{_NODE}/get_parameters')
        self._asked: Any = None
        self._calls = 0
        self.state: Mapping[str, float | None] = {_NAME: None}
        self.actions: dict[str, Callable[[Mapping[str, Any]], Future[str]]] = {}
        if may_set:
            self._set = node.create_client(SetParameters, f'{_NODE}/set_parameters')
            self._enable = node.create_client(SetBool, f'{_NODE}/enable')
            self.actions = {_NAME: self._set_sensitivity, 'mute': self._mute}

    def refresh(self) -> None:
        """Ask for the sensitivity now and then; to be called again and again."""
        self._calls += 1
        if self._calls % _EVERY != 1:
            return
        if self._asked is not None and not self._asked.done():
            # It was asked of a node that has gone.
            self._get.remove_pending_request(self._asked)
            self.state = {_NAME: None}
        self._asked = None
        if self._get.service_is_ready():
            self._asked = self._get.call_async(GetParameters.Request(names=[_NAME]))
            self._asked.add_done_callback(self._on_sensitivity)

    def _on_sensitivity(self, future: Any) -> None:
        values = future.result().values if future.result() is not None else []
        for value in values:
            known = value.type == ParameterType.PARAMETER_DOUBLE
            self.state = {_NAME: value.double_value if known else None}

    def _set_sensitivity(self, content: Mapping[str, Any]) -> Future[str]:
        value = check_setting(settings([_NODE])[_NAME], content.get('value'))
        request = SetParameters.Request(
            parameters=[Parameter(_NAME, value=value).to_parameter_msg()]
        )

        def said(response: SetParameters.Response) -> str:
            (result,) = response.results
            if not result.successful:
                raise ConfigError(result.reason)
            self.state = {_NAME: value}
            return f'sensitivity {value:g}'

        return _call(self._set, request, said)

    def _mute(self, content: Mapping[str, Any]) -> Future[str]:
        if not isinstance(muted := content.get('value'), bool):
            raise ConfigError('mute needs a value, true or false')
        return _call(self._enable, SetBool.Request(data=not muted), lambda r: r.message)


def _call(client: Client, request: Any, said: Callable[[Any], str]) -> Future[str]:
    """Call a service; return what will be said of its response.

    Raises:
        ConfigError: the node does not run.
    """
    if not client.service_is_ready():
        raise ConfigError(f'{_NODE} does not run')
    answer: Future[str] = Future()

    def on_done(future: Any) -> None:
        try:
            sentence = said(future.result())
        except ConfigError as error:
            answer.set_exception(error)
        else:
            answer.set_result(sentence)

    client.call_async(request).add_done_callback(on_done)
    return answer
