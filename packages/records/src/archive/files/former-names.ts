/** Fields whose JSON names have changed since archives were first written: former name, present name. */
const presentNames: Readonly<Record<string, string>> = { overflowEnd: "overflowFallback", atEnd: "fallback" };

/** A renamed field with the beginning of its value. It cannot match inside a string value: quotes are escaped there. */
const formerField = /"(overflowEnd|atEnd)":("OVERFLOW_END_)?/g;

/** An archive line with the protocol's present JSON names. Lines of earlier versions may have former ones. */
export function withPresentNames(line: string): string {
  return line.replace(
    formerField,
    (_match, name: string, value?: string) => `"${presentNames[name]}":${value === undefined ? "" : '"OVERFLOW_FALLBACK_'}`,
  );
}
