import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { runPetak } from "@petak/cli/testing/run-petak";
import { Mode, Role } from "@petak/protocol";
import { createLayout } from "@petak/records";
import { createFrozenClock, tempDir, useRedis } from "@petak/testkit";
import { newRegistration, startTestNetwork } from "@petak/testkit/network";
import { expect, it, onTestFinished } from "vitest";

const redis = useRedis();
const hourMs = 3_600_000;

it("a gateway copies administrative changes to its archive within an hour, where petak archive reads and verifies them", async () => {
  const archiveDir = join(await tempDir(), "archive");
  const clock = createFrozenClock(Date.now());
  const network = await startTestNetwork({
    redis,
    now: clock.now,
    archive: { directory: archiveDir, retentionMs: 25 * hourMs, intervalMs: 10, serverTimeMs: async () => clock.now() },
  });
  onTestFinished(() => network.stop());
  const courier = await network.join("Courier", [Role.COURIER], Mode.LIVE);
  const { request } = await newRegistration(courier.participantId, { mode: Mode.LIVE });
  const { key } = await network.admin.client.participants.registerKey(request);
  const prefix = network.shared.keyPrefix;
  const petak = (...args: string[]) => runPetak(["archive", ...args, "--archive-dir", archiveDir, "--prefix", prefix]);
  const read = async (...args: string[]) => (await petak("audit", "--json", ...args)).stdout.trim();
  clock.advance(hourMs + 60_000);
  await expect.poll(() => read()).toContain(key?.keyId);

  const { entries } = await network.admin.client.audit.listAuditEntries({ pageSize: 500 });
  const lines = (await read()).split("\n").map((line) => (JSON.parse(line) as { entryId: string }).entryId);
  expect(lines).toEqual(entries.map(({ entryId }) => entryId));
  const ofCourier = await petak("audit", "--participant", courier.participantId, "--kind", "key");
  expect(ofCourier).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/RegisterKey {2}key_live_\w+ {2}registered, live\n$/) });
  expect(ofCourier.stdout).not.toContain("CreateParticipant");
  expect(await read("--mode", "test")).not.toContain("key_live_");
  expect((await petak("audit", "--participant", "gateway")).stdout).toMatch(/gateway {2}ISSUER_KEY_ANNOUNCED/);
  expect(await read("--from", "+2h")).toBe("");

  await network.stop();
  // And the announcement of the issuer key in the test network.
  const verified = `${entries.length + 1} administrative changes`;
  expect(await petak("verify")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(verified) });
  const path = join(createLayout(archiveDir, prefix).auditDir("live"), "0-0.ndjson.gz");
  const text = gunzipSync(await readFile(path)).toString();
  expect(text.split("\n")[1]).toMatch(/^\{"audit":\{"entryId":"\d+-\d+",/);
  await writeFile(path, "changed");
  for (const command of ["audit", "verify"]) {
    expect(await petak(command)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/file/) });
  }
  expect((await petak("verify", "--json")).stdout).toMatch(/0-0\.ndjson\.gz is damaged/);
});
