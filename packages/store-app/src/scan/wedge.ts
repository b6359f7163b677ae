/** The longest pause between two keys of a scanner, in ms. Fast typists need 60 ms and more. */
const keyPauseMaxMs = 40;

/** The fewest characters of a code; fewer are somebody's fingers. */
const codeMinLength = 4;

/** The longest code that is taken. */
const codeMaxLength = 1200;

/** One key of the keyboard, when it was pressed. */
export interface Key {
  /** As in `KeyboardEvent.key`. */
  readonly key: string;
  /** In ms of any clock. */
  readonly atMs: number;
}

/** What a key means beside those before it. `code`: a scanner has sent all of it. `isScanner`: the key is a scanner's, and no field should have it. */
export interface WedgeAnswer {
  readonly code?: string;
  readonly isScanner: boolean;
}

/**
 * Tells a scanner that types from a person who does: by its speed, and Enter or Tab at the end. Fields of the page lose no key of a person.
 */
export function createWedge(): (key: Key) => WedgeAnswer {
  let text = "";
  let lastAtMs = Number.NEGATIVE_INFINITY;
  return ({ key, atMs }) => {
    const isFast = atMs - lastAtMs <= keyPauseMaxMs;
    lastAtMs = atMs;
    if (key === "Shift") return { isScanner: false };
    if (!isFast) text = "";
    if (key === "Enter" || key === "Tab") {
      const code = text;
      text = "";
      return code.length >= codeMinLength ? { code, isScanner: true } : { isScanner: false };
    }
    if (key.length !== 1 || text.length >= codeMaxLength) {
      text = "";
      return { isScanner: false };
    }
    text += key;
    return { isScanner: text.length >= codeMinLength };
  };
}
