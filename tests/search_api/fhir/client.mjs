// Reads the feed as any program would, with a client that knows nothing of it; prints what it found as JSON.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, baseUrl] = process.argv.slice(2);
const require = createRequire(path.join(modules, "fhir-kit-client", "package.json"));
const entry = path.join(modules, "fhir-kit-client", require("./package.json").exports["."].import);
const { default: Default, Client = Default, CapabilityTool } = await import(pathToFileURL(entry));
const client = new Client({ baseUrl });

async function walk(resourceType, searchParams, options = {}) {
  const found = [];
  let pages = 0;
  let bundle = await client.search({ resourceType, searchParams, ...options });
  const first = bundle;
  let last = bundle;
  while (bundle) {
    pages += 1;
    found.push(...bundle.entry.map((one) => [one.search.mode, one.resource.resourceType, one.resource.id]));
    last = bundle;
    bundle = bundle.link.some((one) => one.relation === "next") ? await client.nextPage({ bundle }) : undefined;
  }
  const before = await client.prevPage({ bundle: last });
  return { found, pages, total: first.total, before: before.entry.map((one) => one.resource.id) };
}

const capabilities = await client.capabilityStatement();
const tool = new CapabilityTool(capabilities);
const plain = await walk("Practitioner", { _count: "40" });
const filtered = await walk("HealthcareService", {
  "organization.name": "cabinet",
  _sort: "-name",
  _count: "30",
  _include: "HealthcareService:organization",
  _revinclude: "PractitionerRole:service",
});
const posted = await walk("Location", { near: "48.985|1.72|12|km", _count: "15" }, { options: { postSearch: true } });
const [, , id] = plain.found[0];
const read = await client.read({ resourceType: "Practitioner", id });
const again = await client.vread({ resourceType: "Practitioner", id, version: read.meta.versionId });
let refusal;
try {
  await client.search({
    resourceType: "HealthcareService",
    searchParams: { unknown: "1" },
    options: { headers: { prefer: "handling=strict" } },
  });
} catch (error) {
  refusal = { status: error.response?.status, body: error.response?.data };
}
console.log(
  JSON.stringify({
    parameters: tool.searchParamsFor({ resourceType: "HealthcareService" }),
    plain,
    filtered,
    posted,
    same: JSON.stringify(read) === JSON.stringify(again),
    refusal,
  }),
);
