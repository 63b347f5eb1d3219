#!/usr/bin/env bash
# Gradescope runs this once, as root on Ubuntu, when it builds the image.
set -eu
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends bubblewrap python3 python3-venv
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "[ERROR] Python 3.10 or newer is needed: choose Ubuntu 22.04 or newer as the base image" >&2
    exit 1
fi
python3 -m venv .venv
.venv/bin/python3 -m pip install 'pytest>=9.2'
