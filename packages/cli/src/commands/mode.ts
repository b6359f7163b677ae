import { Mode, type ModeName } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

/** Parses `test` or `live`. */
export function parseMode(text: string): ModeName {
  const name = text.trim().toLowerCase();
  if (name === "test" || name === "live") return name;
  throw new InvalidArgumentError('write "test" or "live".');
}

/** The protocol's value of a mode. */
export function modeOf(name: ModeName): Mode {
  return name === "live" ? Mode.LIVE : Mode.TEST;
}

/** The displayed name of a mode. */
export function modeName(mode: Mode): string {
  if (mode === Mode.LIVE) return "live";
  return mode === Mode.TEST ? "test" : "other";
}
