import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The licences of the packages of npm in a bundle, one after the other. @param modules the paths of its modules, from the repository's root */
export async function licencesOf(root: string, modules: readonly string[]): Promise<string> {
  const packages = new Set(modules.flatMap((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = [...packages].sort().map(async (path) => {
    const manifest = JSON.parse(await readFile(join(root, path, "package.json"), "utf8")) as {
      name: string;
      version: string;
      license: string;
    };
    const text = await readFile(join(root, path, "LICENSE"), "utf8").catch(() => "");
    return `${manifest.name} ${manifest.version}: ${manifest.license}\n\n${text}`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}
