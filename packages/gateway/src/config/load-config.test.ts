import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configurationPage } from "./configuration-page.ts";
import { ConfigError, type ConfigSources, loadConfig } from "./load-config.ts";
import { flagOf, parseSetting, type Setting, variableOf } from "./setting.ts";
import { settings } from "./settings.ts";

function file(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "petak-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "petak.config.json");
  writeFileSync(path, text);
  return path;
}

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("without sources, every setting has its default, which is an allowed value", () => {
  const config: Record<string, unknown> = { ...loadConfig() };
  for (const setting of settings as readonly Setting[]) {
    expect(config[setting.name]).toBe(setting.default);
    expect([setting.name, parseSetting(setting, setting.default)]).toEqual([setting.name, setting.default]);
  }
});

test("flags take precedence over the environment, the environment over the file, the file over the defaults", () => {
  const filePath = file('{"port": 1, "audience": "from-file", "logLevel": "warn"}');
  const config = loadConfig({
    flags: { port: "3", host: undefined },
    env: { PETAK_PORT: "2", PETAK_AUDIENCE: "from-env", HOME: "/" },
    filePath,
  });
  expect(config).toMatchObject({ port: 3, audience: "from-env", logLevel: "warn", dataDir: ".petak" });
  expect(loadConfig({ env: { PETAK_CONFIG: filePath } }).port).toBe(1);
});

test("what is a number or a word may be a number in the file", () => {
  expect(loadConfig({ filePath: file('{"workers": 4}') }).workers).toBe("4");
  expect(problemsOf({ filePath: file('{"workers": 0.5}') })).toEqual([expect.stringContaining("workers must be auto, or a number")]);
});

test("durations may carry a unit", () => {
  for (const [text, ms] of [
    ["250", 250],
    ["250ms", 250],
    ["15s", 15_000],
    ["2m", 120_000],
  ] as const) {
    expect(loadConfig({ flags: { shutdownGraceMs: text } }).shutdownGraceMs).toBe(ms);
  }
});

test("all problems are listed, with the setting, the value and the allowed values", () => {
  const filePath = file('{"prot": 1, "logLevel": "loud", "port": "80"}');
  const env = { PETAK_REDIS_ULR: "x", PETAK_URL: "http://a", PETAK_REDIS_URL: "http://user:secret@a", PETAK_SHUTDOWN_GRACE_MS: "soon" };
  const problems = problemsOf({ flags: { port: "99999", nothing: 1 }, env, filePath });
  expect(problems).toEqual([
    `${filePath}: prot is not a setting. Did you mean port?`,
    `${filePath}: logLevel=loud: logLevel must be trace, debug, info, warn, error, silent.`,
    "PETAK_REDIS_ULR is not a setting. Did you mean PETAK_REDIS_URL?",
    "PETAK_REDIS_URL: redisUrl must be empty, or a URL that begins with redis:// or rediss:// or unix:// or redis+cluster:// or rediss+cluster://.",
    "PETAK_SHUTDOWN_GRACE_MS=soon: shutdownGraceMs must be 0 to 600000 ms, or with a unit: 500ms, 15s, 2m, 24h.",
    "--port=99999: port must be 0 to 65535.",
    "nothing is not a setting. docs/configuration.md lists them all.",
  ]);
});

test("contradicting settings are refused", () => {
  expect(problemsOf({ flags: { tlsCert: "a.pem" } })).toEqual([
    "tlsCert and tlsKey must be set together for TLS, or both be empty for cleartext.",
  ]);
  expect(problemsOf({ flags: { defaultTimeoutMs: "90s" } })).toEqual([
    "defaultTimeoutMs=90000 must be at most maxTimeoutMs, which is 60000.",
  ]);
  expect(problemsOf({ flags: { holdMaxMs: "1s" } })).toEqual(["holdDefaultMs=900000 must be at most holdMaxMs, which is 1000."]);
  expect(problemsOf({ flags: { tlsCert: "a.pem", tlsKey: "a.key", tlsClientCa: "b.pem", sandbox: "true" } })).toEqual([
    "sandbox cannot be set with tlsClientCa: the terminals of its sites call the port without certificates.",
  ]);
});

test("a missing file, invalid JSON and a value that is no object are reported with the path", () => {
  expect(problemsOf({ filePath: "/nowhere/petak.config.json" })[0]).toMatch(
    /^\/nowhere\/petak\.config\.json: the configuration file cannot be read/,
  );
  expect(problemsOf({ filePath: file("{") })[0]).toMatch(/is not valid JSON/);
  expect(problemsOf({ filePath: file("[]") })[0]).toMatch(/must be a JSON object/);
});

test("values of wrong types are refused for each type of setting", () => {
  for (const [name, bad] of [
    ["host", "a b"],
    ["host", ""],
    ["port", "8e3"],
    ["port", 1.5],
    ["port", true],
    ["redisUrl", "localhost"],
    ["redisUrl", "redis+cluster://localhost:99999"],
    ["durability", "no"],
    ["audience", "a b"],
    ["sweepIntervalMs", "1 s"],
    ["dataDir", 5],
    ["dataDir", "a\0b"],
  ] as const) {
    expect([name, bad, problemsOf({ flags: { [name]: bad } }).length]).toEqual([name, bad, 1]);
  }
});

test("names, flags and variables are unique", () => {
  for (const of of [(setting: Setting) => setting.name, flagOf, variableOf]) {
    const all = (settings as readonly Setting[]).map(of);
    expect(new Set(all).size).toBe(all.length);
  }
});

test("docs/configuration.md is up to date", () => {
  const page = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
  expect(page).toBe(configurationPage());
});
