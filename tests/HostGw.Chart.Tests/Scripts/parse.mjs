// node parse.mjs WEB-TREE-SITTER GRAMMAR: parses the script on standard input; a line for each error.
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

report(parser.parse(readFileSync(0, "utf8")).rootNode);
