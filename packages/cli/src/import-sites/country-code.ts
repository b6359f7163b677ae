let codesByName: Map<string, string> | undefined;

/**
 * The ISO 3166-1 alpha-2 code of a country, given by its code in any case or by its English name. Undefined if it is neither.
 */
export function countryCodeOf(text: string): string | undefined {
  codesByName ??= readNames();
  const key = text.trim().toLowerCase();
  return codesByName.get(key);
}

/** Every code that the runtime has a name for, by code and by name. */
function readNames(): Map<string, string> {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const codes = new Map<string, string>();
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  for (const code of letters.flatMap((first) => letters.map((second) => first + second))) {
    // EU, UN, ZZ and private codes have names too but are not countries.
    if (/^(A[AC]|CP|DG|E[AUZ]|IC|Q[M-Z]|QO|TA|UN|X[A-JL-Z]|ZZ)$/.test(code)) continue;
    // Deprecated codes have the name of their successor, which has its own code.
    if (new Intl.Locale(`und-${code}`).region !== code) continue;
    const name = names.of(code);
    if (name === undefined) continue;
    codes.set(code.toLowerCase(), code);
    codes.set(name.toLowerCase(), code);
  }
  return codes;
}
