/**
 * Loaded before a server (`--import`), puts stand-ins in the place of the modules that the variable {@link standInsVariable} names, which do the same
 * without a special path. So a path is taken away without a switch in what is measured.
 */
import { registerHooks } from "node:module";
import { standInsVariable } from "./special-paths.ts";

const wanted = new Map(Object.entries(JSON.parse(process.env[standInsVariable] ?? "{}") as Record<string, string>));
const used = new Set<string>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const standIn = wanted.get(resolved.url);
    // A stand-in may use what it stands for.
    if (standIn === undefined || context.parentURL === standIn) return resolved;
    used.add(resolved.url);
    return { ...resolved, url: standIn };
  },
});

// What is not loaded cannot have been taken away: the figure would be that of another path.
setImmediate(() => {
  for (const url of wanted.keys()) if (!used.has(url)) throw new Error(`nothing loads ${url}, which was to be replaced`);
});
