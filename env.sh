# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
#
# `source env.sh` (bash or zsh, from any directory): the virtual environment, ROS 2 and the
# built workspace, so that `audio_capture`, `doa-demo` and `import doa_ros.msg` are found.
# shellcheck shell=bash

_doa_ros_env() {
  local root=$1 flavour site entry libraries
  local venv=$root/.venv install=$root/install/doa_ros

  flavour=wheels
  [ -z "${ROS_DISTRO:-}" ] || flavour=ros-$ROS_DISTRO
  if [ ! -f "$venv/.setup/workspace" ] || [ ! -d "$install" ]; then
    echo "env.sh: doa_ros is not built yet. Run: make -C $root setup" >&2
    return 1
  fi
  case "$(cat "$venv/.setup/venv")" in
    "$root $flavour "*) ;;
    *)
      echo "env.sh: doa_ros was set up in another place or with another ROS than" \
        "${ROS_DISTRO:-none}. Run: make -C $root setup, or source that ROS first" >&2
      return 1
      ;;
  esac

  # shellcheck disable=SC1091
  . "$venv/bin/activate"
  site=$(echo "$install"/lib/python3.*/site-packages)
  _doa_ros_prepend PATH "$install/lib/doa_ros"
  _doa_ros_prepend PYTHONPATH "$site"
  libraries=$install/lib
  if [ "$flavour" = wheels ]; then
    _doa_ros_prepend AMENT_PREFIX_PATH "$venv"
    while IFS= read -r entry; do
      libraries=$libraries:$entry
    done <<EOF
$(find "$venv"/lib/python3.*/site-packages -maxdepth 1 -name 'ros_*.libs')
$venv/lib
EOF
    # The wheels restart every Python to set LD_LIBRARY_PATH: done here once.
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  fi
  _doa_ros_prepend AMENT_PREFIX_PATH "$install"
  _doa_ros_prepend LD_LIBRARY_PATH "$libraries"
}

# Usage: _doa_ros_prepend VARIABLE PATHS, unless they are there already.
_doa_ros_prepend() {
  eval "case :\${$1:-}: in
    *:\$2:*) ;;
    *) export $1=\"\$2\${$1:+:\$$1}\" ;;
  esac"
}

# zsh's way to name this file is a syntax error in bash.
if [ -n "${ZSH_VERSION:-}" ]; then
  eval '_doa_ros_env "${${(%):-%x}:A:h}"'
else
  _doa_ros_env "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
fi
case $? in
  0) unset -f _doa_ros_env _doa_ros_prepend ;;
  *) unset -f _doa_ros_env _doa_ros_prepend; return 1 ;;
esac
