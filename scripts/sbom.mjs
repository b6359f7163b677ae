/**
 * `npm run -s sbom > petak.cdx.json`: prints the software bill of materials of what runs, in CycloneDX: every package that `npm ci --omit=dev` installs, as in the
 * container image, with version, licence and hash.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryDir } from "./setup/run.mjs";

/** @typedef {{ "bom-ref": string; name: string }} Component */
/** @typedef {{ ref: string; dependsOn: string[] }} Dependencies */

const npmSbom = ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx", "--sbom-type", "application"];
/** @type {{ metadata: { component: Component }; components: Component[]; dependencies: Dependencies[] }} */
const sbom = JSON.parse(execFileSync("npm", npmSbom, { cwd: repositoryDir, encoding: "utf8", maxBuffer: 1e8 }));
/** @type {{ packages: Record<string, { name?: string; version?: string; dev?: boolean; link?: boolean }> }} */
const { packages } = JSON.parse(readFileSync(join(repositoryDir, "package-lock.json"), "utf8"));

// `npm sbom --omit=dev` also leaves out what runs and is a development dependency of another workspace.
const running = new Set();
for (const [path, { name = nameIn(path), version, dev, link }] of Object.entries(packages)) {
  if (dev !== true && link !== true) running.add(`${name}@${version}`);
}

/** @param {string} path in `node_modules`, e.g. `node_modules/a/node_modules/@b/c` */
function nameIn(path) {
  return path.split("node_modules/").at(-1);
}

/** npm names workspaces by their folders. @param {Component} component */
function named(component) {
  return { ...component, name: component["bom-ref"].replace(/@[^@]+$/, "") };
}

sbom.metadata.component = named(sbom.metadata.component);
sbom.components = sbom.components.filter((component) => running.has(component["bom-ref"])).map(named);
sbom.dependencies = sbom.dependencies
  .filter(({ ref }) => running.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((to) => running.has(to)) }));
process.stdout.write(`${JSON.stringify(sbom, undefined, 2)}\n`);
