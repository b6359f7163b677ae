import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { repositoryDir, run } from "./setup/run.mjs";
import { vendorProtos } from "./vendor-protos.ts";

/** Where the third-party protos go that packages of npm carry. */
export const vendoredDir = "third_party/proto";

/** Where the generated messages go. */
export const generatedDir = "packages/protocol/src/gen";

/** Where the test vectors go. */
export const vectorsDir = "docs/vectors";

/** The numbers of fields that Lua scripts write. */
export const luaFieldsFile = "packages/records/src/lua/includes/fields.lua";

/** The page of the protocol, in which the table of transitions is generated. */
export const protocolPage = "docs/protocol.md";

/**
 * Makes all generated files of the repository under a root: the repository's own, or a temporary one to compare with.
 *
 * @throws Error with what buf said
 */
export async function generateInto(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  vendorProtos(join(root, vendoredDir));
  const { code, output } = await run("buf", ["generate", "--output", root]);
  if (code !== 0) throw new Error(`buf generate failed:\n${output}`);
  // What follows reads the generated messages, and so is loaded once they are written.
  const [{ writeVectors }, { luaFields }, { withTransitionsSection }] = await Promise.all([
    import("@petak/conformance/generate"),
    import("./lua-fields.ts"),
    import("@petak/lifecycle"),
  ]);
  await writeVectors(join(root, vectorsDir));
  await write(root, luaFieldsFile, luaFields());
  await write(root, protocolPage, withTransitionsSection(await readFile(join(repositoryDir, protocolPage), "utf8")));
}

async function write(root: string, path: string, content: string): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
