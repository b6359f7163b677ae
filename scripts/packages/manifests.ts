import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryDir } from "../setup/run.mjs";
import type { PublicPackage } from "./public-packages.ts";

/** The parts of a workspace's manifest that packages are made of. Paths are of its sources: `./src/index.ts`. */
export interface SourceManifest {
  name: string;
  version: string;
  description: string;
  license: string;
  type: "module";
  sideEffects?: boolean;
  exports: Readonly<Record<string, string>>;
  imports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  dependencies?: Readonly<Record<string, string>>;
}

/** Reads the manifest of a workspace, or of the repository. */
export function readManifest<T = SourceManifest>(dir: string): T {
  return JSON.parse(readFileSync(join(repositoryDir, dir, "package.json"), "utf8")) as T;
}

/** The tarballs of packages, of whatever version, in a folder in which others may be too. @param names `@petak/client` */
export function tarballsIn(folder: string, names: readonly string[]): string[] {
  const patterns = names.map((name) => `${name.replace("@", "").replace("/", "-")}-[0-9]*.tgz`);
  return globSync(patterns, { cwd: folder }).map((file) => join(folder, file));
}

/** The module of a bundled package that servers load. */
export const serverModule = "server.js";

/** The sources of a package's entry points: of those for others, and of its own subpath imports, where `*` stands for any file. */
export function sourcesOf({ doors }: PublicPackage, { name, exports, imports = {} }: SourceManifest): string[] {
  const entries = doors.map((door) => {
    const source = exports[door];
    if (source === undefined) throw new Error(`${name} does not export ${door}: correct scripts/packages/public-packages.ts.`);
    return source;
  });
  return [...entries, ...Object.values(imports).flatMap((conditions) => Object.values(conditions))];
}

/**
 * The manifest of a package: with the compiled files, and only the dependencies that they import.
 *
 * @param imported the names of the packages that its files import
 */
export function packedManifest(
  { doors, data, isBundled = false }: PublicPackage,
  source: SourceManifest,
  imported: ReadonlySet<string>,
): object {
  const { name, version, description, license, type, sideEffects, exports, imports, dependencies = {} } = source;
  const missing = [...imported].filter((dependency) => dependencies[dependency] === undefined);
  if (missing.length > 0) throw new Error(`${name} imports ${missing.join(", ")}, which its dependencies do not list.`);
  const [nodeMajor = ""] = readManifest<{ devDependencies: { node: string } }>(".").devDependencies.node.split(".");
  const compiled = (path = "", extension = ".js") => path.replace("./src/", "./dist/").replace(/\.ts$/, extension);
  return {
    name,
    version,
    // Nothing is published: npm refuses to publish this by mistake, and installs it all the same.
    private: true,
    description,
    license,
    type,
    ...(sideEffects === undefined ? {} : { sideEffects }),
    engines: { node: `>=${nodeMajor}` },
    files: ["dist", "NOTICE", ...(data === undefined ? [] : [data.name])],
    exports: Object.fromEntries(
      doors.map((door) => [
        door,
        {
          types: compiled(exports[door], ".d.ts"),
          // A bundle for browsers does not even load where there is no HTMLElement.
          ...(isBundled ? { node: `./dist/${serverModule}` } : {}),
          default: compiled(exports[door]),
        },
      ]),
    ),
    ...(imports === undefined ? {} : { imports: mapPaths(imports, compiled) }),
    dependencies: Object.fromEntries(Object.entries(dependencies).filter(([dependency]) => imported.has(dependency))),
  };
}

function mapPaths(imports: NonNullable<SourceManifest["imports"]>, compiled: (path: string) => string): object {
  const mapConditions = (conditions: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(conditions).map(([condition, path]) => [condition, compiled(path)]));
  return Object.fromEntries(Object.entries(imports).map(([name, conditions]) => [name, mapConditions(conditions)]));
}
