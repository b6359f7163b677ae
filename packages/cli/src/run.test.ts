import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { freePort, tempDir } from "@petak/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { lazyCommands } from "./commands.ts";
import { helpGroups } from "./help-groups.ts";
import { runPetak } from "./testing/run-petak.ts";

describe("help", () => {
  test("is shown when asked for, on standard output", async () => {
    const { exitCode, stdout } = await runPetak(["--help"]);
    expect(exitCode).toBe(0);
    for (const command of [
      "start",
      "gateway",
      "journey",
      "find",
      "import",
      "keys",
      "participants",
      "reservations",
      "credentials",
      "webhooks",
      "archive",
      "token",
    ])
      expect(stdout).toMatch(new RegExp(`^  ([\\w-]+, )*${command}\\b`, "m"));
    expect(stdout).toContain("Exit codes: 0 done, 1 the operation failed, 2 called wrongly,\n3 no gateway answers, 4 a chain that is true");
  });

  test("fits a screen of 80 columns and 50 lines, and has each command once", async () => {
    const lines = (await runPetak(["--help"])).stdout.trimEnd().split("\n");
    expect([lines.length <= 50, lines.filter((line) => line.length > 80)]).toEqual([true, []]);
    const named = helpGroups.flatMap(([, rows]) => rows.flatMap(([names]) => names));
    expect(named.toSorted()).toEqual(lazyCommands.map(({ name }) => name).toSorted());
  });

  test("of a command is also that of `petak help`", async () => {
    for (const path of [[], ["find"], ["sites"], ["sites", "terms", "set"]]) {
      expect(await runPetak(["help", ...path])).toEqual(await runPetak([...path, "--help"]));
    }
    const { exitCode, stderr } = await runPetak(["help", "fnd"]);
    expect([exitCode, stderr]).toEqual([2, "petak: Unknown command 'fnd' (Did you mean find?) Try `petak --help`.\n"]);
  });

  test("shows written defaults, and none for optional values", async () => {
    const journey = await runPetak(["journey", "--help"]);
    expect(journey.stdout).toContain("(default: 1.3521,103.8198, in Singapore)");
    const reservations = await runPetak(["reservations", "--help"]);
    expect(reservations.stdout).not.toMatch(/default: (""|false)/);
    expect(reservations.stdout).toContain("(default: 1000)");
  });

  test("prints the version", async () => {
    expect(await runPetak(["--version"])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: "" });
  });

  test("is shown when no command is named, on standard error", async () => {
    const { exitCode, stdout, stderr } = await runPetak([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("Usage: petak");
  });
});

describe("a wrong call ends with 2 and one sentence", () => {
  test.each<[string, string[], RegExp]>([
    ["an unknown command", ["fnd"], /^petak: Unknown command 'fnd' \(Did you mean find\?\) Try `petak --help`\.\n$/],
    ["an unknown option", ["find", "1,2", "--colour"], /unknown option '--colour'/i],
    ["a missing argument", ["find"], /missing required argument 'lat,lng'/i],
    ["a missing option", ["keys", "make"], /required option '--out <file>' not specified\. Try `petak keys make --help`/i],
    ["a position that is none", ["find", "north"], /"north" is no angle/],
    [
      "a place that is neither a site's id nor a point",
      ["reserve", "sandbox-plain"],
      /Write a site's id, site_…, or latitude and longitude/,
    ],
    [
      "half a position",
      ["find", "1.35"],
      /longitude is empty\. Write latitude and longitude in degrees, e\.g\. 1\.3521,103\.8198\. Try `petak find --help`\./,
    ],
    [
      "what a command does not know",
      ["journey", "--parcels", "21"],
      /argument '21' is invalid\. Give a whole number from 1 to 20\. Try `petak journey --help`\./,
    ],
    [
      "an act that is none",
      ["credentials", "issue", "res_836520_kh2cbs8kjz4fmrpg", "--act", "fly"],
      /is invalid\. Write deposit, collect or recall\. Try `petak credentials issue --help`\./,
    ],
    ["a latitude out of range", ["find", "91,0"], /latitude 91 is outside -90 to 90/],
    ["a parcel that is none", ["find", "1,2", "--parcel", "big"], /300x200x150/],
    ["a kind that is none", ["find", "1,2", "--kind", "shop"], /"terminal" or "store"/],
    ["an address without a scheme", ["--url", "localhost:1", "find", "1,2"], /"localhost:1" must begin with http:\/\//],
    ["an address that is none", ["--url", "http://127.0.0.1:99999", "find", "1,2"], /"http:\/\/127\.0\.0\.1:99999" is no address/],
    ["an address with a password, which is not repeated", ["--url", "http://u:pw@host", "find", "1,2"], /^((?!pw).)*\n$/],
    [
      "an id of something else",
      ["confirm", "site_1"],
      /'site_1' is invalid for argument 'reservation'\. Write the id of a reservation, res_…/,
    ],
    [
      "an id that is none, by which a list would have nothing",
      ["reservations", "--site", "foo"],
      /Write the id of a site, site_…; `petak sites/,
    ],
    ["a folder in place of a key file", ["--key", "/tmp", "token"], /The key file \/tmp cannot be read: it is a folder\. Name a file\./],
    ["one of several ids", ["sites", "free", "site_1", "x"], /'x' is invalid for argument 'site'/],
    ["no key", ["find", "1,2"], /No key given: pass --key/],
    ["a key file that does not exist", ["--key", "nothing.json", "token"], /key file nothing\.json does not exist/],
    ["a publishable key where it will not do", ["--key", "pk_test_x", "token"], /only reads the directory/],
  ])("%s", async (_, argv, message) => {
    const { exitCode, stdout, stderr } = await runPetak(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("as an object on standard output with --json, wherever it stands", async () => {
    for (const argv of [
      ["--json", "fnd"],
      ["find", "--json", "91,0"],
    ]) {
      const { exitCode, stdout, stderr } = await runPetak(argv);
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ error: { reason: "usage" } });
    }
  });

  test("an invalid key file is named with the error", async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, "key.json"), "{}");
    const { exitCode, stderr } = await runPetak(["token"], { cwd, env: { PETAK_KEY: "key.json" } });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/key\.json is not a key file/);
  });
});

describe("a gateway that is not there ends with 3", () => {
  test("where nobody listens, with the way to start one", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { exitCode, stderr } = await runPetak(["find", "-6.2,106.8", "--key", "pk_test_x"], { env: { PETAK_URL: url } });
    expect(exitCode).toBe(3);
    expect(stderr).toBe(`petak: No gateway answers at ${url}. Start one with \`npm start\`, or check --url and PETAK_URL.\n`);
  });

  test("if another server answers", async () => {
    const server = createServer((_, response) => response.writeHead(404, { "content-type": "text/html" }).end("<p>no</p>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { exitCode, stdout } = await runPetak(["--url", `http://127.0.0.1:${port}`, "--json", "--key", "pk_test_x", "find", "1,2"]);
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { reason: "no-gateway", message: expect.stringContaining("is not a Petak gateway") },
    });
  });
});

test("a request that breaks a rule of the protocol is refused before it is sent", async () => {
  const { exitCode, stderr } = await runPetak(["find", "1,2", "--limit", "51", "--key", "pk_test_x"]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/limit: .*50 \[INVALID_FIELD\]/);
});
