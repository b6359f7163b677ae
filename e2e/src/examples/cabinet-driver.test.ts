import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { runPetak } from "@petak/cli/testing/run-petak";
import { writeKeyFile } from "@petak/client/node";
import { Act, ReservationState, Role } from "@petak/protocol";
import { createTempDir, makeSite, type TempDir, useRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { repositoryDir } from "./courier-examples.ts";
import { type LockBoard, startLockBoard } from "./lock-board.ts";

const redis = useRedis();
const driver = join(repositoryDir, "examples/cabinet-driver/lock-board.mjs");
/** The places of the test site. */
const doors = ["M-1", "M-2", "M-3", "M-4"];
let folder: TempDir;
let network: TestNetwork;
let courier: TestParticipant;
let operator: TestParticipant;

beforeAll(async () => {
  folder = await createTempDir();
  network = await startTestNetwork({ redis });
  courier = await network.join("Courier", [Role.COURIER]);
  operator = await network.join("Rimba", [Role.OPERATOR]);
  await writeKeyFile(join(folder.path, "rimba.json"), keyFileOf(operator));
});
afterAll(async () => {
  await network.stop();
  await folder.remove();
});

const petak = (args: readonly string[], options = {}) => runPetak(["--url", network.baseUrl, ...args], { cwd: folder.path, ...options });

/** A lock board with the site's doors, known to the driver. */
async function board(having: readonly string[] = doors): Promise<LockBoard> {
  const started = await startLockBoard(having);
  vi.stubEnv("PETAK_LOCK_BOARD", started.address);
  vi.stubEnv("PETAK_COMPARTMENTS", having.map((door) => `${door}:M`).join(","));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await started[Symbol.asyncDispose]();
  });
  return started;
}

/** A device that is enrolled at the site, in place of the one before. */
async function enrolled() {
  const siteId = await network.putSite(operator, makeSite({ latitude: 1.3521, longitude: 103.8198 }));
  const { stdout } = await petak(["--key", "rimba.json", "agents", "replace", siteId, "--json"]);
  const dataDir = randomUUID();
  await petak(["agent", "enrol", (JSON.parse(stdout) as { code: string }).code, "--data-dir", dataDir]);
  return { siteId, dataDir };
}

/** Runs the agent over the board. Facts are those since the last look. */
function run(dataDir: string) {
  const [stdin, facts, stopping] = [new PassThrough(), [] as { event: string }[], new AbortController()];
  const done = petak(["agent", "run", "--data-dir", dataDir, "--cabinet", driver, "--json"], {
    stdin,
    interruption: stopping.signal,
    onPrint: (text: string) => facts.push(JSON.parse(text) as { event: string }),
  });
  return {
    type: (line: string) => stdin.write(`${line}\n`),
    async until(event: string) {
      await expect.poll(() => facts).toContainEqual(expect.objectContaining({ event }));
      return facts.splice(0, facts.findIndex((fact) => fact.event === event) + 1).at(-1);
    },
    async stop() {
      stopping.abort(new Error("Interrupted."));
      return await done;
    },
  };
}

/** A confirmed reservation at a site, with a token to deposit and a PIN to collect. */
async function parcelOnItsWay(siteId: string) {
  const { reservations } = courier.client;
  const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
  const place = { case: "siteId", value: siteId } as const;
  const { reservationId = "" } = (await reservations.reserve({ requestId: randomUUID(), place, parcel })).reservation ?? {};
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const issue = (act: Act) => reservations.issueCredential({ requestId: randomUUID(), reservationId, act, withPin: act === Act.COLLECT });
  return { reservationId, token: (await issue(Act.DEPOSIT)).accessToken, pin: (await issue(Act.COLLECT)).pin };
}

async function untilIs(reservationId: string, wanted: ReservationState): Promise<void> {
  const state = async () => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;
  await expect.poll(state, { interval: 100 }).toBe(wanted);
}

describe("the example of a cabinet driver", () => {
  it("takes a parcel in and hands it out through a lock board", async () => {
    const locks = await board();
    const { siteId, dataDir } = await enrolled();
    const { reservationId, token, pin } = await parcelOnItsWay(siteId);
    const agent = run(dataDir);
    expect(await agent.until("ready")).toMatchObject({ doors: 4, simulated: false });
    locks.hand = "puts in";
    agent.type(`code ${token}`);
    expect(await agent.until("decision")).toMatchObject({ opened: true, compartmentId: "M-1" });
    await untilIs(reservationId, ReservationState.DEPOSITED);
    locks.hand = "takes out";
    agent.type(`code ${pin}`);
    expect(await agent.until("decision")).toMatchObject({ opened: true, compartmentId: "M-1" });
    await untilIs(reservationId, ReservationState.COLLECTED);
    expect([await agent.stop(), locks.asked]).toEqual([expect.objectContaining({ exitCode: 0, stderr: "" }), ["M-1", "M-1"]]);
  });

  it("opens no second door when the board is lost while a lock was asked, and the operator hears of it", async () => {
    const locks = await board();
    const { siteId, dataDir } = await enrolled();
    const { reservationId, token } = await parcelOnItsWay(siteId);
    const agent = run(dataDir);
    await agent.until("ready");
    locks.does = "goes away";
    agent.type(`code ${token}`);
    expect(await agent.until("decision")).toMatchObject({ opened: false, refusal: "OUT_OF_ORDER" });
    expect(locks.asked).toEqual(["M-1"]);
    const refusals = async () =>
      (await courier.client.custody.getCustodyChain({ reservationId })).events.map(({ proof }) => proof?.refusal);
    await expect.poll(refusals, { interval: 100 }).toContain("LOCK_FAILED");
    expect(await agent.stop()).toMatchObject({ exitCode: 0 });
  });

  it("is checked by a command, which opens only the doors that it is told to", async () => {
    const locks = await board();
    locks.hand = "nothing";
    const closed = await petak(["agent", "check-cabinet", driver]);
    expect([closed, locks.asked]).toEqual([expect.objectContaining({ exitCode: 0, stderr: "" }), []]);
    const { exitCode, stdout, stderr } = await petak(["agent", "check-cabinet", driver, "--open", "M-2"]);
    expect([exitCode, stderr, locks.asked]).toEqual([0, "M-2 is open: close it.\n", ["M-2"]]);
    expect(stdout).toContain("✓ opens M-2, and tells when it is open and closed\n✓ stops\n");
  });

  it("is refused with a sentence where its doors are not those of the site, or no board answers", async () => {
    const { dataDir } = await enrolled();
    const runs = () => petak(["agent", "run", "--data-dir", dataDir, "--cabinet", driver]);
    const locks = await board(["M-1", "M-2"]);
    const fewer = await runs();
    expect([fewer.exitCode, fewer.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^petak: The compartments of the cabinet are not those of site_\w+: the cabinet has 2 of size class M and the site 4\.\n$/,
      ),
    ]);
    await locks[Symbol.asyncDispose]();
    expect(await runs()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^petak: The cabinet does not start: no lock board answers at 127\.0\.0\.1:\d+ \(/) as unknown,
    });
  });
});
