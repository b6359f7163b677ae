import { expect, it } from "vitest";
import { generateIssuerKey } from "../keys/issuer-key.ts";
import { createTrustBundle, supersedes } from "./trust-bundle.ts";

const nowMs = Date.UTC(2026, 10, 24);

it("a trust bundle takes the place of one that is not newer, or has expired", async () => {
  const keys = [await generateIssuerKey()];
  const bundle = (version: bigint, notAfterMs: number) => createTrustBundle({ version, keys, issuedAtMs: nowMs - 1000, notAfterMs });
  const held = bundle(5n, nowMs + 1);
  expect(supersedes(bundle(1n, nowMs), undefined, nowMs)).toBe(true);
  expect([4n, 5n, 6n].map((version) => supersedes(bundle(version, nowMs + 1000), held, nowMs))).toEqual([false, true, true]);
  expect(supersedes(bundle(4n, nowMs + 1000), held, nowMs + 1)).toBe(true);
});

it("no key of a trust bundle is relied on for longer than the bundle", async () => {
  const [key, other] = [await generateIssuerKey(), await generateIssuerKey()];
  const bundle = createTrustBundle({
    version: 1n,
    keys: [key, { ...other, notAfterMs: nowMs + 1000 }, { ...other, notAfterMs: nowMs + 9000 }],
    issuedAtMs: nowMs,
    notAfterMs: nowMs + 5000,
  });
  expect(bundle.issuerKeys.map(({ notAfter }) => Number(notAfter?.seconds) * 1000 - nowMs)).toEqual([5000, 1000, 5000]);
});
