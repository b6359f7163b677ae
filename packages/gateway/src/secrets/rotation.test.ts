import { generateIssuerKey } from "@petak/credential";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleVersionAt, type IssuerEpochs, publishedEpochs, signingKey, trustBundleAt } from "./issuer-epochs.ts";
import { announceKey, earliestAnnouncementMs, earliestSigningMs, RotationRefusedError } from "./rotation.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const madeMs = Date.UTC(2026, 0, 1);
const nowMs = Date.UTC(2026, 10, 1);
/** When a key that is announced now starts to sign, and when the previous one ends. */
const signsMs = nowMs + 7 * dayMs + hourMs;
const endsMs = signsMs + 14 * dayMs + hourMs;
let before: IssuerEpochs;
let after: IssuerEpochs;
let [oldId, newId] = ["", ""];

beforeAll(async () => {
  const oldKey = await generateIssuerKey();
  const newKey = await generateIssuerKey({ takenKeyIds: new Set([oldKey.keyId]) });
  [oldId, newId] = [oldKey.keyId, newKey.keyId];
  before = [{ key: oldKey, announcedAtMs: madeMs, signsFromMs: madeMs }];
  after = announceKey(before, newKey, nowMs);
});

function refusalOf(work: () => unknown): RotationRefusedError {
  try {
    work();
  } catch (error) {
    if (error instanceof RotationRefusedError) return error;
  }
  throw new Error("the rotation was not refused");
}

describe("an announced key", () => {
  it("signs when every trust bundle without it has expired, by the token's own time", () => {
    expect([madeMs, nowMs, signsMs - 1000, signsMs, endsMs].map((atMs) => signingKey(after, atMs).keyId)).toEqual([
      oldId,
      oldId,
      oldId,
      newId,
      newId,
    ]);
  });

  it("is published at once, and the previous key until its last token has expired", () => {
    const published = [nowMs, signsMs - 1, signsMs, endsMs - 1, endsMs].map((atMs) =>
      publishedEpochs(after, atMs).map(({ key }) => key.keyId),
    );
    expect(published).toEqual([[oldId, newId], [oldId, newId], [newId, oldId], [newId, oldId], [newId]]);
  });

  it("gives a trust bundle with a greater version at each change", () => {
    const versions = [nowMs - 1, nowMs, signsMs - 1, signsMs, endsMs - 1, endsMs].map((atMs) =>
      bundleVersionAt(atMs < nowMs ? before : after, atMs),
    );
    expect(versions).toEqual([madeMs, nowMs, nowMs, signsMs, signsMs, endsMs].map((changedMs) => changedMs / 1000));
    expect(bundleVersionAt([{ ...before[0], announcedAtMs: 0, signsFromMs: 0 }], nowMs)).toBe(1);
  });

  it("gives the end of the previous key in the trust bundle, if that is sooner than the end of the bundle", () => {
    const endOf = (atMs: number, keyId: string) =>
      Number(trustBundleAt(after, atMs).issuerKeys.find((key) => key.keyId === keyId)?.notAfter?.seconds) * 1000;
    expect(endOf(signsMs, oldId)).toBe(signsMs + 7 * dayMs);
    expect(endOf(endsMs - dayMs, oldId)).toBe(endsMs);
    expect(endOf(endsMs - dayMs, newId)).toBe(endsMs + 6 * dayMs);
  });

  it("can start to sign later than possible, and not sooner", () => {
    const { key } = after[0];
    const laterMs = earliestSigningMs(nowMs) + 5 * dayMs;
    const [first, second] = announceKey(before, key, nowMs, laterMs);
    expect([first.notAfterMs, second?.signsFromMs]).toEqual([laterMs + 14 * dayMs + hourMs, laterMs]);
    const refusal = refusalOf(() => announceKey(before, key, nowMs, signsMs - 1));
    expect(refusal.earliestMs).toBe(signsMs);
    expect(refusal.message).toMatch(/can sign from 2026-11-08T01:00:00Z on, .* and not from 2026-11-08T00:59:59\.999Z/);
  });
});

describe("the next rotation", () => {
  it("is refused until the previous epoch ends, and names that time", () => {
    const { key } = after[0];
    for (const atMs of [nowMs, signsMs - 1, signsMs, endsMs - 1]) {
      const refusal = refusalOf(() => announceKey(after, key, atMs));
      expect(refusal.earliestMs).toBe(endsMs);
      expect(refusal.message).toBe(
        `agents trust the key ${oldId} of the previous epoch until 2026-11-22T02:00:00Z; the next rotation can be announced from then on`,
      );
    }
    expect([earliestAnnouncementMs(after, nowMs), earliestAnnouncementMs(after, endsMs), earliestAnnouncementMs(before, nowMs)]).toEqual([
      endsMs,
      endsMs,
      nowMs,
    ]);
  });

  it("drops the previous epoch", async () => {
    const key = await generateIssuerKey({ takenKeyIds: new Set([oldId, newId]) });
    const epochs = announceKey(after, key, endsMs);
    expect(epochs.map((epoch) => epoch.key.keyId)).toEqual([newId, key.keyId]);
    expect(bundleVersionAt(epochs, endsMs)).toBe(endsMs / 1000);
  });
});
