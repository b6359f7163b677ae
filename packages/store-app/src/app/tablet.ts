import { randomUuid } from "../ids/random-uuid.ts";

/** What this device keeps for ever, in the browser's own small store. A browser that has none forgets it with the page. */
function read(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // The page works on without.
  }
}

/** This tablet's own random id. */
export function ownTabletId(): string {
  const known = read("petak-tablet");
  if (known !== undefined) return known;
  const made = randomUuid();
  write("petak-tablet", made);
  return made;
}

/** The language that was chosen on this tablet. */
export function keptLanguage(): string | undefined {
  return read("petak-language");
}

export function keepLanguage(tag: string): void {
  write("petak-language", tag);
}
