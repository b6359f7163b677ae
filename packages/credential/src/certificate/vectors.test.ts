import { type CertificateVector, judgeProof } from "@petak/conformance";
import { readCertificateVectors } from "@petak/conformance/published";
import { describe, expect, it } from "vitest";
import { decodeBase64url } from "../bytes/base64url.ts";
import { generateKeyPair } from "../keys/ed25519.ts";
import { generateIssuerKey } from "../keys/issuer-key.ts";
import { judgeKeyStatement, newSerial, signKeyStatement, statementFaults, statementMaxLength } from "./certificate.ts";

const vectors = await readCertificateVectors();

async function judge({ statement, type, root_key, kind, now_ms: nowMs }: CertificateVector): Promise<{ fault: string | null }> {
  const rootKey = decodeBase64url(root_key) ?? new Uint8Array();
  const judged = await judgeKeyStatement(statement, { type, rootKey, kind, nowMs });
  return { fault: typeof judged === "string" ? judged : null };
}

describe("the published vectors of certificates", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeProof(vector, judge);
    expect(found).toEqual(expected);
  });

  it("contain every fault", () => {
    const known = new Set(vectors.map(({ expected }) => expected.fault));
    expect(statementFaults.filter((fault) => !known.has(fault))).toEqual([]);
  });
});

describe("a certificate", () => {
  it("says what was signed, and has room to spare", async () => {
    const [root, { keyId, publicKey }] = [await generateKeyPair(), await generateIssuerKey()];
    const said = { kind: "issuer", keyId, publicKey, notBeforeS: 1_795_518_000, notAfterS: 1_827_054_000, serial: newSerial() } as const;
    const text = await signKeyStatement(root.privateJwk, "certificate", said);
    expect(text.length).toBeLessThan(statementMaxLength / 2);
    const read = await judgeKeyStatement(text, { type: "certificate", rootKey: root.publicKey, kind: "issuer", nowMs: 1_800_000_000_000 });
    expect(read).toMatchObject({ ...said, publicKey: new Uint8Array(publicKey) });
  });

  it("is refused with any one character of it changed", async () => {
    const [good] = vectors;
    if (good === undefined) throw new Error("no vector");
    for (let at = 0; at < good.statement.length; at += 7) {
      const letter = good.statement[at] === "A" ? "B" : "A";
      const changed = `${good.statement.slice(0, at)}${letter}${good.statement.slice(at + 1)}`;
      expect((await judge({ ...good, statement: changed })).fault, `character ${at}`).not.toBeNull();
    }
  });
});
