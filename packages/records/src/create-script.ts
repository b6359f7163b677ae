import { join } from "node:path";
import { scriptsIn } from "@petak/redis";

/** Makes the runner of a script in `lua/`, where all Lua lies. */
export const createScript = scriptsIn(join(import.meta.dirname, "lua"));
