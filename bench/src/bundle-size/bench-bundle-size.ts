import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { version as esbuildVersion } from "esbuild";
import { replaceSection } from "../docs-section.ts";
import { type BundleSize, measureBundle, measuredPages } from "./bundle-sizes.ts";

const root = join(import.meta.dirname, "../../..");

/** Measures the sizes of pages' scripts. Of the benches' common options only those of the output apply. */
export async function benchBundleSize({ json, isDry }: { json: boolean; isDry: boolean }): Promise<void> {
  const sizes = await Promise.all(measuredPages.map(measureBundle));
  const report = { esbuild: esbuildVersion, libraries: await libraryVersions(), sizes };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${textOf(report)}\n`);
  if (isDry || json) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "bundle-size.json"), `${JSON.stringify(report, null, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- bundle-size", textOf(report));
}

/** The versions of the libraries that most of the sizes depend on. */
async function libraryVersions(): Promise<Record<string, string>> {
  const manifest = JSON.parse(await readFile(join(root, "packages/client/package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return Object.fromEntries(Object.entries(manifest.dependencies).filter(([name]) => /^@bufbuild|connect(-web)?$/.test(name)));
}

function textOf({
  esbuild,
  libraries,
  sizes,
}: {
  esbuild: string;
  libraries: Record<string, string>;
  sizes: readonly BundleSize[];
}): string {
  const kiB = (bytes: number) => (bytes / 1024).toFixed(1);
  const rows = sizes.map(({ what, minifiedBytes, gzipBytes, limitKiB }) => {
    const target = limitKiB === undefined ? "" : `≤ ${limitKiB}: ${gzipBytes <= limitKiB * 1024 ? "met" : "**not met**"}`;
    return `| ${what} | ${kiB(minifiedBytes)} | ${kiB(gzipBytes)} | ${target} |`;
  });
  const versions = Object.entries({ esbuild, ...libraries }).map(([name, version]) => `${name} ${version}`);
  return `${versions.join(", ")}.

| the page's script has | KiB, minified | KiB, gzip | target |
|---|---|---|---|
${rows.join("\n")}`;
}
