# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0
#
# doa_ros on an official ROS 2 installation. NOT YET BUILT OR RUN BY ITS AUTHORS, who have no
# access to these images.
#
#   docker build -t doa_ros .
#   docker run --rm --network host --device /dev/snd doa_ros
#   docker run --rm --network host doa_ros ros2 launch doa_ros doa.launch.py source:=sim

ARG ROS_DISTRO=jazzy
FROM ros:${ROS_DISTRO}-ros-base

SHELL ["/bin/bash", "-c"]
WORKDIR /doa_ros
COPY . .

# What package.xml names comes from apt, what rosdep cannot give from pip, into .venv.
RUN apt-get update \
    && rosdep update --rosdistro "$ROS_DISTRO" \
    && rosdep install --from-paths . --ignore-src --rosdistro "$ROS_DISTRO" -y \
        --dependency-types buildtool --dependency-types build --dependency-types exec \
    && source "/opt/ros/$ROS_DISTRO/setup.bash" \
    && scripts/setup.sh \
    && rm -rf /var/lib/apt/lists/*

ENTRYPOINT ["/bin/bash", "-c", "source /opt/ros/$ROS_DISTRO/setup.bash && source /doa_ros/env.sh && exec \"$@\"", "doa_ros"]
CMD ["ros2", "launch", "doa_ros", "doa.launch.py"]
