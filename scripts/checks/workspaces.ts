import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryDir } from "../setup/run.mjs";

/** The parts of a workspace's package.json that the checks use. */
export interface Manifest {
  name: string;
  exports?: Record<string, string>;
  dependencies?: Record<string, string>;
}

/** The workspaces listed in the root's package.json. */
export function listWorkspaces(): { dir: string; manifest: Manifest }[] {
  const { workspaces } = readJson<{ workspaces: string[] }>("package.json");
  return workspaces.map((dir) => ({ dir, manifest: readJson<Manifest>(join(dir, "package.json")) }));
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(repositoryDir, path), "utf8")) as T;
}
