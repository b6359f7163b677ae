import { globSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { bundlePicker } from "@petak/picker/bundle";
import { repositoryDir } from "../setup/run.mjs";
import { packedManifest, type SourceManifest, serverModule, sourcesOf } from "./manifests.ts";
import type { PublicPackage } from "./public-packages.ts";
import { follow } from "./reached.ts";

/**
 * Makes the folder of a package as it is to be packed.
 *
 * @param compiledDir where the workspace's sources were compiled to
 * @param folder does not exist yet
 */
export async function stage(wanted: PublicPackage, manifest: SourceManifest, compiledDir: string, folder: string): Promise<void> {
  const patterns = sourcesOf(wanted, manifest).map((source) => source.replace("./src/", ""));
  const extensions = wanted.isBundled === true ? [".d.ts"] : [".d.ts", ".js"];
  const entries = globSync(
    extensions.flatMap((extension) => patterns.map((pattern) => pattern.replace(/\.ts$/, extension))),
    { cwd: compiledDir },
  );
  const { files, packages } = await follow(entries.map((path) => join(compiledDir, path)));
  for (const file of files) {
    const target = join(folder, "dist", relative(compiledDir, file));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, target);
  }
  if (wanted.isBundled === true) await addBundle(join(folder, "dist"));
  if (wanted.data !== undefined) await addData(wanted.data, folder);
  await copyFile(join(repositoryDir, wanted.dir, "README.md"), join(folder, "README.md"));
  for (const file of ["LICENSE", "NOTICE"]) await copyFile(join(repositoryDir, file), join(folder, file));
  await writeFile(join(folder, "package.json"), `${JSON.stringify(packedManifest(wanted, manifest, packages), undefined, 2)}\n`);
}

/** Adds the files that a shop serves, a module that bundlers find, and one that servers find, which does nothing. */
async function addBundle(dist: string): Promise<void> {
  for (const [name, content] of await bundlePicker()) await writeFile(join(dist, name), content);
  await writeFile(join(dist, "index.js"), `export { PetakPicker } from "./petak-picker.js";\n`);
  await writeFile(join(dist, serverModule), "export class PetakPicker {}\n");
}

/** Adds a folder of data, and says in the modules that read it where it is now. */
async function addData({ path, name }: { path: string; name: string }, folder: string): Promise<void> {
  await cp(join(repositoryDir, path), join(folder, name), { recursive: true });
  let readers = 0;
  for (const file of globSync("dist/**/*.js", { cwd: folder })) {
    const script = join(folder, file);
    const source = await readFile(script, "utf8");
    const moved = source.replace(new RegExp(`"(\\.\\./)+${path}/"`), `"${relative(dirname(script), join(folder, name))}/"`);
    if (moved === source) continue;
    readers += 1;
    await writeFile(script, moved);
  }
  if (readers !== 1) throw new Error(`${readers} modules read ${path}, and not one: correct scripts/packages/public-packages.ts.`);
}
