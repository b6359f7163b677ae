/** The environment of a run: `k6 run -e NAME=value`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What every script can be told. */
export interface Settings {
  /** `PETAK_URL`: the gateway's address, with `http://` or `https://`. Default `http://127.0.0.1:8420`, where `npm start` listens. */
  readonly url: string;
  /** The host and port of {@link url}, for gRPC. */
  readonly address: string;
  /** Whether {@link url} is in cleartext. */
  readonly isPlaintext: boolean;
  /** `PETAK_TOKENS`: the file with request tokens, from the script's folder. Default `tokens.json`. */
  readonly tokensPath: string;
  /** `PETAK_RATE`: iterations begun each second. */
  readonly rate: number;
  /** `PETAK_DURATION`: how long, e.g. `90s`, `5m`, `1h`. */
  readonly duration: string;
  /** `PETAK_CITY`: one of the cities in `src/cities.ts`. */
  readonly city: string;
}

/**
 * Reads the settings of a run.
 *
 * @throws an Error that names the variable, its value and what is allowed.
 */
export function readSettings(environment: Environment, defaults: { rate: number; duration: string }): Settings {
  const {
    PETAK_URL: url = "http://127.0.0.1:8420",
    PETAK_TOKENS: tokensPath = "tokens.json",
    PETAK_RATE: rate = String(defaults.rate),
    PETAK_DURATION: duration = defaults.duration,
    PETAK_CITY: city = "Singapore",
  } = environment;
  const [, scheme, host = "", port] = /^(https?):\/\/([^/:?#]+|\[[^\]]+\])(?::(\d+))?\/?$/.exec(url) ?? [];
  if (scheme === undefined) throw new Error(`PETAK_URL is "${url}", but an address is http://HOST:PORT or https://HOST:PORT.`);
  const perSecond = Number(rate);
  if (!Number.isInteger(perSecond) || perSecond < 1 || perSecond > 100_000) {
    throw new Error(`PETAK_RATE is "${rate}", but a rate is a whole number from 1 to 100000, in iterations a second.`);
  }
  if (!/^(\d+(ms|s|m|h))+$/.test(duration)) throw new Error(`PETAK_DURATION is "${duration}", but a duration is e.g. 90s, 5m or 1h30m.`);
  const isPlaintext = scheme === "http";
  return {
    url: url.replace(/\/$/, ""),
    address: `${host}:${port ?? (isPlaintext ? "80" : "443")}`,
    isPlaintext,
    tokensPath,
    rate: perSecond,
    duration,
    city,
  };
}
