import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let operator: string;

beforeAll(async () => {
  operator = await gateway.makeParticipant("Kancil Lockers", "operator");
});

async function importFile(content: string, options: string[] = [], name = "list.csv") {
  await writeFile(join(gateway.folder, name), content);
  return gateway.petak(["--key", operator, "import", "sites", name, "--kind", "terminal", "--country", "SG", ...options]);
}

/** Rows around a point; the last column is a name that the tests look for. */
function rows(prefix: string, count: number, latitude: number, longitude: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) => `${prefix}${index},${prefix} ${index},${(latitude + index / 1e4).toFixed(4)},${longitude}`,
  );
  return `id,name,lat,lng\n${lines.join("\n")}\n`;
}

async function namesNear(position: string): Promise<string[]> {
  const { stdout } = await gateway.petak([
    "--key",
    operator,
    "find",
    position,
    "--any-country",
    "--radius",
    "3000",
    "--limit",
    "50",
    "--json",
  ]);
  const { options = [] } = JSON.parse(stdout) as { options?: { site: { name: string } }[] };
  return options.map(({ site }) => site.name);
}

describe("importing", () => {
  test("imports every site, reports how it read the file, and the sites are found", async () => {
    const { exitCode, stdout } = await importFile(rows("A", 250, 1.3, 103.8));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^list\.csv: CSV, cells divided by commas, for the test network$/m);
    expect(stdout).toMatch(/^ {2}position\.latitude +lat \(guessed\)$/m);
    expect(stdout).toMatch(/^ {2}compartments +made up \("medium"\): .*give the real ones with --compartments/m);
    expect(stdout).toMatch(/^For Kancil Lockers, at http/m);
    expect(stdout).toMatch(/^Imported: 250 created, 0 updated, 0 unchanged\.$/m);
    const found = await gateway.petak(["--key", operator, "find", "1.3,103.8", "--limit", "2"]);
    expect(found.stdout.split("\n").slice(0, 3)).toEqual([
      expect.stringMatching(/^DISTANCE +NAME +OPERATOR +KIND +SIZE +FREE +SITE$/),
      expect.stringMatching(/^ +0 m +A 0 +Kancil Lockers +terminal +M +14 +site_\w+$/),
      expect.stringMatching(/^ +11 m +A 1 +Kancil Lockers +terminal +M +14 +site_\w+$/),
    ]);
  });

  test("again changes nothing, and with other facts changes them", async () => {
    const file = rows("B", 120, 1.32, 103.7);
    await importFile(file);
    expect((await importFile(file)).stdout).toMatch(/^Imported: 0 created, 0 updated, 120 unchanged\.$/m);
    const changed = await importFile(file, ["--compartments", "S:400x120x500:20"]);
    expect(changed.stdout).toMatch(/^Imported: 0 created, 120 updated, 0 unchanged\.$/m);
  });

  test("leaves a paused site paused, brings a retired one back, says both, and writes the ids", async () => {
    const file = rows("P", 3, 1.33, 103.6);
    await importFile(file, ["--ids", "ids.csv"]);
    const ids = (await readFile(join(gateway.folder, "ids.csv"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    expect(ids.map(([reference]) => reference)).toEqual(["operator_site_ref", "P0", "P1", "P2"]);
    const [paused = "", retired = ""] = ids.slice(1).map(([, siteId]) => siteId);
    await gateway.petak(["--key", operator, "sites", "pause", paused]);
    await gateway.petak(["--key", operator, "sites", "retire", retired]);
    const again = await importFile(file);
    expect(again.stdout).toMatch(/^ {2}1 out of service, which stays so: `petak sites resume` ends that\.$/m);
    expect(again.stdout).toMatch(/^ {2}1 retired, which is undone\.$/m);
    expect(again.stdout).toMatch(/^Imported: 0 created, 1 updated, 2 unchanged\.$/m);
    expect(await namesNear("1.33,103.6")).toEqual(["P 1", "P 2"]);
  });

  test("with --dry-run asks the gateway and writes nothing", async () => {
    const { exitCode, stdout } = await importFile(rows("C", 30, 1.4, 103.7), ["--dry-run"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/The gateway would accept them: 30 new, 0 existing\. Nothing was written\./);
    expect(await namesNear("1.4,103.7")).toEqual([]);
  });

  test("with --offline asks nobody, not even for a key", async () => {
    await writeFile(join(gateway.folder, "list.csv"), rows("D", 30, 1.4, 103.7));
    const { exitCode, stdout } = await gateway.petak([
      "--url",
      "http://127.0.0.1:1",
      "import",
      "sites",
      "list.csv",
      "--kind",
      "store",
      "--country",
      "SG",
      "--offline",
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Only the file was checked; no gateway was called.");
  });

  test("with --json prints one value", async () => {
    const { stdout } = await importFile(rows("J", 5, 1.25, 103.6), ["--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ file: "list.csv", format: "csv", depth: "write", rows: 5, refused: 0, created: 5 });
  });
});

describe("where a row is refused", () => {
  const file = `${rows("E", 20, 1.45, 103.9)}E3,Twice,1.45,103.9\nE90,North,north,103.9\n`;

  test("nothing is imported, and lines and reasons are shown", async () => {
    const { exitCode, stdout, stderr } = await importFile(file, ["--report", "refused.csv"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^2 refused:$/m);
    expect(stdout).toMatch(/^ {2}row 21, line 22: the reference "E3" stands in row 4, line 5, already \(Twice\)$/m);
    expect(stdout).toMatch(/^ {2}row 22, line 23: the latitude "north" is no angle/m);
    expect(stderr).toContain("2 of 22 rows are refused, so nothing was imported.");
    expect(await readFile(join(gateway.folder, "refused.csv"), "utf8")).toMatch(
      /^row,line,reason,message,reference,name\n21,22,duplicate-reference,/,
    );
    expect(await namesNear("1.45,103.9")).toEqual([]);
  });

  test("the others are imported with --skip-refused", async () => {
    const { exitCode, stdout } = await importFile(file, ["--skip-refused"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/22 rows in list\.csv: 20 accepted, 2 refused\./);
    expect(await namesNear("1.45,103.9")).toHaveLength(20);
  });

  test("by the gateway, too", async () => {
    await importFile(rows("F", 10, 1.35, 103.65));
    const moved = `id,name,lat,lng\nF1,F 1,1.35,103.65\nF2,F 2,3.1,101.7\n`;
    const refused = await importFile(moved);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toMatch(/^ {2}row 2, line 3: .*\[SITE_REGION_CHANGED\] \(F 2\)$/m);
    const skipped = await importFile(moved, ["--skip-refused", "--json"]);
    expect(JSON.parse(skipped.stdout)).toMatchObject({ rows: 2, refused: 1, refusedByReason: { gateway: 1 }, updated: 1 });
  });
});

describe("nothing is half imported", () => {
  test("when it is interrupted, it retires what it created and reports it", async () => {
    const controller = new AbortController();
    await writeFile(join(gateway.folder, "list.csv"), rows("G", 3000, 2.2, 102.2));
    const running = gateway.petak(["--key", operator, "import", "sites", "list.csv", "--kind", "store", "--country", "MY", "--json"], {
      interruption: controller.signal,
    });
    // Once the first site stands, the writing has begun.
    while ((await namesNear("2.2,102.2")).length === 0);
    controller.abort(new Error("Interrupted."));
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(1);
    const result = JSON.parse(stdout) as { error: { reason: string; message: string }; created: number; retired: number; left: number };
    expect(result.error.reason).toBe("interrupted");
    expect(result.error.message).toMatch(/^Interrupted\. The [\d,]+ sites that this run had created are retired again\.$/);
    expect(result).toMatchObject({ retired: result.created, left: 0 });
    expect(await namesNear("2.2,102.2")).toEqual([]);
  });
});

describe("a caller who may not import is refused before the second reading", () => {
  test("a courier", async () => {
    const courier = await gateway.makeParticipant("Courier", "courier");
    await writeFile(join(gateway.folder, "list.csv"), rows("H", 3, 1.3, 103.9));
    const { exitCode, stderr } = await gateway.petak([
      "--key",
      courier,
      "import",
      "sites",
      "list.csv",
      "--kind",
      "terminal",
      "--country",
      "SG",
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^petak: Courier \(par_\w+\) is no operator.*\[ROLE_REQUIRED\]\n$/m);
  });

  test("a test key for the live network", async () => {
    const { exitCode, stderr } = await importFile(rows("I", 3, 1.3, 103.9), ["--mode", "live"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("The key is a test key");
  });
});

test.each<[string, string[], RegExp]>([
  ["no kind", ["--country", "SG"], /Say what the sites are: --kind terminal or --kind store/],
  ["no country", ["--kind", "store"], /names no country\. Give --country/],
  ["a country that is none", ["--kind", "store", "--country", "Atlantis"], /two-letter country code/],
  ["hours that are none", ["--kind", "store", "--country", "SG", "--hours", "always"], /--hours: "always" is not a day/],
  ["compartments that are none", ["--kind", "store", "--country", "SG", "--compartments", "many"], /cannot read "many"/],
  ["a field that is none", ["--kind", "store", "--country", "SG", "--map", "where=lat"], /no field "where"/],
])("a call with %s ends with 2", async (_, options, message) => {
  await writeFile(join(gateway.folder, "list.csv"), rows("K", 1, 1.3, 103.9));
  const { exitCode, stderr } = await gateway.petak(["import", "sites", "list.csv", "--offline", ...options]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
