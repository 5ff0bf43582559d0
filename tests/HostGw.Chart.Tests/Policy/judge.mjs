// What an admission policy says to requests: node judge.mjs CEL-PACKAGE, {policy, requests} on standard input, one line for each.
import { readFileSync } from 'node:fs';

const { Environment } = await import(`${process.argv[2]}/lib/index.js`);
const { policy, requests } = JSON.parse(readFileSync(0, 'utf8'));
const environment = new Environment({ enableOptionalTypes: true, unlistedVariablesAreDyn: true });

for (const { request, object, oldObject, namespaceObject } of requests) {
  const known = { request, object, oldObject, namespaceObject, variables: {} };
  const holds = (rule) => environment.evaluate(rule.expression, known) === true;
  if (!policy.matchConditions.every(holds)) {
    console.log('not concerned');
    continue;
  }
  for (const variable of policy.variables)
    known.variables[variable.name] = environment.evaluate(variable.expression, known);
  console.log(policy.validations.find((rule) => !holds(rule))?.message ?? 'allowed');
}
