# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Direction of arrival of sound from a microphone array."""

# A checkout on sys.path hides the workspace it was built into: find the generated doa_ros.msg.
__path__ = __import__('pkgutil').extend_path(__path__, __name__)
