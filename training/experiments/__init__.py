# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Studies: experiments whose tables stand in the documents."""
