import { scriptsIn } from "@petak/redis";

/** Creates the function that runs a script of this folder, which holds all Lua of the project. */
export const createScript = scriptsIn(import.meta.dirname);
