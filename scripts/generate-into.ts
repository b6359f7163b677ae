import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./setup/run.mjs";
import { writeVectors } from "./vectors/write-vectors.ts";
import { vendorProtos } from "./vendor-protos.ts";

/** Where the third-party protos go that packages of npm carry. */
export const vendoredDir = "third_party/proto";

/** Where the generated messages go. */
export const generatedDir = "packages/protocol/src/gen";

/** Where the test vectors of credentials go. */
export const vectorsDir = "docs/vectors";

/**
 * Makes all generated files of the repository under a root: the repository's own, or a temporary one to compare with.
 *
 * @throws Error with what buf said
 */
export async function generateInto(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  vendorProtos(join(root, vendoredDir));
  await writeVectors(join(root, vectorsDir));
  const { code, output } = await run("buf", ["generate", "--output", root]);
  if (code !== 0) throw new Error(`buf generate failed:\n${output}`);
}
