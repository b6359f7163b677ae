import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listWorkspaces } from "../checks/workspaces.ts";
import { repositoryDir, run } from "../setup/run.mjs";

/** What packages are compiled to: what Node 24 and the browsers of the picker run; a bundler goes lower where its page has to. */
const target = "es2023";

/**
 * Compiles sources, with all that they import of their own workspaces, into JavaScript and declarations.
 *
 * @param sources paths in the repository, below `packages`; may have `*`
 * @param folder an existing folder; the files come into its folder `packages`
 * @throws {Error} with the compiler's output
 */
export async function compile(sources: readonly string[], folder: string): Promise<void> {
  const project = join(folder, "tsconfig.json");
  // A package's type declarations of modules are for all of its files, and imported by none.
  const ambient = globSync("packages/picker/src/**/*.d.ts", { cwd: repositoryDir });
  // Found as installed packages, the workspaces would be taken for other people's, of which the compiler makes nothing.
  const paths = listWorkspaces().flatMap(({ dir, manifest: { name, exports = {} } }) =>
    Object.entries(exports).map(([door, source]) => [`${name}${door.slice(1)}`, [join(repositoryDir, dir, source)]]),
  );
  const settings = {
    extends: join(repositoryDir, "tsconfig.base.json"),
    compilerOptions: {
      target,
      lib: ["esnext", "dom", "dom.iterable"],
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: repositoryDir,
      outDir: folder,
      paths: Object.fromEntries(paths),
      typeRoots: [join(repositoryDir, "node_modules/@types")],
    },
    files: [...globSync([...sources], { cwd: repositoryDir }), ...ambient].map((path) => join(repositoryDir, path)),
  };
  await writeFile(project, JSON.stringify(settings));
  const { code, output } = await run("tsc", ["--pretty", "false", "--project", project]);
  if (code !== 0) throw new Error(`The packages could not be compiled:\n${output}`);
}
