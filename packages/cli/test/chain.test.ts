import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let courier: string;
let reservationId: string;

interface SavedChain {
  reservation: { state: string; revision: number; chain?: { length: number; lastHash: string } };
  events: { eventId: string; stateAfter: string; reservationRevision: number; receipt?: { number: number } }[];
  receipts: { number: number; jws: string; hash: string }[];
  statement?: { jws: string; eventHashes: string };
}

beforeAll(async () => {
  courier = await gateway.makeParticipant("Courier", "courier");
  const operatorKey = await gateway.makeParticipant("Operator", "operator");
  await gateway.putSite(operatorKey);
  const walked = await gateway.petak(["--key", courier, "journey", "--operator-key", operatorKey]);
  expect(walked.exitCode).toBe(0);
  reservationId = /res_\w+/.exec(walked.stdout)?.[0] ?? "";
  const kept = await gateway.petak(["--key", courier, "chain", reservationId, "--out", "chain.json"]);
  expect(kept).toMatchObject({ exitCode: 0, stderr: "" });
  expect(kept.stdout).toMatch(/^ *1 +RESERVED .* gateway$/m);
  expect(kept.stdout).toMatch(/^ *2 +DEPOSITED +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +par_\w+ +par_\w+ +gateway, site's agent$/m);
  expect(kept.stdout).toMatch(/^ *3 +COLLECTED +.* par_\w+ +consumer +gateway, site's agent$/m);
  await gateway.petak(["keys", "issuer", "--data-dir", "../data", "--out", "keys.json"]);
});

/** Verifies a file with no gateway anywhere. */
const verify = (file: string, ...options: string[]) =>
  runPetak(["--url", "http://127.0.0.1:1", "verify-chain", file, "--keys", "keys.json", ...options], { cwd: gateway.folder });

async function savedChain(file = "chain.json"): Promise<SavedChain> {
  return JSON.parse(await readFile(join(gateway.folder, file), "utf8")) as SavedChain;
}

/** Verifies the saved chain after a change. */
async function verifyChanged(change: (chain: SavedChain) => void, ...options: string[]) {
  const chain = await savedChain();
  change(chain);
  await writeFile(join(gateway.folder, "changed.json"), JSON.stringify(chain));
  return await verify("changed.json", ...options);
}

test("petak chain --events shows every event before the hand-overs", async () => {
  const { exitCode, stdout, stderr } = await gateway.petak(["--key", courier, "chain", reservationId, "--events"]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const { events } = await savedChain();
  const rows = stdout.split("\n\n")[0]?.split("\n").slice(1) ?? [];
  expect(rows).toHaveLength(events.length);
  expect(rows[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z +RESERVATION_HELD +PARTICIPANT +HELD *$/);
  expect(rows.at(-1)).toMatch(/PARCEL_COLLECTED +AGENT +COLLECTED +ACCESS_TOKEN, report 6 *$/);
  expect(stdout).toMatch(/^ *3 +COLLECTED +/m);
});

describe("petak verify-chain", () => {
  test("finds the chain of a journey whole and true, without the network", async () => {
    const { exitCode, stdout, stderr } = await verify("chain.json");
    expect([exitCode, stderr]).toEqual([0, ""]);
    const told = new RegExp(`^Complete and authentic: the chain of ${reservationId}, 3 links, complete as of (\\S+Z)\\.$`, "m").exec(
      stdout,
    );
    const completeAsOf = told?.[1] ?? "no time";
    expect(Math.abs(Date.parse(completeAsOf) - Date.now())).toBeLessThan(3_600_000);
    expect(JSON.parse((await verify("chain.json", "--json")).stdout)).toEqual({ reservationId, links: 3, completeAsOf, faults: [] });
  });

  test("fetches the gateway's keys if none are given", async () => {
    const { exitCode, stderr } = await gateway.petak(["verify-chain", "chain.json"]);
    expect([exitCode, stderr]).toEqual([0, `Using the issuer's keys that ${gateway.url} publishes now.\n`]);
    const nobody = await runPetak(["--url", "http://127.0.0.1:1", "verify-chain", "chain.json"], { cwd: gateway.folder });
    expect(nobody.exitCode).toBe(3);
    expect(nobody.stderr).toContain("Give a copy with --keys.");
  });

  test("names a missing link, and ends with 1", async () => {
    const { exitCode, stdout, stderr } = await verifyChanged(({ receipts }) => void receipts.splice(1, 1));
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^link 2 {2}link 2 is missing, between 1 and 3 of the chain; its event is evt_\w+ {2}\[MISSING\]$/m);
    expect(stderr).toBe("petak: changed.json has a fault: it is not the chain that was signed.\n");
  });

  /** What the chain was before its last receipt: all that is not signed anew is set back. */
  const cutOff = (chain: SavedChain) => {
    chain.events.splice(chain.events.findIndex(({ receipt }) => receipt?.number === 3));
    chain.receipts.splice(2);
    const { stateAfter, reservationRevision } = chain.events.at(-1) as SavedChain["events"][number];
    const [, last] = chain.receipts;
    Object.assign(chain.reservation, { state: stateAfter, revision: reservationRevision, chain: { length: 2, lastHash: last?.hash } });
  };

  test("names what is missing at the end", async () => {
    const { exitCode, stdout, stderr } = await verifyChanged(cutOff);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^link 3 {2}link 3 is missing, at the end of the chain {2}\[MISSING\]$/m);
    expect(stdout).toMatch(
      /^chain {2}the reservation is DEPOSITED in revision \d+, but COLLECTED in revision \d+ was signed {2}\[STATE_DIFFERS\]$/m,
    );
    expect(stdout).toMatch(
      /^chain {2}event \d+ of the \d+ that were signed is missing; it followed the event evt_\w+, [A-Z_]+ {2}\[EVENT_MISSING\]$/m,
    );
    expect(stdout).not.toContain("complete");
    expect(stderr).toMatch(/^petak: changed\.json has \d+ faults: it is not the chain that was signed\.$/m);
  });

  test("ends with 4 without a statement, when missing ends cannot be detected", async () => {
    for (const change of [cutOff, () => undefined]) {
      const without = (chain: SavedChain) => {
        change(chain);
        delete chain.statement;
      };
      const { exitCode, stdout, stderr } = await verifyChanged(without);
      expect(exitCode).toBe(4);
      expect(stdout).toMatch(/^Authentic, but not shown to be complete: the chain of res_\w+, [23] links\.$/m);
      expect(stderr).toContain("changed.json has no statement, so");
      const told = JSON.parse((await verifyChanged(without, "--json")).stdout);
      expect(told).toMatchObject({ error: { reason: "chain-not-shown-complete" }, completeAsOf: null, faults: [] });
    }
  });

  test("names a changed byte for machines", async () => {
    const changed = await verifyChanged(({ receipts: [, receipt] }) => {
      if (receipt !== undefined) receipt.jws = receipt.jws.replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
    }, "--json");
    expect(changed.exitCode).toBe(1);
    expect(JSON.parse(changed.stdout)).toMatchObject({
      error: { reason: "chain-faulty" },
      links: 3,
      faults: expect.arrayContaining([expect.objectContaining({ link: 2, message: expect.any(String) })]),
    });
  });

  test("prints nothing of a file that would command the terminal", async () => {
    const { stdout } = await verifyChanged(({ events: [, event] }) => {
      if (event !== undefined) event.eventId = "evt_\u001b[2J";
    });
    expect(stdout).not.toContain("\u001b");
  });

  test("reports files that are not a chain or not keys", async () => {
    await writeFile(join(gateway.folder, "none.json"), '{"events": 7}');
    expect((await verify("none.json")).stderr).toMatch(/^petak: none\.json is not a response of GetCustodyChain: /);
    expect(await verify("nowhere.json")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("nowhere.json cannot be read") });
    const { stderr } = await runPetak(["verify-chain", "chain.json", "--keys", "none.json"], { cwd: gateway.folder });
    expect(stderr).toBe("petak: none.json has no issuer's keys: it has no array `keys`.\n");
    expect((await runPetak(["verify-chain"])).exitCode).toBe(2);
  });

  test("colours its verdict on a terminal only", async () => {
    expect((await verify("chain.json")).stdout).not.toContain("\u001b");
  });
});

test("petak chain writes over nothing", async () => {
  const again = await gateway.petak(["--key", courier, "chain", reservationId, "--out", "chain.json"]);
  expect(again.exitCode).toBe(1);
  expect(again.stderr).toContain("chain.json already exists, and evidence is never overwritten.");
});

test("petak countersign adds the caller's signature as a link, once", async () => {
  const petak = (...args: string[]) => gateway.petak(["--key", courier, ...args]);
  const signed = await petak("countersign", reservationId, "2");
  expect(signed).toMatchObject({ exitCode: 0, stderr: "" });
  expect(signed.stdout).toMatch(/^Receipt 2 is countersigned with key_test_\w+, in receipt 4\.\n$/);
  expect((await petak("countersign", reservationId, "2")).stderr).toMatch(/\[ALREADY_COUNTERSIGNED\]\n$/);
  expect((await petak("countersign", reservationId, "3")).stderr).toMatch(/\[NOT_PARTY_TO_HAND_OVER\]\n$/);
  expect((await petak("countersign", reservationId, "9")).exitCode).toBe(2);
  const kept = await petak("chain", reservationId, "--out", "signed.json");
  expect(kept.stdout).toMatch(/^ *4 +COUNTERSIGNED .* par_\w+ under link 2$/m);
  expect((await verify("signed.json")).exitCode).toBe(0);
  // What was kept before is still a chain, as it stood then.
  expect((await verify("chain.json")).exitCode).toBe(0);
});
