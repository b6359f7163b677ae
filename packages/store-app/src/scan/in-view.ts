/** How long a code may be out of view and still be the same scan, in ms. */
export const sameScanMs = 2500;

/** Tells the codes that have come into view from those that are still there. */
export interface InView {
  /** One picture was looked at. Returns the codes that are new in it. */
  look(codes: readonly string[], atMs: number): string[];
  /** No more pictures: what was in view may have gone from now on. */
  stop(atMs: number): void;
}

/** Makes it. A code is in view for as long as each picture shows it, however slowly they are read, and for {@link sameScanMs} after the last. */
export function createInView(): InView {
  /** Each code, and since when it is out of view. Undefined: it is in view. */
  const codes = new Map<string, number | undefined>();
  return {
    look(seen, atMs) {
      for (const [code, goneAtMs = atMs] of codes) {
        if (atMs - goneAtMs >= sameScanMs) codes.delete(code);
        else if (!seen.includes(code)) codes.set(code, goneAtMs);
      }
      const found = [...new Set(seen)].filter((code) => !codes.has(code));
      for (const code of seen) codes.set(code, undefined);
      return found;
    },
    stop(atMs) {
      for (const [code, goneAtMs = atMs] of codes) codes.set(code, goneAtMs);
    },
  };
}
