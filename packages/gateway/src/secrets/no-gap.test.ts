import {
  defaultMaxSkewMs,
  generateIssuerKey,
  type IssuerKeyPair,
  isBundleExpired,
  judgeAccessToken,
  limitTrust,
  mintAccessToken,
  newTokenId,
  supersedes,
  trustBundleLifetimeMs,
} from "@petak/credential";
import { Act, type TrustBundle } from "@petak/protocol";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { type IssuerEpochs, signingKey, trustBundleAt } from "./issuer-epochs.ts";
import { announceKey, earliestAnnouncementMs, earliestSigningMs } from "./rotation.ts";
import { outdatedGraceMs } from "./secrets-watch.ts";

const startMs = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;
const dayMs = 86_400_000;
const siteId = "site_83652b_k3v9c0x2md00004k";
const reservationId = "res_83652b_8xk2m4p9q7w3t5z1";
const gatewayCount = 3;
let keys: IssuerKeyPair[];

beforeAll(async () => {
  keys = [];
  while (keys.length < 4) keys.push(await generateIssuerKey({ takenKeyIds: new Set(keys.map(({ keyId }) => keyId)) }));
});

/** A state of the secrets file, and when it was written. */
interface FileState {
  readonly fromMs: number;
  readonly epochs: IssuerEpochs;
}

/** The states of the secrets file over some months with rotations, each as soon as allowed or later. Newest first. */
function fileHistory(delaysMs: readonly number[]): [FileState, ...FileState[]] {
  const [first, ...others] = keys;
  if (first === undefined) throw new Error("there are keys");
  let history: [FileState, ...FileState[]] = [{ fromMs: startMs, epochs: [{ key: first, announcedAtMs: startMs, signsFromMs: startMs }] }];
  for (const [index, delayMs] of delaysMs.entries()) {
    const key = others[index];
    if (key === undefined) break;
    const [{ fromMs, epochs }] = history;
    const atMs = earliestAnnouncementMs(epochs, fromMs) + delayMs;
    history = [{ fromMs: atMs, epochs: announceKey(epochs, key, atMs, earliestSigningMs(atMs) + (delayMs % dayMs)) }, ...history];
  }
  return history;
}

const gateway = fc.record({
  // As late as a gateway may read the file and still serve.
  lagMs: fc.oneof(fc.constant(outdatedGraceMs), fc.integer({ min: 0, max: outdatedGraceMs })),
  clockMs: fc.integer({ min: -minuteMs, max: minuteMs }),
});
const someGateway = fc.nat(gatewayCount - 1);
/** A fraction of a time span, biased to 0 and 1. */
const part = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
/** How long an agent has no network: minutes, or almost the lifetime of a bundle. */
const gapMs = part.map((share) => minuteMs + share * (trustBundleLifetimeMs - 12 * minuteMs));

/** A time to examine: any, or within minutes of a change. */
function momentOf(history: readonly FileState[], { which, share }: { which: number; share: number }): number {
  const changesMs = history.flatMap(({ epochs }) =>
    epochs.flatMap(({ announcedAtMs, signsFromMs, notAfterMs = 0 }) => [announcedAtMs, signsFromMs, notAfterMs]),
  );
  const latestMs = Math.max(...changesMs);
  const changeMs = changesMs.filter((atMs) => atMs > startMs)[which];
  return changeMs === undefined ? startMs + share * (latestMs - startMs) : changeMs + (share - 0.2) * outdatedGraceMs;
}

const moment = fc.record({ which: fc.nat(8), share: part });

it("every valid token opens at every time during rotations, no matter which gateways signed it and served the agent", async () => {
  let shown = 0;
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 0, max: 5 * dayMs }), { minLength: 1, maxLength: 3 }),
    fc.array(gateway, { minLength: gatewayCount, maxLength: gatewayCount }),
    // Error of the agent's clock, so that it differs from a gateway's by the skew at most.
    fc.integer({ min: -4 * minuteMs, max: 4 * minuteMs }),
    // The agent's first contact with a gateway, and the time between contacts.
    moment,
    fc.array(fc.record({ gapMs, by: someGateway }), { minLength: 6, maxLength: 20 }),
    fc.array(fc.record({ minted: moment, life: part, show: part, by: someGateway }), { minLength: 8, maxLength: 8 }),
    async (delaysMs, gateways, agentClockMs, firstContact, contacts, tokens) => {
      const history = fileHistory(delaysMs);
      const epochsOf = (by: number, atMs: number) =>
        (history.find(({ fromMs }) => fromMs + (gateways[by]?.lagMs ?? 0) <= atMs) ?? history.at(-1) ?? history[0]).epochs;
      const clockOf = (by: number, atMs: number) => atMs + (gateways[by]?.clockMs ?? 0);

      const held: { fromMs: number; bundle: TrustBundle }[] = [];
      let contactMs = momentOf(history, firstContact);
      for (const contact of contacts) {
        const bundle = limitTrust(trustBundleAt(epochsOf(contact.by, contactMs), clockOf(contact.by, contactMs)), contactMs + agentClockMs);
        if (bundle === undefined) throw new Error("the version of a true trust bundle lies in the future");
        if (supersedes(bundle, held.at(-1)?.bundle, contactMs + agentClockMs)) held.push({ fromMs: contactMs, bundle });
        contactMs += contact.gapMs;
      }

      for (const { minted, life, show, by } of tokens) {
        const mintedMs = momentOf(history, minted);
        const notBeforeMs = Math.floor(clockOf(by, mintedMs) / 1000) * 1000;
        const expiresAtMs = notBeforeMs + 1000 + Math.floor((life * (14 * dayMs - 1000)) / 1000) * 1000;
        // Up to the last time at which the agent accepts it.
        const shownMs = mintedMs + show * Math.max(0, expiresAtMs + defaultMaxSkewMs - agentClockMs - 1 - mintedMs);
        const bundle = held.findLast(({ fromMs }) => fromMs <= shownMs)?.bundle;
        if (bundle === undefined || isBundleExpired(bundle, shownMs + agentClockMs)) continue;
        const issuerKey = signingKey(epochsOf(by, mintedMs), notBeforeMs);
        const claims = { act: Act.COLLECT, siteId, reservationId, tokenId: newTokenId(), notBeforeMs, expiresAtMs, sizeClassIndex: 0 };
        const token = await mintAccessToken({ ...claims, issuerKey });
        expect(await judgeAccessToken({ token, trustBundle: bundle, siteId, nowMs: shownMs + agentClockMs })).toMatchObject({ ok: true });
        shown += 1;
      }
    },
  );
  await fc.assert(property, { numRuns: 400 });
  expect(shown).toBeGreaterThan(500);
});
