import { join } from "node:path";
import { documentedSandbox } from "@petak/cli/testing/documented-sandbox";
import { createTempDir, type TempDir } from "@petak/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { type StartedPetak, startCommand } from "../testing/petak-process.ts";
import { readCodeBlocks } from "./code-blocks.ts";
import { courierExamples, repositoryDir } from "./courier-examples.ts";
import { createReader, makeClone, type Reader } from "./shown-commands.ts";
import { seenAtSites, walkSandbox } from "./walk-sandbox.ts";

// From a clone to a parcel through every site of the sandbox, by the commands of the pages that the README gives a courier's integrator, in their order.

const examples = await courierExamples();
let folder: TempDir;
let started: StartedPetak;
let gateway: string;
let reader: Reader;

/** The commands of a page, each block with its line. */
async function commandsOf(page: string): Promise<{ code: string; line: number }[]> {
  return (await readCodeBlocks(join(repositoryDir, page))).filter(({ language }) => language === "sh");
}

/** Runs commands that must succeed. @returns what they printed */
async function run(code: string): Promise<string> {
  const { exitCode, stdout, stderr } = await reader.run(code);
  expect([code, exitCode, stderr]).toEqual([code, 0, ""]);
  return stdout;
}

beforeAll(async () => {
  folder = await createTempDir();
  await makeClone(folder.path);
  // As the guide to the sandbox says for those who do not want to wait, on free ports and with fewer sites.
  const shown = (await commandsOf("docs/guides/sandbox.md")).map(({ code }) => code).find((code) => code.startsWith("npm start -- "));
  const start = `${shown} --port 0 --demo-sites 300`.split(" ");
  expect(start.slice(0, 2)).toEqual((await commandsOf("README.md"))[0]?.code.split(" "));
  const [program = "", ...args] = start;
  started = await startCommand(folder.path, [program, ...args], /Stop with Ctrl-C/);
  gateway = /running at (\S+)/.exec(started.said())?.[1] ?? "";
  reader = await createReader(folder.path, gateway, [started.said()]);
  return async () => {
    await started.interrupt();
    await folder.remove();
  };
});

describe("the README", () => {
  it("finds a place with the printed key, and walks one parcel through its life", async () => {
    const [find = ""] = (await commandsOf("README.md")).map(({ code }) => code).filter((code) => code.startsWith("curl"));
    const { options } = JSON.parse((await reader.run(find)).stdout) as { options: object[] };
    expect(options).toHaveLength(5);
    expect(await run("npx petak find 1.3521,103.8198")).toContain("Petak");
    expect(await run("npx petak journey")).toContain("Collected");
  });

  it("leads to a store, where a parcel goes over the counter without the network", async () => {
    const commands = (await commandsOf("docs/quickstart/store.md")).map(({ code }) => code);
    const [journey = ""] = commands.filter((code) => code.startsWith("npx petak journey"));
    expect(await run(journey)).toMatch(/PARCEL_COLLECTED +AGENT/);
  });
});

describe("the courier's guide", () => {
  it("shows commands that do what it says, in order", { timeout: 300_000 }, async ({ annotate }) => {
    const said: string[] = [];
    for (const { code, line } of await commandsOf("docs/guides/courier.md")) {
      if (code.startsWith("python3") && !reader.hasPython) {
        await annotate(`line ${line} was skipped: no Python here has the modules of the example`);
        continue;
      }
      const { exitCode, stdout, stderr } = await reader.run(code);
      expect(exitCode, `line ${line} said: ${stderr}`).toBe(0);
      if (!code.startsWith("curl")) expect(stderr, `line ${line}`).toBe("");
      // "Send it again: the answer is the same."
      if (code.includes("requestId")) expect((await reader.run(code)).stdout).toBe(stdout);
      said.push(stdout);
    }
    const ended = said.filter((text) => text.trimEnd().split("\n").at(-1)?.includes('"collected"'));
    expect(ended.length).toBe(reader.hasPython ? 2 : 1);
    const answers = said.filter((text) => text.startsWith("{") && !text.includes("\n")).map((text) => JSON.parse(text) as object);
    expect(answers.map((answer) => Object.keys(answer))).toEqual([
      ["endpoint"],
      ["options"],
      ["reservation", "site", "distanceM"],
      ["reservation"],
      ["code", "message", "details"],
    ]);
    expect(answers[2]).toMatchObject({ reservation: { state: "RESERVATION_STATE_HELD", partnerReference: "parcel-4711" } });
    expect(String((answers[2] as { distanceM?: number }).distanceM)).toMatch(/^\d+(\.\d\d?)?$/);
    expect(answers[3]).toMatchObject({ reservation: { state: "RESERVATION_STATE_CONFIRMED" } });
    expect(answers[4]).toMatchObject({ details: [{ reason: "INVALID_FIELD", field: "origin.latitude" }, {}] });
  });
});

describe("the guide to the sandbox", () => {
  it("shows commands that bring a parcel to a site and collect it there", async () => {
    const lines = (await commandsOf("docs/guides/sandbox.md"))
      .flatMap(({ code }) => code.split("\n"))
      .filter((line) => line.startsWith("npx petak"));
    const reserveAndConfirm = lines.filter((line) => /petak (reserve|confirm) /.test(line));
    expect(reserveAndConfirm).toHaveLength(2);
    let plain = "";
    const runHere = async (line: string) => await run(line.replace("site_…", plain));
    let said = "";
    for (const line of lines) {
      // "Of another parcel."
      if (line.includes("credentials issue")) for (const before of reserveAndConfirm) await runHere(before);
      const printed = await runHere(line);
      plain ||= /^sandbox-plain +(site_\w+)/m.exec(printed)?.[1] ?? "";
      said += printed;
    }
    expect([...said.matchAll(/^Door \S+ opened for (\w+)/gm)].map(([, act]) => act)).toEqual(["DEPOSIT", "COLLECT", "DEPOSIT"]);
  });

  describe.each(examples)("the courier's example in $language", (example) => {
    it("walks through each site of the sandbox, and sees there what the guide says", async ({ skip }) => {
      skip(example.obstacle !== undefined, example.obstacle);
      const shown = (await commandsOf("docs/guides/sandbox.md")).find(({ code }) => code.includes("--sandbox"))?.code ?? "";
      const [, script = ""] = example.command;
      expect(shown).toContain(`${script.slice(repositoryDir.length + 1)} --sandbox`);
      const documented = documentedSandbox().map((row) => ({
        ref: row.reference?.[0] ?? "",
        reserved: row.Reserve?.[0],
        deposit: row.deposit?.[0],
        events: row["the courier's events"] ?? [],
      }));
      const { exitCode, steps, stderr } = await walkSandbox(example, gateway, folder.path);
      expect([exitCode, stderr]).toEqual([0, ""]);
      const eventsOf = (ref: string) => documented.find((row) => row.ref === ref)?.events.length ?? 0;
      expect(seenAtSites(steps, eventsOf)).toEqual(documented);
    });
  });
});

describe("npm start", () => {
  it("ends by Ctrl-C, and says that it has", async () => {
    await started.interrupt();
    expect(started.noted()).toMatch(/Stopping …\nStopped\. The data is in .*\.petak\.\n$/);
  });
});
