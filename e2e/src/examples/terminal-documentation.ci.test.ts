import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runPetak } from "@petak/cli/testing/run-petak";
import { writeKeyFile } from "@petak/client/node";
import { ReservationState, Role } from "@petak/protocol";
import { createTempDir, makeSite, type TempDir, useRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPetak } from "../testing/petak-process.ts";
import { readCodeBlocks } from "./code-blocks.ts";
import { repositoryDir } from "./courier-examples.ts";
import { createReader, makeClone, type Reader } from "./shown-commands.ts";

const redis = useRedis();
let folder: TempDir;
let network: TestNetwork;
let courier: TestParticipant;
let operator: TestParticipant;
let siteId: string;
let reader: Reader;

beforeAll(async () => {
  folder = await createTempDir();
  network = await startTestNetwork({ redis });
  courier = await network.join("Courier", [Role.COURIER]);
  operator = await network.join("Rimba", [Role.OPERATOR]);
  siteId = await network.putSite(operator, makeSite({ latitude: 1.3521, longitude: 103.8198 }));
  await mkdir(join(folder.path, ".petak/keys"), { recursive: true });
  await writeKeyFile(join(folder.path, ".petak/keys/courier.json"), keyFileOf(courier));
  for (const path of [".petak/keys/operator-kancil.json", "rimba.json"]) await writeKeyFile(join(folder.path, path), keyFileOf(operator));
  await makeClone(folder.path);
  reader = await createReader(folder.path, network.baseUrl, []);
});
afterAll(async () => {
  await network.stop();
  await folder.remove();
});

const page = (name: string) => join(repositoryDir, "docs", name);

/** The arguments of a command of petak. */
function argumentsOf(command: string): string[] {
  return command.trim().split(/\s+/).slice(2);
}

describe("the quick start of a terminal", () => {
  it("shows commands that enrol a device, run it and send a parcel through it, in order", async () => {
    const blocks = await readCodeBlocks(page("quickstart/terminal.md"));
    const commands = blocks
      .filter(({ language }) => language === "sh")
      .flatMap(({ code }) => (code.includes("curl") ? code : code.split("\n")));
    let [printed, code, proofLine] = ["", "", ""];
    let agent: Awaited<ReturnType<typeof startPetak>> | undefined;
    let challenge = "";
    for (const command of commands) {
      if (command.includes("agent run")) {
        agent = await startPetak(folder.path, argumentsOf(command), /Ready: 4 simulated doors/);
        continue;
      }
      if (command.includes("CHALLENGE")) {
        agent?.child.stdin?.write("challenge\n");
        const shown = /^challenge (\S{22}) for 60 s$/m;
        await expect.poll(() => agent?.said()).toMatch(shown);
        [, challenge = ""] = shown.exec(agent?.said() ?? "") ?? [];
      }
      const { exitCode, stdout, stderr } = await reader.run(command.replace("CODE", code).replace("CHALLENGE", challenge));
      expect([command, exitCode, stderr]).toEqual([command, 0, ""]);
      [, code = code] = /Code {2}(\S+)/.exec(stdout) ?? [];
      [, proofLine = proofLine] = /^Show the terminal: {2}(.*)$/m.exec(stdout) ?? [];
      printed += stdout;
    }
    expect(printed).toContain(siteId);
    const [deposit = ""] = /ey[\w-]+\.[\w-]+\.[\w-]+/.exec(printed) ?? [];
    const [, pin = ""] = /PIN\s+(\d{8})/.exec(printed) ?? [];
    const [reservationId = ""] = /res_\w+/.exec(printed) ?? [];
    const [lines = "", proving = "", breaking = ""] = blocks.filter(({ language }) => language === "text").map(({ code }) => code);
    expect(proofLine.replace(/ ey\S+ \S+ /, " ey… PROOF ")).toBe(proving.trim());
    agent?.child.stdin?.write(`${proofLine}\n`);
    await expect.poll(() => agent?.said()).toContain("opens     M-2 for SERVICE");
    const untilIs = async (wanted: ReservationState) => {
      const state = async () => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;
      await expect.poll(state, { interval: 200 }).toBe(wanted);
    };
    const [first = "", ...others] = lines
      .replace("ey…", deposit)
      .replace(/\d{8}$/, pin)
      .split("\n");
    agent?.child.stdin?.write(`${first}\n`);
    await untilIs(ReservationState.DEPOSITED);
    agent?.child.stdin?.write(`${others.join("\n")}\n${breaking}\n`);
    await untilIs(ReservationState.COLLECTED);
    await expect.poll(() => agent?.said()).toContain("M-1 is free again");
    expect(agent?.noted()).toBe("");
    agent?.child.kill("SIGTERM");
    await expect.poll(() => agent?.child.exitCode).toBe(0);
  });
});

describe("the guide to devices", () => {
  it("shows only commands of petak that exist, with options that they have", async () => {
    const shown = (await readCodeBlocks(page("guides/devices.md"))).flatMap(({ code }) => [...code.matchAll(/npx petak ([^|>)#`\n]+)/g)]);
    expect(shown.length).toBeGreaterThan(2);
    for (const [, command = ""] of shown) {
      const words = [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      const { stderr } = await runPetak(["--url", "http://127.0.0.1:9", ...words], { cwd: folder.path });
      expect(stderr, command).not.toMatch(/unknown (command|option)|too many arguments|missing required/i);
    }
  });

  it("has a unit of systemd that starts a command which exists", async () => {
    const unit = await readFile(join(repositoryDir, "deploy/petak-agent.service"), "utf8");
    const [, command = ""] = /^ExecStart=\S+ --\S+ \/opt\/petak-agent\/petak-agent\.mjs (.*)$/m.exec(unit) ?? [];
    const { exitCode, stdout } = await runPetak(["agent", ...command.split(" ")]);
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining("No device is enrolled in /var/lib/petak-agent")]);
  });
});
