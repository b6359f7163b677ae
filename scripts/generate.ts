/**
 * `npm run generate`: writes the generated files of the repository from the protos, from the packages with third-party protos, and from the
 * fixed keys of the test vectors.
 */
import { generateInto } from "./generate-into.ts";
import { repositoryDir } from "./setup/run.mjs";

await generateInto(repositoryDir);
