#!/bin/sh
# Builds everything, checks the format of the changed files, and runs the unit tests that are quick: all but those with the trait Speed=slow.
# The code style is part of the build.
set -eu
cd "$(dirname "$0")/../.."

make --no-print-directory build

# Changed: since the branch left main, or not yet committed.
base=$(git merge-base HEAD main 2> /dev/null || git merge-base HEAD origin/main 2> /dev/null || echo HEAD)
files=$({ git diff --name-only --diff-filter=d "$base" && git ls-files --others --exclude-standard; } | grep '\.cs$' | sort -u) || files=
# shellcheck disable=SC2086 # a list of words
[ -z "$files" ] || dotnet format whitespace . --folder --verify-no-changes --include $files

# The tests of the Windows backend need a C compiler.
skip=
if command -v gcc > /dev/null; then
  tests/tools/standin.sh linux
else
  echo 'No gcc: the tests of the Windows backend are left out.'
  skip='-namespace- HostGw.Tests.Platform.Windows'
fi
# shellcheck disable=SC2086 # nothing, or two words
tests/HostGw.Tests/bin/Release/net10.0/HostGw.Tests -noLogo -trait- Speed=slow $skip < /dev/null
tests/HostGw.FakeApi.Tests/bin/Release/net10.0/HostGw.FakeApi.Tests -noLogo -trait- Speed=slow < /dev/null
