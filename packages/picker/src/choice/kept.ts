import type { Point } from "../map/picker-map.ts";
import { isPoint } from "../settings/settings.ts";
import { type PickerChoice, readChoice } from "./choice.ts";

/** What a page remembers of a picker until its tab is closed. */
export interface Kept {
  readonly choice?: PickerChoice;
  /** Where the shopper was. */
  readonly point?: Point;
  readonly pointLabel?: string;
}

const keyOf = (name: string): string => `petak-picker:${name}`;

/** Reads what was kept under a picker's name: over a reload, a payment that failed, a part of the page that was exchanged. */
export function readKept(name: string): Kept {
  try {
    const { choice, point, pointLabel } = JSON.parse(sessionStorage.getItem(keyOf(name)) ?? "{}") as Kept;
    const read = readChoice(JSON.stringify(choice ?? null));
    return {
      ...(read && { choice: read }),
      ...(point !== undefined && isPoint(point) && { point, pointLabel: String(pointLabel ?? "") }),
    };
  } catch {
    return {};
  }
}

/** Keeps it. A page that may store nothing forgets it with the element. */
export function writeKept(name: string, kept: Kept): void {
  try {
    sessionStorage.setItem(keyOf(name), JSON.stringify(kept));
  } catch {
    // The form still has the choice.
  }
}
