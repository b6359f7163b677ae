import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Says to a server which modules are replaced by which, as an object of JSON, see take-away.ts. */
export const standInsVariable = "BENCH_STAND_INS";

/** Names the variable with the gateway's switches that are off, separated by commas: `unary-fast-path`, `http1-fast-reader`. */
export const switchedOffVariable = "BENCH_SWITCHED_OFF";

/** A way of doing what the libraries do, only faster. */
export interface SpecialPath {
  readonly name: string;
  /** Modules, as paths from the root, and what stands for each without the path, in `stand-ins/`. */
  readonly modules?: Readonly<Record<string, string>>;
  /** The gateway's own switch of it. */
  readonly switch?: "unary-fast-path" | "http1-fast-reader";
  /** Paths without which it does nothing. */
  readonly needs: readonly string[];
}

const optionsEncoder = "packages/gateway/src/features/directory/options-encoder";
const protocol = "packages/protocol/src";

/** All of them. */
export const specialPaths: readonly SpecialPath[] = [
  { name: "unary fast path", switch: "unary-fast-path", needs: [] },
  { name: "HTTP/1.1 fast reader", switch: "http1-fast-reader", needs: ["unary fast path"] },
  { name: "options encoder", modules: { [`${optionsEncoder}/options-encoder.ts`]: "options-encoder.ts" }, needs: ["unary fast path"] },
  { name: "compiled validators", modules: { [`${protocol}/validation/known-valid.ts`]: "known-valid.ts" }, needs: [] },
];

const root = join(import.meta.dirname, "../../..");

/** The environment of a server that has some of the special paths and no others. */
export function environmentWith(present: ReadonlySet<string>): Record<string, string> {
  const absent = specialPaths.filter(({ name }) => !present.has(name));
  const standIns = absent.flatMap(({ modules = {} }) =>
    Object.entries(modules).map(([module, standIn]) => [urlOf(join(root, module)), urlOf(join(import.meta.dirname, "stand-ins", standIn))]),
  );
  return {
    [standInsVariable]: JSON.stringify(Object.fromEntries(standIns)),
    [switchedOffVariable]: absent.flatMap((path) => path.switch ?? []).join(","),
  };
}

function urlOf(path: string): string {
  return pathToFileURL(path).href;
}
