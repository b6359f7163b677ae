/** A request token and when it is valid, in ms since 1970. */
export interface TimedToken {
  readonly token: string;
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

/**
 * Reads what `petak token --many` printed: JSON with a list of tokens, one valid after the other. k6 cannot sign with Ed25519, so they are made beforehand.
 *
 * @throws an Error that says what to do if it is something else.
 */
export function readTokens(text: string, path: string): TimedToken[] {
  const howTo = `Make it with: npx petak token --many 60 > ${path}`;
  let tokens: unknown;
  try {
    ({ tokens } = JSON.parse(text) as { tokens?: unknown });
  } catch {
    throw new Error(`${path} is not JSON. ${howTo}`);
  }
  if (!Array.isArray(tokens) || tokens.length === 0) throw new Error(`${path} has no list of tokens. ${howTo}`);
  return tokens.map((one, index) => {
    const { token, validFrom, validUntil } = one as Readonly<Record<string, unknown>>;
    const [validFromMs, validUntilMs] = [Date.parse(String(validFrom)), Date.parse(String(validUntil))];
    if (typeof token !== "string" || Number.isNaN(validFromMs) || Number.isNaN(validUntilMs)) {
      throw new Error(`Token ${index + 1} of ${path} has no token, validFrom or validUntil. ${howTo}`);
    }
    return { token, validFromMs, validUntilMs };
  });
}

/**
 * The token that is valid at a time and became so last.
 *
 * @throws an Error if there is none: the run is longer than the tokens last, or they are old.
 */
export function tokenAt(tokens: readonly TimedToken[], nowMs: number): string {
  const valid = tokens.filter(({ validFromMs, validUntilMs }) => validFromMs <= nowMs && nowMs < validUntilMs);
  const found = valid[valid.length - 1];
  if (found !== undefined) return found.token;
  const last = tokens[tokens.length - 1]?.validUntilMs ?? 0;
  throw new Error(
    `No token is valid at ${new Date(nowMs).toISOString()}; the last one ended at ${new Date(last).toISOString()}. Make as many minutes as the run takes: npx petak token --many MINUTES`,
  );
}
