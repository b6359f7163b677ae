import { readFileSync } from "node:fs";
import { flagOf, parseSetting, rangeOf, type Setting, variableOf } from "./setting.ts";
import { type Config, otherVariables, settings } from "./settings.ts";

/** Sources of a configuration. Precedence: flags, environment, file, defaults. */
export interface ConfigSources {
  /** Settings from the command line by name, e.g. `{ redisUrl: "redis://…" }`. Undefined entries are ignored. */
  flags?: Readonly<Record<string, unknown>>;
  /** The environment. Default: none. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The JSON file of `--config`. Default: the file that PETAK_CONFIG names, if any. */
  filePath?: string;
}

/** A configuration is invalid. Lists all problems, each with the setting, the value and the allowed values. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** One sentence for each problem. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const byName = new Map<string, Setting>(settings.map((setting) => [setting.name, setting]));
const byVariable = new Map<string, Setting>(settings.map((setting) => [variableOf(setting), setting]));

/**
 * Loads the configuration of a gateway.
 *
 * @throws {ConfigError} if a setting is unknown, its value is invalid, the file cannot be read, or settings contradict each other.
 */
export function loadConfig({ flags = {}, env = {}, filePath }: ConfigSources = {}): Config {
  const problems: string[] = [];
  const values: Record<string, string | number | boolean> = {};
  for (const setting of settings) values[setting.name] = setting.default;

  function take(setting: Setting, from: string, value: unknown): void {
    const parsed = parseSetting(setting, value);
    if (parsed !== undefined) values[setting.name] = parsed;
    else problems.push(`${from}${setting.secret ? "" : `=${shown(value)}`}: ${setting.name} must be ${rangeOf(setting)}.`);
  }

  const path = filePath ?? env.PETAK_CONFIG;
  if (path !== undefined && path !== "") {
    for (const [name, value] of Object.entries(readFile(path, problems))) {
      const setting = byName.get(name);
      if (setting === undefined) problems.push(`${path}: ${name} is not a setting. ${nearest(name, byName.keys())}`);
      else take(setting, `${path}: ${name}`, value);
    }
  }
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("PETAK_") || value === undefined || Object.hasOwn(otherVariables, variable)) continue;
    const setting = byVariable.get(variable);
    if (setting === undefined) problems.push(`${variable} is not a setting. ${nearest(variable, byVariable.keys())}`);
    else take(setting, variable, value);
  }
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const setting = byName.get(name);
    if (setting === undefined) problems.push(`${name} is not a setting. ${nearest(name, byName.keys())}`);
    else take(setting, flagOf(setting), value);
  }
  const config = values as unknown as Config;
  problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readFile(path: string, problems: string[]): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    problems.push(`${path}: the configuration file cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
    problems.push(`${path}: the configuration file must be a JSON object.`);
  } catch (error) {
    problems.push(`${path}: the configuration file is not valid JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return {};
}

function contradictions(config: Config): string[] {
  const problems: string[] = [];
  if ((config.tlsCert === "") !== (config.tlsKey === "")) {
    problems.push("tlsCert and tlsKey must be set together for TLS, or both be empty for cleartext.");
  }
  if (config.tlsClientCa !== "" && config.tlsCert === "") {
    problems.push("tlsClientCa needs tlsCert and tlsKey: clients have certificates over TLS only.");
  }
  if (config.sandbox && config.tlsClientCa !== "") {
    problems.push("sandbox cannot be set with tlsClientCa: the terminals of its sites call the port without certificates.");
  }
  if (config.defaultTimeoutMs > config.maxTimeoutMs) {
    problems.push(`defaultTimeoutMs=${config.defaultTimeoutMs} must be at most maxTimeoutMs, which is ${config.maxTimeoutMs}.`);
  }
  if (config.callerCallsGuaranteed > config.callerCallsMax) {
    problems.push(
      `callerCallsGuaranteed=${config.callerCallsGuaranteed} must be at most callerCallsMax, which is ${config.callerCallsMax}.`,
    );
  }
  if (config.holdDefaultMs > config.holdMaxMs) {
    problems.push(`holdDefaultMs=${config.holdDefaultMs} must be at most holdMaxMs, which is ${config.holdMaxMs}.`);
  }
  return problems;
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Suggests the known name with the smallest edit distance. */
function nearest(wrong: string, known: Iterable<string>): string {
  let best = "";
  let bestChanges = Math.ceil(wrong.length / 3) + 1;
  for (const name of known) {
    const changes = distance(wrong.toLowerCase(), name.toLowerCase());
    if (changes >= bestChanges) continue;
    best = name;
    bestChanges = changes;
  }
  return best === "" ? "docs/configuration.md lists them all." : `Did you mean ${best}?`;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
