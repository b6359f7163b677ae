import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { webhookKeyFromSeed } from "../../../secrets/webhook-keys.ts";
import { isSignatureOf } from "./testing/verify-delivery.ts";
import { signedHeaders } from "./webhook-signature.ts";

interface Vector {
  name: string;
  id: string;
  timestamp: string;
  body: string;
  signature: string;
  publicKeys: string[];
  isValid: boolean;
}

const vectors = JSON.parse(readFileSync(new URL("../../../../../../docs/webhook-vectors.json", import.meta.url), "utf8")) as {
  keys: { seed: string; publicKey: string }[];
  cases: Vector[];
};

describe("the published vectors", () => {
  it("have the keys derived from their seeds", () => {
    const derived = vectors.keys.map(({ seed }) => webhookKeyFromSeed(Buffer.from(seed, "hex")).publicKey);
    expect(derived).toEqual(vectors.keys.map(({ publicKey }) => publicKey));
  });

  it.each(vectors.cases)("are judged correctly: $name", ({ id, timestamp, body, signature, publicKeys, isValid }) => {
    const content = `${id}.${timestamp}.${body}`;
    const isGood = signature.split(" ").some((one) => publicKeys.some((publicKey) => isSignatureOf(one, publicKey, content)));
    expect(isGood).toBe(isValid);
  });

  it("equal the signatures made here", () => {
    const [{ id, timestamp, body, signature } = {} as Vector] = vectors.cases;
    const { privateKey } = webhookKeyFromSeed(Buffer.from(vectors.keys[0]?.seed ?? "", "hex"));
    const headers = signedHeaders({ id, timestampS: Number(timestamp), body: Buffer.from(body) }, [privateKey]);
    expect(headers["webhook-signature"]).toBe(signature);
  });
});
