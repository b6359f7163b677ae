import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Says to a server which modules are replaced by which, as an object of JSON, see take-away.ts. */
export const standInsVariable = "BENCH_STAND_INS";

/** Lists to a server the switches of the gateway that are off, with commas between: `lane`, `lean`. */
export const switchedOffVariable = "BENCH_SWITCHED_OFF";

/** A way of doing what the libraries do, only faster. */
export interface SpecialPath {
  readonly name: string;
  /** Modules, as paths from the root, and what stands for each without the path, in `stand-ins/`. */
  readonly modules?: Readonly<Record<string, string>>;
  /** The gateway's own switch of it. */
  readonly switch?: "lane" | "lean";
  /** Paths without which it does nothing. */
  readonly needs: readonly string[];
}

const optionsEncoder = "packages/gateway/src/features/directory/options-encoder";
const protocol = "packages/protocol/src";

/** All of them. */
export const specialPaths: readonly SpecialPath[] = [
  { name: "lean path", switch: "lean", needs: [] },
  { name: "lane", switch: "lane", needs: ["lean path"] },
  { name: "options encoder", modules: { [`${optionsEncoder}/options-encoder.ts`]: "options-encoder.ts" }, needs: ["lean path"] },
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
