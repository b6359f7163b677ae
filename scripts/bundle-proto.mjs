/**
 * `npm run proto:bundle [-- --out FOLDER]`: makes a folder with the schema of `petak.v1`, all that it imports, and both as a descriptor set, which
 * `protoc` and `buf` compile as it is.
 */
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { repositoryDir, run } from "./setup/run.mjs";
import { setUpOrExit } from "./setup/set-up.mjs";

const { values } = parseArgs({ options: { out: { type: "string", default: "dist/petak-proto" } } });
const folder = resolve(values.out);
const descriptors = "petak-v1.binpb";

// Such as google/api, which many projects have beside their own files.
if (!(await isFree(folder))) {
  process.stderr.write(
    `${values.out} has files that are not of this bundle, and some would be deleted or replaced. Give --out a new or an empty folder.\n`,
  );
  process.exit(1);
}
await setUpOrExit({ server: false });
// Files that the schema has no more would still be compiled.
for (const name of ["petak", "buf", "google"]) await rm(join(folder, name), { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await buf("export", ".", "--path", "proto/petak/v1", "--path", "third_party/proto/google/rpc", "--output", folder);
// buf leaves out the well-known types, which it has itself; protoc finds them only where its own package brought them.
await cp(join(repositoryDir, "third_party/protobuf"), folder, { recursive: true });
await writeFile(join(folder, "buf.yaml"), "version: v2\n");
for (const file of ["LICENSE", "NOTICE"]) await copyFile(join(repositoryDir, file), join(folder, file));
await copyFile(join(repositoryDir, "proto/README.md"), join(folder, "README.md"));
await buf("build", folder, "--as-file-descriptor-set", "--output", join(folder, descriptors));
process.stdout.write(`${relative(process.cwd(), folder) || "."}: petak.v1 with its imports, and ${descriptors}\n`);

/** Whether a folder is not there, is empty, or was made here. @param {string} path */
async function isFree(path) {
  return !existsSync(path) || existsSync(join(path, descriptors)) || (await readdir(path)).length === 0;
}

/** Runs buf, and ends this process where buf fails. @param {string[]} args */
async function buf(...args) {
  const { code, output } = await run("buf", args);
  if (code === 0) return;
  process.stderr.write(`buf ${args[0]} failed:\n${output}\n`);
  process.exit(1);
}
