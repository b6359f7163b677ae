import { base64url, framed, holderHashOf, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";
import { type Chain, hashOf, type LinkOptions, newLife, otherReservationId, reservationId, siteId, strangerKey } from "./chain-scene.ts";
import { type ChainVector, changed, vector } from "./chains.ts";
import { asOfMs, stated } from "./statement-scene.ts";

const holder = keyNamed("the holder of a token to recall");
const challenge = base64url(sha256("petak test vectors: a challenge of a terminal").subarray(0, 16));
const handleOf = (id: string) => id.slice(-16);
/** The claims of the token, for the scene's site and reservation. */
const claims = {
  aud: "ZSuY9pYDoqNAAACT",
  sub: handleOf(reservationId),
  cnf: holderHashOf(holder.publicKey),
  nbf: 1_795_521_600,
  exp: 1_795_608_000,
  sz: 2,
};

/** What is wrong with a presence. */
interface Flaws {
  type?: string;
  claims?: object;
  /** The signing key. */
  key?: VectorKey;
  /** The named key, if it differs. */
  publicKey?: Uint8Array;
  site?: string;
  signedChallenge?: string;
  door?: string;
  hash?: string;
  /** Changes the text of the presence. */
  change?: (presence: string) => string;
}

/** A recall whose report has the presence of the token's holder. */
function recalled({ type = "petak-recall", key = holder, site = siteId, door = "", ...flaws }: Flaws = {}): Chain {
  const payload = JSON.stringify({ ...claims, ...flaws.claims });
  const id = base64url(sha256(framed("petak-bound-token-id", type, payload)).subarray(0, 16));
  const signature = signText(framed("petak-presence", site, flaws.signedChallenge ?? challenge, id, door), key);
  const said = [base64url(payload), challenge, base64url(flaws.publicKey ?? key.publicKey), base64url(signature)].join(".");
  const presence = flaws.change?.(said) ?? said;
  const options: LinkOptions = { bound: { hash: flaws.hash ?? hashOf(id), presence } };
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.recalled(options);
  return life.chain();
}

/** A vector whose presence does not show the holder. */
function unshown(id: string, shows: string, flaws: Flaws): ChainVector {
  return vector(id, shows, recalled(flaws), [["PRESENCE", 3]]);
}

const withTorn = (presence: string) => presence.split(".").slice(0, 3).join(".");
const otherNonce = base64url(sha256("petak test vectors: another challenge").subarray(0, 16));

/** Receipts with the presence of the holder of a bound token. */
export const presences: ChainVector[] = [
  vector("present", "The holder of the token to recall proved to be there.", recalled()),
  vector("present-stated", "The same, complete as of the statement.", stated(recalled()), [], { as_of_ms: asOfMs }),
  vector(
    "present-removed",
    "The event does not say any more that the holder was there.",
    changed(({ events }) => {
      const proof = events[3]?.proof as Record<string, unknown> | undefined;
      delete proof?.presence;
    }, recalled()),
    [["EVENT_DIFFERS", 3]],
  ),
  unshown("other-holder", "Somebody else signed, with a key of their own.", { key: strangerKey }),
  unshown("other-signer", "Somebody else signed, in the holder's name.", { key: strangerKey, publicKey: holder.publicKey }),
  unshown("other-bound", "The token is bound to the other key, and is not the one that was issued.", {
    key: strangerKey,
    claims: { cnf: holderHashOf(strangerKey.publicKey) },
    hash: hashOf("another token's id"),
  }),
  unshown("other-token", "The claims are not those of the token that the report names.", { hash: hashOf("another token's id") }),
  unshown("other-act", "The token is one to deposit.", { type: "petak-deposit" }),
  unshown("other-reservation", "The token is for another reservation.", { claims: { sub: handleOf(otherReservationId) } }),
  unshown("other-site-signed", "The holder signed for another site.", { site: siteId.replace(/.$/, "m") }),
  unshown("other-challenge", "The challenge is another than was signed.", { signedChallenge: otherNonce }),
  unshown("door-signed", "A door was signed, which only SERVICE has.", { door: "M-3" }),
  unshown("unbound", "A token that is bound to no key has no holder.", {
    type: "petak-collect",
    claims: { cnf: undefined, jti: challenge },
  }),
  unshown("torn", "A part of the proof is missing.", { change: withTorn }),
  unshown("padded", "The claims are not in canonical form.", { change: (presence) => presence.replace(".", "=.") }),
  vector("empty", "The presence is there and empty.", recalled({ change: () => "" }), [
    ["EVENT_DIFFERS", 3],
    ["PRESENCE", 3],
  ]),
];
