/**
 * The function of a driver's or technician's telephone at the door: it keeps a key, and proves to a terminal that the holder of an access
 * token is present. It uses only Node's own modules, so that it can be read along with docs/credentials.md and ported to any language.
 *
 *     npx node examples/holder-typescript/prove-presence.ts key driver.json
 *     npx node examples/holder-typescript/prove-presence.ts prove driver.json recall.json CHALLENGE [DOOR]
 *
 * `key` makes a key and prints its public half in base64, as required for `holderPublicKey` of IssueCredential. `prove` reads the response
 * to that call and prints the proof.
 */
import { createHash, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

interface Holder {
  kty: "OKP";
  crv: "Ed25519";
  /** The public key, in base64url. */
  x: string;
  /** The private key, in base64url. It never leaves the telephone. */
  d: string;
}

/** Texts, each preceded by its length in 4 bytes. */
function framed(...texts: string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

/** Unpacks the id of a token's site: two bytes of the region, and ten of base 32. */
function siteIdOf(aud: string): string {
  const hex = Buffer.from(aud, "base64url").toString("hex");
  const bits = BigInt(`0x${hex.slice(4)}`);
  const local = Array.from({ length: 16 }, (_, place) =>
    "0123456789abcdefghjkmnpqrstvwxyz".charAt(Number((bits >> BigInt(75 - 5 * place)) & 31n)),
  );
  return `site_83${hex.slice(0, 4)}_${local.join("")}`;
}

/** The site and the id of a token that is bound to a key, from its claims. */
function readToken(token: string): { siteId: string; tokenId: string; act: string; subject: string } {
  const [header = "", payload = ""] = token.split(".").map((part) => Buffer.from(part, "base64url").toString());
  const { typ } = JSON.parse(header) as { typ: string };
  const { aud, sub, cnf } = JSON.parse(payload) as { aud: string; sub: string; cnf?: string };
  if (cnf === undefined) throw new Error("the token is not bound to a key: it opens without a proof");
  const hash = createHash("sha256")
    .update(framed("petak-bound-token-id", typ, payload))
    .digest();
  return { siteId: siteIdOf(aud), tokenId: hash.subarray(0, 16).toString("base64url"), act: typ, subject: sub };
}

/** Signs a terminal's challenge for the site in the token, regardless of the site that the terminal claims to be. */
export function prove(holder: Holder, token: string, challenge: string, door?: string): string {
  const { siteId, tokenId, act, subject } = readToken(token);
  const compartmentId = act === "petak-service" ? (door ?? subject) : "";
  const message = framed("petak-presence", siteId, challenge, tokenId, compartmentId);
  const signature = sign(null, message, createPrivateKey({ key: { ...holder }, format: "jwk" }));
  return `${challenge}.${holder.x}.${signature.toString("base64url")}`;
}

if (import.meta.main) {
  const [what, path = "", answerPath = "", challenge = "", door] = process.argv.slice(2);
  if (what === "key" && path !== "") {
    const holder = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }) as unknown as Holder;
    writeFileSync(path, `${JSON.stringify(holder)}\n`, { mode: 0o600, flag: "wx" });
    process.stdout.write(`${Buffer.from(holder.x, "base64url").toString("base64")}\n`);
  } else if (what === "prove" && challenge !== "") {
    const holder = JSON.parse(readFileSync(path, "utf8")) as Holder;
    const { accessToken } = JSON.parse(readFileSync(answerPath, "utf8")) as { accessToken: string };
    process.stdout.write(`${prove(holder, accessToken, challenge, door)}\n`);
  } else {
    process.stderr.write("prove-presence.ts key FILE | prove-presence.ts prove FILE ANSWER CHALLENGE [DOOR]\n");
    process.exitCode = 2;
  }
}
