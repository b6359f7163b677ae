import { Mode, type ModeName } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

/** Reads `test` or `live` from the command line. */
export function parseMode(text: string): ModeName {
  const name = text.trim().toLowerCase();
  if (name === "test" || name === "live") return name;
  throw new InvalidArgumentError('write "test" or "live".');
}

/** A mode as the protocol says it. */
export function modeOf(name: ModeName): Mode {
  return name === "live" ? Mode.LIVE : Mode.TEST;
}

/** A mode as people say it. */
export function modeName(mode: Mode): string {
  if (mode === Mode.LIVE) return "live";
  return mode === Mode.TEST ? "test" : "other";
}
