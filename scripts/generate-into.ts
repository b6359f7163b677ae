import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { protoComments } from "./proto-comments.ts";
import { repositoryDir, run } from "./setup/run.mjs";
import { vendorProtos } from "./vendor-protos.ts";

/** The folder of the third-party protos that are copied from npm packages. */
export const vendoredDir = "third_party/proto";

/** The folder of the generated messages. */
export const generatedDir = "packages/protocol/src/gen";

/** The comments of the protocol, for descriptions of it. */
export const commentsFile = `${generatedDir}/comments.ts`;

/** The folder of the test vectors. */
export const vectorsDir = "docs/vectors";

/** The numbers of the fields that Lua scripts write. */
export const luaFieldsFile = "packages/records/src/lua/includes/fields.lua";

/** The page of the protocol with the generated table of transitions. */
export const protocolPage = "docs/protocol.md";

/**
 * Makes all generated files under a root: that of the repository, or a temporary one to compare with.
 *
 * @throws Error with buf's output
 */
export async function generateInto(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  vendorProtos(join(root, vendoredDir));
  const { code, output } = await run("buf", ["generate", "--output", root]);
  if (code !== 0) throw new Error(`buf generate failed:\n${output}`);
  await write(root, commentsFile, await protoComments());
  // Imported only now, because these modules read the messages that were just generated.
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
