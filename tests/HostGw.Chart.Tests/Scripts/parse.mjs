// node parse.mjs WEB-TREE-SITTER GRAMMAR: parses the scripts on standard input, which NUL separates.
// A line for each error; a line "---" after each script.
import { readFileSync } from "node:fs";

const [runtime, grammar] = process.argv.slice(2);
const { Parser, Language } = await import(`${runtime}/web-tree-sitter.js`);
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(`${grammar}/tree-sitter-powershell.wasm`));

function report(node) {
  const at = `${node.startPosition.row + 1}:${node.startPosition.column + 1}`;
  if (node.isMissing) console.log(`${at}: ${node.type} is missing`);
  else if (node.isError) console.log(`${at}: not understood: ${node.text.split("\n")[0]}`);
  node.children.forEach(report);
}

for (const script of readFileSync(0, "utf8").split("\0")) {
  report(parser.parse(script).rootNode);
  console.log("---");
}
