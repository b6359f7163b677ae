import type { CommandVector, VectorCommandSignature } from "../../vectors/command-vector.ts";
import { base64url, framed, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";

const nowMs = 1_795_518_000_000;
const siteId = "site_83652b_k3v9c0x2md00004k";
const requestId = "5f0c1c1e-6a54-4f0e-9a3b-2d6b8e1f7a90";

interface Signer {
  keyId: string;
  key: VectorKey;
}

const signer = (keyId: string, name: string): Signer => ({ keyId, key: keyNamed(name) });
const desk = signer("key_live_0000000000000001", "a help desk");
const field = signer("key_live_0000000000000002", "the field service");
const stranger = signer("key_live_0000000000000003", "a stranger's command key");

type Order = Omit<CommandVector["command"], "command_id" | "signature" | "second_signature">;

const order: Order = {
  site_id: siteId,
  request_id: requestId,
  type: "OPEN_FOR_SERVICE",
  compartment_id: "A1",
  reason: "door stuck, ticket 118",
};

interface Signing {
  by?: Signer;
  typ?: string;
  fromMs?: number;
  livesMs?: number;
  /** What is signed, if it is another order than the one that is sent. */
  said?: Partial<Order>;
}

/** A signature as docs/credentials.md defines it. */
function signed(
  sent: Order,
  { by = desk, typ = "petak-command", fromMs = nowMs, livesMs = 60_000, said = {} }: Signing,
): VectorCommandSignature {
  const times = { issued_at_ms: fromMs, expires_at_ms: fromMs + livesMs };
  const header = JSON.stringify({ alg: "EdDSA", typ, kid: by.keyId });
  const { site_id, request_id, type, compartment_id, reason } = { ...sent, ...said };
  const claims = JSON.stringify({ version: 1, site_id, request_id, type, compartment_id, reason, ...times });
  const signature = signText(`${base64url(header)}.${base64url(claims)}`, by.key);
  return { key_id: by.keyId, ...times, signature: base64url(signature) };
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

function commandId(site: string, request: string): string {
  const bits = BigInt(
    `0x${sha256(framed("petak command", site, request))
      .subarray(0, 10)
      .toString("hex")}`,
  );
  return `cmd_${Array.from({ length: 16 }, (_, at) => alphabet[Number((bits >> BigInt(75 - 5 * at)) & 31n)]).join("")}`;
}

interface Changes {
  sent?: Partial<Order>;
  id?: string;
  first?: Signing;
  second?: Signing;
  keys?: Signer[];
  at?: Partial<Pick<CommandVector, "site_id" | "now_ms">>;
}

function vector(id: string, shows: string, fault: string | null, changes: Changes = {}): CommandVector {
  const { sent = {}, first = {}, second, keys = [desk, field], at = {} } = changes;
  const said = { ...order, ...sent };
  return {
    id,
    shows,
    command: {
      command_id: changes.id ?? commandId(said.site_id, said.request_id),
      ...said,
      signature: signed(said, first),
      second_signature: second === undefined ? null : signed(said, { typ: "petak-command-approval", by: field, ...second }),
    },
    site_id: siteId,
    keys: keys.map(({ keyId, key }) => ({ key_id: keyId, public_key: base64url(key.publicKey) })),
    now_ms: nowMs,
    doors: [
      { compartment_id: "A1", occupied: false },
      { compartment_id: "A2", occupied: true },
    ],
    ...at,
    expected: { fault },
  };
}

const otherSite = "site_83652b_000000000000002p";
const behind = { compartment_id: "A2" };
const pause = { type: "TAKE_OUT_OF_SERVICE", compartment_id: "" };
const tenMinutes = 600_000;

/** Commands that a device obeys, and those that it does not, in the order in which it judges. */
export const commands: CommandVector[] = [
  vector("one-key", "One key that the device trusts opens an empty door.", null),
  vector("two-keys", "Two keys open a door with a parcel behind it.", null, { sent: behind, first: { livesMs: tenMinutes }, second: {} }),
  vector("whole-site", "A command for the whole site names no compartment.", null, { sent: pause, first: { livesMs: 3_600_000 } }),
  vector("other-site", "A command for another site, replayed here.", "SITE", { at: { site_id: otherSite } }),
  vector("retargeted", "The same with the site of the device written over the signed one.", "SIGNATURE", {
    first: { said: { site_id: otherSite } },
  }),
  vector("other-id", "The same order replayed under another id, so that it would be obeyed once more.", "ID", {
    id: commandId(siteId, "another"),
  }),
  vector("other-request", "The same with another request, from which that id follows.", "SIGNATURE", {
    sent: { request_id: "0b2f4a52-1c80-4d1e-8c4e-6f1f3f6f2a11" },
    first: { said: { request_id: requestId } },
  }),
  vector("unknown-key", "A key that the device does not trust.", "KEY", { first: { by: stranger } }),
  vector("no-keys", "A device that trusts no key for commands obeys none.", "KEY", { keys: [] }),
  vector("wrong-key", "A stranger's key under the id of a trusted one.", "SIGNATURE", {
    first: { by: { ...stranger, keyId: desk.keyId } },
  }),
  vector("other-door", "Another door than the one that was signed.", "SIGNATURE", { first: { said: behind } }),
  vector("other-reason", "Another reason than the one that was signed.", "SIGNATURE", { first: { said: { reason: "" } } }),
  vector("other-type", "Another command than the one that was signed.", "SIGNATURE", { first: { said: { type: "COLLECT_LOGS" } } }),
  vector("approval-alone", "An approval in place of the first signature.", "SIGNATURE", { first: { typ: "petak-command-approval" } }),
  vector("too-long", "A first signature for a door that lasts longer than 10 minutes.", "TOO_LONG_LIVED", {
    first: { livesMs: tenMinutes + 1 },
    second: {},
  }),
  vector("too-long-site", "A command for the site that lasts longer than an hour.", "TOO_LONG_LIVED", {
    sent: pause,
    first: { livesMs: 3_600_001 },
  }),
  vector("ahead", "Signed 30 s ahead of the device's clock.", null, { first: { fromMs: nowMs + 30_000 } }),
  vector("too-far-ahead", "Signed more than 30 s ahead of the device's clock.", "NOT_YET_VALID", { first: { fromMs: nowMs + 30_001 } }),
  vector("last-moment", "The last millisecond of its life.", null, { first: { fromMs: nowMs - 59_999 } }),
  vector("expired", "The end of its life: no skew is added.", "EXPIRED", { first: { fromMs: nowMs - 60_000 } }),
  vector("same-key-twice", "One key that signed both.", "SECOND_KEY", {
    sent: behind,
    first: { livesMs: tenMinutes },
    second: { by: desk },
  }),
  vector("second-unknown", "A second key that the device does not trust.", "KEY", {
    sent: behind,
    first: { livesMs: tenMinutes },
    second: { by: stranger },
  }),
  vector("second-no-approval", "A second key that signed the command and not its approval.", "SIGNATURE", {
    sent: behind,
    first: { livesMs: tenMinutes },
    second: { typ: "petak-command" },
  }),
  vector("second-expired", "An approval whose life has ended.", "EXPIRED", {
    sent: behind,
    first: { livesMs: tenMinutes },
    second: { fromMs: nowMs - 60_000 },
  }),
  vector("second-too-long", "An approval of a door that lasts longer than 60 s.", "TOO_LONG_LIVED", {
    sent: behind,
    first: { livesMs: tenMinutes },
    second: { livesMs: 60_001 },
  }),
  vector("single-too-long", "A single signature for a door that lasts longer than 60 s.", "TOO_LONG_LIVED", { first: { livesMs: 60_001 } }),
  vector("no-such-door", "A door that the device does not have.", "COMPARTMENT", { sent: { compartment_id: "Z9" } }),
  vector("one-key-for-two", "One key where there is a parcel behind the door.", "SECOND_KEY_NEEDED", { sent: behind }),
];
