#!/usr/bin/env bash
# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: scripts/setup.sh [test] [training] [docs]
#
# Makes .venv/ and builds this package into install/; `source env.sh` then uses both.
# With a sourced ROS 2 (ROS_DISTRO set) it builds on that, otherwise on a ROS 2 Jazzy from
# Python wheels. "test", "training" and "docs" add what those need.
#
# "test" also installs a sound server and a browser where it may (root, apt-get); without them the
# tests of the sound card and of the live page are skipped.
#
# Safe to run again at any time: each step is skipped while what it was made from is
# unchanged, and an interrupted step is started afresh. PYTHON=... chooses the interpreter.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
venv=$root/.venv
stamps=$venv/.setup

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

groups=()
for argument in "$@"; do
  case $argument in
    test | training | docs) groups+=("$argument") ;;
    *) die "unknown argument '$argument' (known: test, training, docs)" ;;
  esac
done

# One set-up at a time in a checkout.
exec 9<"${BASH_SOURCE[0]}"
flock --nonblock 9 || { say "waiting for another set-up of this checkout"; flock 9; }

# --- stamps: what a finished step was made from ---------------------------------------

hash_of() { cat -- "$@" | sha256sum | cut -d' ' -f1; }
is_current() { [[ -f $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }
mark_current() { printf '%s\n' "$2" >"$stamps/$1"; }

# --- the machine ----------------------------------------------------------------------

if [[ -n ${ROS_DISTRO:-} ]]; then
  flavour="ros-$ROS_DISTRO"
else
  flavour="wheels"
fi

check_platform() {
  [[ $(uname -s) == Linux ]] || die "doa_ros runs on Linux, this is $(uname -s)"
  if [[ $flavour == wheels && $(uname -m) != x86_64 ]]; then
    die "no ROS 2 is sourced, and the ROS 2 wheels exist for x86_64 only, not for" \
      "$(uname -m): install ROS 2 Jazzy, 'source /opt/ros/jazzy/setup.bash', run this again"
  fi
}

# Prints the interpreter to build on: the system's under ROS, else the first that serves.
find_python() {
  local candidate candidates=(python3 python3.13 python3.12 python3.11)
  [[ $flavour == wheels ]] || candidates=(/usr/bin/python3 python3)
  [[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")
  for candidate in "${candidates[@]}"; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
      2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  die "needs Python 3.11, 3.12 or 3.13; ${candidates[0]} is" \
    "$("${candidates[0]}" --version 2>&1 || true). Name another with PYTHON=/path/to/python3"
}

may_install() { [[ $EUID == 0 ]] && command -v apt-get >/dev/null; }

# Usage: apt_install PACKAGE...
apt_install() {
  say "installing system packages: $*"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || say "apt-get update failed, trying without"
  apt-get install --yes --no-install-recommends -qq "$@" >/dev/null
}

# Installs what is missing of the system's packages; asks for it when that is not possible.
install_system_packages() {
  local python=$1 missing=()
  command -v cc >/dev/null && command -v c++ >/dev/null || missing+=(build-essential)
  command -v cmake >/dev/null || missing+=(cmake)
  command -v make >/dev/null || missing+=(make)
  [[ $(ldconfig -p 2>/dev/null || /sbin/ldconfig -p) == *libportaudio.so.2* ]] ||
    missing+=(libportaudio2)
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  "$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' ||
    missing+=(python3-dev)
  if [[ $flavour != wheels ]]; then
    command -v colcon >/dev/null || missing+=(python3-colcon-common-extensions)
  fi
  ((${#missing[@]})) || return 0

  local command="apt-get install --yes --no-install-recommends ${missing[*]}"
  may_install || die "system packages are missing. Run: sudo apt-get update && sudo $command"
  apt_install "${missing[@]}" || die "could not install system packages: $command"
}

# The tests of the live page look at it. Debian has Chromium itself, Ubuntu only as a snap, which a
# container cannot run: there, the one that playwright brings is taken.
install_browser() {
  local name
  for name in chromium google-chrome; do
    "$name" --version >/dev/null 2>&1 && return
  done
  compgen -G "$HOME/.cache/ms-playwright/chromium*" >/dev/null && return
  may_install || return 0
  apt_install chromium 2>/dev/null ||
    "$venv/bin/python3" -m playwright install --with-deps chromium-headless-shell >/dev/null 2>&1 ||
    say "could not install Chromium: the tests of the live page will be skipped"
}

# The tests of the sound card play a recording as if it came from a device.
install_sound_server() {
  local packages=(pulseaudio pulseaudio-utils libasound2-plugins)
  if command -v pulseaudio >/dev/null && command -v pactl >/dev/null &&
    compgen -G '/usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so' >/dev/null; then
    return
  fi
  may_install || return 0
  apt_install "${packages[@]}" ||
    say "could not install ${packages[*]}: the tests of the sound card will be skipped"
}

# --- the virtual environment ----------------------------------------------------------

make_venv() {
  # The checkout may have moved or ROS been sourced since: all of that needs a fresh start.
  # So does an installation that was interrupted, whose packages may be incomplete.
  local made=""
  [[ ! -f $stamps/venv ]] || made=$(<"$stamps/venv")
  if [[ $made == "$root $flavour "${PYTHON:-*} && -x $venv/bin/python3 ]] &&
    [[ ! -e $stamps/installing ]]; then
    return
  fi
  check_platform
  local python options=()
  python=$(find_python)
  install_system_packages "$python"
  say "making .venv with $("$python" --version) ($flavour)"
  [[ $flavour == wheels ]] || options+=(--system-site-packages)
  "$python" -m venv --clear ${options[@]+"${options[@]}"} "$venv"
  rm -rf build install log
  mkdir -p "$stamps"
  touch "$venv/COLCON_IGNORE"
  mark_current venv "$root $flavour ${PYTHON:-$python}"
}

# Usage: pip_install STAMP MESSAGE FILE...
pip_install() {
  local stamp=$1 message=$2 file key arguments=()
  shift 2
  key=$(hash_of "$@" "$constraints")
  is_current "$stamp" "$key" && return
  say "$message"
  for file in "$@"; do arguments+=(-r "$file"); done
  touch "$stamps/installing"
  "$venv/bin/python3" -m pip install -qq --disable-pip-version-check --no-input \
    -c "$constraints" "${arguments[@]}" ||
    die "pip could not install $*; when the cause (network? disk?) is gone, run this again"
  [[ $stamp != runtime || $flavour != wheels ]] ||
    "$venv/bin/python3" scripts/relocate_wheels.py
  rm "$stamps/installing"
  mark_current "$stamp" "$key"
}

install_python_packages() {
  local group
  constraints=requirements/constraints.txt
  if [[ $flavour == wheels ]]; then
    pip_install runtime "installing ROS 2 Jazzy wheels and Python packages (about 150 MB)" \
      requirements/{ros2-jazzy,runtime,display,dashboard}.txt
  else
    # The messages of the installation are compiled against its NumPy: keep that one. No
    # distribution has the runtime of networks.
    constraints=$stamps/constraints.txt
    [[ -e $constraints ]] || {
      "$venv/bin/python3" -c 'import numpy; print(f"numpy=={numpy.__version__}")'
      grep '^ai-edge-litert==' requirements/constraints.txt
    } >"$constraints"
    pip_install runtime "installing Python packages" requirements/{runtime,display,dashboard}.txt
  fi
  for group in ${groups[@]+"${groups[@]}"}; do
    case $group in
      test)
        install_sound_server
        pip_install test "installing test packages" requirements/{test,foxglove}.txt
        install_browser
        ;;
      training)
        pip_install training "installing TensorFlow and training packages (about 650 MB)" \
          requirements/{training,cluster,openvino,bags}.txt
        ;;
      docs)
        pip_install docs "installing what makes pages of the documents" requirements/docs.txt
        ;;
    esac
  done
}

# --- the workspace --------------------------------------------------------------------

# Python files are linked, not copied: only the list of them matters, not their content.
workspace_key() {
  local folders=()
  for folder in doa_ros training config launch examples; do
    [[ -d $folder ]] && folders+=("$folder")
  done
  {
    cat "$stamps/venv" "$stamps/runtime" CMakeLists.txt package.xml msg/*.msg
    find "${folders[@]}" -name __pycache__ -prune -o -type f -print | LC_ALL=C sort
  } | sha256sum | cut -d' ' -f1
}

build_workspace() {
  local key
  key=$(workspace_key)
  is_current workspace "$key" && [[ -f install/setup.bash ]] && return
  say "building the workspace$([[ -d build ]] || echo ' (about half a minute)')"
  rm -f "$stamps/workspace"
  # Left behind by nodes and files that are gone; the build makes the others again.
  rm -rf install/doa_ros/lib/doa_ros
  [[ ! -d install ]] || find install -xtype l -delete
  (
    PATH=$venv/bin:$PATH
    export VIRTUAL_ENV=$venv
    if [[ $flavour == wheels ]]; then
      export CMAKE_PREFIX_PATH=$venv AMENT_PREFIX_PATH=$venv
      unset COLCON_PREFIX_PATH PYTHONPATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
    fi
    colcon --log-level error build --symlink-install --event-handlers console_cohesion- \
      console_start_end- console_stderr- summary- status- --cmake-args -DBUILD_TESTING=OFF \
      -DPython3_EXECUTABLE="$venv/bin/python3"
  ) || {
    tail -n 30 log/latest_build/doa_ros/stdout_stderr.log >&2 || true
    die "colcon build failed; all of its output is in log/latest_build/doa_ros/"
  }
  mark_current workspace "$key"
}

make_venv
install_python_packages
build_workspace
say "ready: source env.sh"
