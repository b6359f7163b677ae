import { randomUUID } from "node:crypto";
import { readdir, readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type Device, readDevice } from "@petak/agent/device";
import { openSimulatedDevice } from "@petak/agent/simulation";
import type { PetakClient } from "@petak/client/node";
import { Act, ReservationState } from "@petak/protocol";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createDeviceView } from "../src/agent/device-view.ts";
import { createColors } from "../src/terminal/colors.ts";
import { createLiveArea } from "../src/terminal/live-area.ts";
import { playTerminal } from "../src/testing/screen.ts";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
let operatorKey: string;
let courier: PetakClient;
let siteId: string;

beforeAll(async () => {
  operatorKey = await gateway.makeParticipant("Operator", "operator");
  courier = await gateway.clientOf(await gateway.makeParticipant("Courier", "courier"));
});
beforeEach(async () => {
  siteId = await gateway.putSite(operatorKey);
});

async function agents<Result>(...args: string[]): Promise<Result> {
  const { stdout, exitCode } = await gateway.petak(["--key", operatorKey, "agents", ...args, "--json"]);
  return { ...(JSON.parse(stdout) as Result), exitCode };
}

interface Code {
  code: string;
  enrolmentId: string;
  line: string;
  ended?: string[];
}

/** Enrols a device in a new directory. */
async function enrolled(code?: string) {
  const dataDir = join(gateway.folder, randomUUID());
  const typed = code ?? (await agents<Code>("replace", siteId)).code;
  const { stdout, exitCode } = await gateway.petak(["agent", "enrol", typed, "--data-dir", dataDir, "--json"]);
  expect(exitCode).toBe(0);
  return { dataDir, keyId: (JSON.parse(stdout) as { keyId: string }).keyId };
}

interface Fact {
  event: string;
  state?: string;
  opened?: boolean;
  door?: string;
  message?: string;
  challenge?: string;
}

/** Runs an agent. Facts are those since the last look. */
function runAgent(dataDir: string) {
  const [stdin, facts, stopping] = [new PassThrough(), [] as Fact[], new AbortController()];
  const done = gateway.petak(["agent", "run", "--data-dir", dataDir, "--simulated", "--json"], {
    stdin,
    interruption: stopping.signal,
    onPrint: (text) => facts.push(JSON.parse(text) as Fact),
  });
  return {
    facts,
    type: (line: string) => stdin.write(`${line}\n`),
    until: (wanted: Partial<Fact>) =>
      vi.waitFor(
        () => {
          const index = facts.findIndex((fact) => Object.entries(wanted).every(([name, value]) => fact[name as keyof Fact] === value));
          if (index < 0) throw new Error(`${JSON.stringify(wanted)} is not among ${JSON.stringify(facts)}`);
          return facts.splice(0, index + 1).at(-1) as Fact;
        },
        { timeout: 60_000 },
      ),
    async stop() {
      stopping.abort(new Error("Interrupted."));
      return await done;
    },
  };
}

/** A confirmed reservation at the site, with a token to deposit and a PIN to collect. */
async function parcelOnItsWay() {
  const { reservation } = await courier.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await courier.reservations.confirm({ requestId: randomUUID(), reservationId });
  const issue = (act: Act) =>
    courier.reservations.issueCredential({ requestId: randomUUID(), reservationId, act, withPin: act === Act.COLLECT });
  const [deposit, collect] = [await issue(Act.DEPOSIT), await issue(Act.COLLECT)];
  return { reservationId, token: deposit.accessToken, pin: collect.pin };
}

const untilIs = (reservationId: string, state: ReservationState) =>
  vi.waitFor(
    async () => {
      const { reservation } = await courier.reservations.getReservation({ reservationId });
      expect(reservation?.state).toBe(state);
    },
    { timeout: 60_000, interval: 100 },
  );

/** The view of a device in a terminal of 90 columns, with keys. */
async function watched(dataDir: string) {
  const [written, stdin, stopping] = [[] as string[], new PassThrough(), new AbortController()];
  const area = createLiveArea({ write: (text) => written.push(text), columns: 90, rows: 24 });
  const device = (await readDevice(dataDir)) as Device;
  const view = createDeviceView({ area, stdin, colors: createColors(false), siteId, signal: stopping.signal, now: Date.now });
  const opened = await openSimulatedDevice({ device, tell: view.tell, signal: stopping.signal, software: "test" });
  const done = view.run(opened, opened.site()?.name ?? "");
  const screen = () => playTerminal(written.join(""), 90).lines.join("\n");
  return {
    press: (text: string) => stdin.write(text),
    until: (pattern: RegExp) => vi.waitFor(() => expect(screen()).toMatch(pattern), { timeout: 60_000 }),
    async ended() {
      await done;
      await opened.stop();
      view.end();
      return screen();
    },
  };
}

describe("petak agents and petak agent", () => {
  test("enrol a device whose key stays in files that only its owner can read", async () => {
    const { code, line } = await agents<Code>("enrol", siteId, "--label", "left door");
    expect(line).toBe(`npx petak agent enrol ${code} --url ${gateway.url} --data-dir DIR`);
    const { dataDir, keyId } = await enrolled(code.toLowerCase());
    expect((await readdir(dataDir)).sort()).toEqual(["agent-key.json", "device.json"]);
    for (const file of await readdir(dataDir)) expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(join(dataDir, "device.json"), "utf8"))).toEqual({ version: 1, url: gateway.url, site_id: siteId });
    const listed = await gateway.petak(["--key", operatorKey, "agents", "list", siteId]);
    expect(listed.stdout).toMatch(new RegExp(`^${keyId} +in force +left door +\\d{4}-`, "m"));
    const again = await gateway.petak(["agent", "enrol", code, "--data-dir", dataDir]);
    expect(again).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`has the key ${keyId} of site ${siteId} already`) as unknown,
    });
  });

  test("open doors by tokens and PINs, offline too, and forget nothing when the power is cut", async () => {
    // The device first: PINs end when another one is replaced.
    const { dataDir } = await enrolled();
    const { reservationId, token, pin } = await parcelOnItsWay();
    const agent = runAgent(dataDir);
    await agent.until({ event: "ready" });
    agent.type(`code ${token}`);
    await agent.until({ event: "decision", opened: true });
    await agent.until({ event: "door", door: "CLOSED" });
    await untilIs(reservationId, ReservationState.DEPOSITED);
    agent.type("link cut");
    await agent.until({ event: "link", state: "cut" });
    agent.type(`code ${token}`);
    await agent.until({ event: "decision", opened: false });
    agent.type(`code ${pin.slice(0, 4)} ${pin.slice(4)}`);
    await agent.until({ event: "decision", opened: true });
    await agent.until({ event: "door", door: "CLOSED" });
    agent.type("power cut");
    await agent.until({ event: "power", state: "back" });
    agent.type(`code ${pin}`);
    await agent.until({ event: "decision", opened: false });
    agent.type("link restore");
    await untilIs(reservationId, ReservationState.COLLECTED);
    expect(await agent.stop()).toMatchObject({ exitCode: 0 });
    const next = runAgent(dataDir);
    await next.until({ event: "ready" });
    expect(await next.stop()).toMatchObject({ exitCode: 0 });
  });

  test("open by a token that is bound to a key, to who signs the challenge that the terminal shows", async () => {
    const keyFile = `${randomUUID()}.json`;
    const credentials = (...args: string[]) => gateway.petak(["--key", operatorKey, "credentials", ...args]);
    const holder = (await credentials("holder-key", keyFile)).stdout.trim();
    expect(await credentials("holder-key", keyFile)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("is not written over") as unknown,
    });
    const { accessToken } = JSON.parse((await credentials("issue", siteId, "--holder", holder, "--json")).stdout) as {
      accessToken: string;
    };
    const agent = runAgent((await enrolled()).dataDir);
    await agent.until({ event: "ready" });
    agent.type("challenge");
    const { challenge = "" } = await agent.until({ event: "challenge" });
    const proven = await credentials("prove", accessToken, challenge, "--holder-key", keyFile, "--door", "M-2", "--json");
    const { presence, line } = JSON.parse(proven.stdout) as { presence: string; line: string };
    agent.type(`code ${accessToken}`);
    await agent.until({ event: "decision", opened: false });
    agent.type(line);
    expect(await agent.until({ event: "decision", opened: true })).toMatchObject({ compartmentId: "M-2", act: "SERVICE" });
    agent.type(`code ${accessToken} ${presence} M-3`);
    await agent.until({ event: "decision", opened: false });
    await agent.stop();
    await credentials("holder-key", `other-${keyFile}`);
    const other = await credentials("prove", accessToken, challenge, "--holder-key", `other-${keyFile}`);
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the token is not bound to this key") as unknown });
  });

  test("report a jammed door, and say what a line can be", async () => {
    const { token } = await parcelOnItsWay();
    const { dataDir } = await enrolled();
    const agent = runAgent(dataDir);
    await agent.until({ event: "ready" });
    const { compartments } = (await courier.directory.getSite({ siteId })).site ?? { compartments: [] };
    expect(compartments).toEqual([]);
    for (let door = 1; door <= 4; door++) agent.type(`jam M-${door}`);
    agent.type("open sesame");
    agent.type(`code ${token}`);
    await agent.until({ event: "decision", opened: false });
    const { stderr, exitCode } = await agent.stop();
    expect(exitCode).toBe(0);
    expect(stderr).toContain("a line must be one of: code PIN, code TOKEN [PROOF [DOOR]], challenge, sync, link cut");
  });

  test("show the doors in a terminal, and do what its keys say", async () => {
    const view = await watched((await enrolled()).dataDir);
    await view.until(/^Test site site-1 · link online\n\nDOOR {2}SIZE {2}STANDS {2}INSIDE\nM-1 {3}M {5}closed {2}nothing\n/);
    // The locks of the device before it had failed, and the site has a place again once this one has said that its own have not.
    const { token } = await vi.waitFor(parcelOnItsWay, { timeout: 60_000 });
    view.press("jam M-1\r");
    await view.until(/^M-1 .*jammed$/m);
    view.press("\u001b[Ajam nowhere\r");
    await view.until(/warn +the cabinet has no compartment 'nowhere'/);
    view.press("\u000c");
    await view.until(/link cut/);
    view.press(`free M-1\r${token}`);
    await view.until(new RegExp(`^> …${token.slice(-32)}▏`, "m"));
    view.press("\r");
    await view.until(/^\d\d:\d\d:\d\d opens +M-\d for DEPOSIT$/m);
    await view.until(/a parcel$/m);
    await view.until(/^Test site site-1 · link cut · \d reports wait$/m);
    view.press("\u0010");
    await view.until(/power +back/);
    view.press("\u000c");
    await view.until(/^Test site site-1 · link online$/m);
    view.press("\u0003");
    expect((await view.ended()).trim()).toBe("");
  });

  test("a device whose database is damaged does not start, and says so to its operator's feed as well", async () => {
    const { dataDir, keyId } = await enrolled();
    const agent = runAgent(dataDir);
    await agent.until({ event: "ready" });
    await agent.stop();
    const store = join(dataDir, "agent.db");
    await truncate(store, (await stat(store)).size - 1);
    const told = new RegExp(`^\\S+Z +alarm +STORE_DAMAGED +${keyId}$`, "m");
    let shown = "";
    // Twice at least. A gateway that takes longer than the device waits is told at a later start.
    for (let starts = 0; starts < 2 || !told.test(shown); starts++) {
      const damaged = await gateway.petak(["agent", "run", "--data-dir", dataDir, "--simulated"]);
      expect(damaged).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is damaged") as unknown });
      shown = (await gateway.petak(["--key", operatorKey, "agents", "conditions", siteId])).stdout;
    }
    expect(shown).toMatch(told);
  });

  test("replace a device: the old key is refused, and a new device takes its place", async () => {
    const old = await enrolled();
    const { code, ended } = await agents<Code>("replace", siteId);
    expect(ended).toContain(old.keyId);
    const refused = await gateway.petak(["agent", "run", "--data-dir", old.dataDir, "--simulated", "--json"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain("KEY_REVOKED");
    const fresh = runAgent((await enrolled(code)).dataDir);
    await fresh.until({ event: "ready" });
    await fresh.stop();
    const stranger = await gateway.petak(["agent", "enrol", code, "--data-dir", join(gateway.folder, randomUUID()), "--json"]);
    expect(stranger.stdout).toContain("ENROLMENT_CODE_USED");
  });

  test("enrol the same device again after its key was revoked, with its data", async () => {
    const { dataDir, keyId } = await enrolled();
    await agents("revoke", keyId);
    const { code } = await agents<Code>("enrol", siteId);
    const again = await gateway.petak(["agent", "enrol", code, "--data-dir", dataDir, "--again", "--json"]);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).not.toContain(keyId);
  });

  test("end a code that was not used, and no key that is not a device's", async () => {
    const { code, enrolmentId } = await agents<Code>("enrol", siteId);
    expect(await agents("revoke", enrolmentId)).toMatchObject({ revoked: enrolmentId });
    const refused = await gateway.petak(["agent", "enrol", code, "--data-dir", join(gateway.folder, randomUUID())]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("[ENROLMENT_CODE_INVALID]") as unknown });
    const own = (JSON.parse(await readFile(operatorKey, "utf8")) as { key_id: string }).key_id;
    const { stderr, exitCode } = await gateway.petak(["--key", operatorKey, "agents", "revoke", own]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is no key of a device of yours")]);
  });

  test("refuse a mistyped code, an address without TLS, and a folder where nothing is enrolled", async () => {
    const { code } = await agents<Code>("enrol", siteId);
    const wrong = code.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    const enrol = (url: string, typed: string) =>
      gateway.petak(["--url", url, "agent", "enrol", typed, "--data-dir", join(gateway.folder, randomUUID())]);
    expect((await enrol(gateway.url, wrong)).stderr).toContain("The code is mistyped");
    for (const url of ["http://gateway.example", "http://10.0.0.7:8420", "http://127.0.0.1.example", "ftp://gateway.example"]) {
      const { exitCode, stderr } = await enrol(url, code);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("must begin with http")]);
    }
    const none = await gateway.petak(["agent", "run", "--data-dir", "nowhere", "--simulated"]);
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("No device is enrolled in nowhere") as unknown });
  });
});
