import { expect, it } from "vitest";
import { createLogRing, redact } from "./log-ring.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

it("lines keep ids and words, and lose what could be a token, a key or a PIN", () => {
  const token = `${"a".repeat(60)}.${"b".repeat(100)}.${"c".repeat(86)}`;
  expect(redact(`scanned ${token}`)).toBe("scanned [token]");
  expect(redact(`key ${"x".repeat(43)} of site_83652b_k3v9c0x2md00004k`)).toBe("key [key] of site_83652b_k3v9c0x2md00004k");
  expect(redact('{"pin":"12345678"} 1234 5678 res_83652b_8xk2m4p9q7w3t5z1')).toBe('{"pin":"[pin]"} [pin] res_83652b_8xk2m4p9q7w3t5z1');
  expect(redact("a\u001b[31m\nb")).toBe("a [31m b");
});

it("the latest hundred lines are kept, each short", () => {
  const ring = createLogRing(silent, () => 0);
  for (let line = 0; line < 150; line++) ring.warn({ err: new Error("y ".repeat(500)) }, `line ${line}`);
  expect(ring.lines()).toHaveLength(100);
  expect(ring.lines()[0]).toContain("line 50");
  expect(ring.lines().every(({ length }) => length <= 200)).toBe(true);
});
