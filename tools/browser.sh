#!/usr/bin/env bash
# A Chromium for the portal's tests: the one that is installed, else one from the system's packages, else what to install.
set -euo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the portal's tests ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  apt-get install -qq -y chromium >/dev/null
  exit 0
fi
echo "The portal's tests need a browser: install Chromium or Google Chrome (Debian, Ubuntu: sudo apt-get install chromium), then run make test again."
exit 1
