import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryDir } from "./setup/run.mjs";

/**
 * The licences of the packages of npm in a bundle, one after the other.
 *
 * @param {import("esbuild").Metafile} metafile of a build in the repository's root
 */
export async function thirdPartyLicences(metafile) {
  const modules = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((path) => (inputs[path]?.bytesInOutput ?? 0) > 0),
  );
  const packages = new Set(modules.flatMap((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...packages].sort().map(async (path) => {
    const folder = join(repositoryDir, path);
    const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const candidates = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((file) => readFile(join(folder, file), "utf8"));
    return `${name} ${version}: ${license}\n\n${await Promise.any(candidates).catch(() => "")}`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}
