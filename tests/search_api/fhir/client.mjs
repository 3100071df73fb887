// Reads the feed as any program would, with a client that knows nothing of it; prints what it found as JSON.
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, baseUrl, task, location] = process.argv.slice(2);
const entry = path.join(modules, "fhir-kit-client", "dist", "index.js");
const { Client, CapabilityTool } = await import(pathToFileURL(entry));
const client = new Client({ baseUrl });

async function walk(resourceType, searchParams, options = {}) {
  const found = [];
  let pages = 0;
  let last;
  let bundle = await client.search({ resourceType, searchParams, options });
  const { total } = bundle;
  while (bundle) {
    pages += 1;
    found.push(...bundle.entry.map((one) => [one.search.mode, one.resource.resourceType, one.resource.id]));
    last = bundle;
    bundle = await client.nextPage({ bundle });
  }
  const before = await client.prevPage({ bundle: last });
  return { found, pages, total, before: before.entry.map((one) => one.resource.id) };
}

async function search() {
  const tool = new CapabilityTool(await client.capabilityStatement());
  const plain = await walk("Practitioner", { _count: "40" });
  const filtered = await walk("HealthcareService", {
    "organization.name": "cabinet",
    _sort: "-name",
    _count: "30",
    _include: "HealthcareService:organization",
    _revinclude: "PractitionerRole:service",
  });
  const posted = await walk("Location", { near: "48.985|1.72|12|km", _count: "15" }, { postSearch: true });
  const [, , id] = plain.found[0];
  const read = await client.read({ resourceType: "Practitioner", id });
  const again = await client.vread({ resourceType: "Practitioner", id, version: read.meta.versionId });
  const role = filtered.found.find(([, type]) => type === "PractitionerRole");
  const { practitioner } = await client.read({ resourceType: role[1], id: role[2] });
  const person = await client.resolve({ reference: practitioner.reference });
  let refusal;
  try {
    await client.search({
      resourceType: "HealthcareService",
      searchParams: { unknown: "1" },
      options: { headers: { prefer: "handling=strict" } },
    });
  } catch (error) {
    refusal = error.response;
  }
  const parameters = tool.searchParamsFor({ resourceType: "HealthcareService" });
  const same = JSON.stringify(read) === JSON.stringify(again);
  return { parameters, plain, filtered, posted, same, person: person.resourceType, refusal };
}

async function ask() {
  const answer = await client.operation({
    name: "export",
    method: "GET",
    input: { _type: "Practitioner" },
    options: { headers: { prefer: "respond-async" } },
  });
  return Client.httpFor(answer).response.headers.get("content-location");
}

async function take() {
  const manifest = await client.request(location, { options: { headers: { accept: "application/json" } } });
  const ids = [];
  for (const file of manifest.output) {
    const text = await (await fetch(file.url)).text();
    ids.push(...text.trim().split("\n").map((line) => JSON.parse(line).id));
  }
  return ids;
}

console.log(JSON.stringify(await { search, ask, take }[task]()));
