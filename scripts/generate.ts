/** `npm run generate`: writes the generated files of the repository anew, from the protos and from the packages that carry others' protos. */
import { generateInto } from "./generate-into.ts";
import { repositoryDir } from "./setup/run.mjs";

await generateInto(repositoryDir);
