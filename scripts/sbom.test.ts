import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { repositoryDir } from "./setup/run.mjs";

interface Component {
  "bom-ref": string;
  name: string;
  version: string;
  purl: string;
  licenses?: object[];
  hashes?: { alg: string; content: string }[];
}

interface Sbom {
  bomFormat: string;
  specVersion: string;
  serialNumber: string;
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface LockedPackage {
  version: string;
  dev?: boolean;
  integrity?: string;
}

let sbom: Sbom;
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "sbom.mjs")], { maxBuffer: 1e8 });
  sbom = JSON.parse(stdout) as Sbom;
});

test("it has each package that is installed without development, with its licence and the hash in the lock file", () => {
  const lock = JSON.parse(readFileSync(join(repositoryDir, "package-lock.json"), "utf8")) as { packages: Record<string, LockedPackage> };
  const installed = Object.entries(lock.packages).filter(([path, { dev }]) => path.includes("node_modules/") && dev !== true);
  const byPurl = new Map(sbom.components.map((component) => [decodeURIComponent(component.purl), component]));
  let compared = 0;
  for (const [path, { version, integrity }] of installed) {
    // A workspace, which has no hash.
    if (integrity === undefined) continue;
    const name = path.split("node_modules/").at(-1);
    const component = byPurl.get(`pkg:npm/${name}@${version}`);
    const hash = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
    expect([name, component?.name, component?.version]).toEqual([name, name, version]);
    expect([name, component?.hashes]).toEqual([name, [{ alg: "SHA-512", content: hash }]]);
    expect([name, component?.licenses?.length]).toEqual([name, 1]);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(80);
  expect(sbom.components.map(({ name }) => name)).toEqual(expect.arrayContaining(["@connectrpc/connect", "ioredis", "@petak/gateway"]));
  expect(sbom.components.map(({ name }) => name)).not.toContain("vitest");
});

test("it is one document about petak, in which each reference leads to one component", () => {
  expect(sbom).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/),
  });
  expect(sbom.metadata.component.name).toBe("petak");
  const refs = [sbom.metadata.component, ...sbom.components].map((component) => component["bom-ref"]);
  expect(new Set(refs).size).toBe(refs.length);
  for (const { ref, dependsOn } of sbom.dependencies) expect(refs).toEqual(expect.arrayContaining([ref, ...dependsOn]));
});
