#!/usr/bin/env bash
# Installs the system library on the runners of GitHub. The containers of cibuildwheel install it themselves: see pyproject.toml.
set -euo pipefail
case "$RUNNER_OS" in
  Linux) sudo apt-get update && sudo apt-get install --yes pkg-config liblzma-dev ;;
  macOS) brew install pkgconf xz ;;
  Windows) # static, because a module finds a DLL only in its wheel
    vcpkg install --triplet x64-windows-static-md pkgconf liblzma
    folder="$VCPKG_INSTALLATION_ROOT/installed/x64-windows-static-md"
    {
      echo "PKG_CONFIG=$folder/tools/pkgconf/pkgconf.exe"
      echo "PKG_CONFIG_PATH=$folder/lib/pkgconfig"
      echo "PKG_CONFIG_ALL_STATIC=1"
    } >> "$GITHUB_ENV"
    ;;
esac
