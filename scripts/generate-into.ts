import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./setup/run.mjs";
import { vendorProtos } from "./vendor-protos.ts";

/** Where the third-party protos go that packages of npm carry. */
export const vendoredDir = "third_party/proto";

/** Where the generated messages go. */
export const generatedDir = "packages/protocol/src/gen";

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
}
