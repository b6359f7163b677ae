import type { ReceiptVector } from "../../vectors/receipt-vector.ts";
import { base64url, signText } from "../signing.ts";
import {
  type Chain,
  changeMs,
  firstKey,
  hashOf,
  issuerKeys,
  type Json,
  jwsOf,
  newLife,
  otherReservationId,
  secondKey,
  startMs,
  strangerKey,
  type VectorIssuerKey,
} from "./chain-scene.ts";

/** A vector whose chain is one of the scene's. */
export type ChainVector = ReceiptVector<Chain, { keys: VectorIssuerKey[] }>;

export type Fault = [code: string, link: number | null];

export function vector(id: string, shows: string, chain: Chain, faults: Fault[] = [], more: Partial<ChainVector> = {}): ChainVector {
  const expected = faults.map(([code, link]) => ({ code, link }));
  return { id, shows, issuer_keys: { keys: issuerKeys }, chain, ...more, expected, as_of_ms: more.as_of_ms ?? null };
}

/** A parcel's whole life: collected by PIN without the network after the issuer's key has changed. */
export function whole(): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.collected();
  return life.chain();
}

/** The same with a change of what GetCustodyChain answered. */
export function changed(change: (chain: Chain) => void, chain = whole()): Chain {
  change(chain);
  return chain;
}

/** The claims of a link, and its other segments. */
function opened({ jws }: { jws: string }) {
  const [header = "", claims = "", signature = ""] = jws.split(".");
  return { header, signature, claims: JSON.parse(Buffer.from(claims, "base64url").toString()) as Json };
}

/** Puts another text in a link's place, with the hash that it has then. */
function withJws(chain: Chain, number: number, jws: string): Chain {
  const receipt = chain.receipts[number - 1];
  if (receipt !== undefined) Object.assign(receipt, { jws, hash: hashOf(jws) });
  return chain;
}

/** The first link as another text: the header and the claims as given, signed by the issuer. */
function respelt(headerText: string, claimsText: string): Chain {
  const text = `${base64url(headerText)}.${base64url(claimsText)}`;
  return withJws(confirmedOnly(), 1, `${text}.${base64url(signText(text, firstKey))}`);
}

function confirmedOnly(): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  return life.chain();
}

const firstHeader = JSON.stringify({ alg: "EdDSA", typ: "petak-receipt", kid: firstKey.keyId });
const firstClaims = JSON.stringify(opened(confirmedOnly().receipts[0] ?? { jws: "" }).claims);
/** A link of which nothing can be believed, of a reservation that is CONFIRMED. */
const unbelieved: Fault[] = [["INCOMPLETE", null]];

function countersigned(options: Parameters<ReturnType<typeof newLife>["countersigned"]>[0]): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.countersigned(options);
  life.collected();
  return life.chain();
}

function resolved(act: "COLLECTED" | "RECALLED" | "NO_PARCEL"): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.doubted();
  life.resolved(act);
  return life.chain();
}

function recalled(purpose: "DELIVERY" | "RETURN"): Chain {
  const life = newLife({ purpose });
  life.held();
  life.confirmed();
  life.deposited();
  life.recalled();
  return life.chain();
}

function redirected(continues?: { reservationId: string; hash: string }): Chain {
  const life = newLife(continues === undefined ? {} : { continues });
  life.held();
  life.confirmed();
  return life.chain();
}

function oldChain(): Chain {
  const life = newLife({ reservationId: otherReservationId });
  life.held();
  life.confirmed();
  return life.chain();
}

const oldHash = oldChain().receipts[0]?.hash ?? "";

function deposited(options: Parameters<ReturnType<typeof newLife>["deposited"]>[0]): Chain {
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited(options);
  return life.chain();
}

function held(): Chain {
  const life = newLife();
  life.held();
  return life.chain();
}

function firstMile(purpose: "FIRST_MILE" | "RETURN"): Chain {
  const life = newLife({ purpose });
  life.held();
  life.confirmed();
  life.deposited();
  life.collected();
  life.countersigned({ countersigned: { number: 3 } });
  return life.chain();
}

/** Chains that are whole and true. */
export const trueChains: ChainVector[] = [
  vector("whole", "From the confirmation to the collection by PIN without the network; the issuer's key has changed in between.", whole()),
  vector("held", "A reservation that was not confirmed has no receipts.", held()),
  vector("confirmed", "A life that has not come far yet.", confirmedOnly()),
  vector("first-mile", "A sender deposits, and the courier that collects countersigns, after the end.", firstMile("FIRST_MILE")),
  vector("return", "A consumer returns a parcel.", firstMile("RETURN")),
  vector(
    "countersigned",
    "The courier countersigns its deposit, and the chain continues.",
    countersigned({ countersigned: { number: 2 } }),
  ),
  vector("recalled", "The courier recalls an uncollected parcel.", recalled("DELIVERY")),
  vector("recalled-return", "A consumer takes back the parcel that they would have returned.", recalled("RETURN")),
  vector("resolved-collected", "An operator ends a doubt: no agent reported it, and the operator states it.", resolved("COLLECTED")),
  vector("resolved-recalled", "The parcel went back.", resolved("RECALLED")),
  vector(
    "resolved-no-parcel",
    "There never was a parcel, the operator says: it contradicts the deposit, and is signed as well.",
    resolved("NO_PARCEL"),
  ),
  vector(
    "redirected",
    "After Redirect the first link names the last one of the chain before.",
    redirected({ reservationId: otherReservationId, hash: oldHash }),
  ),
  vector(
    "redirected-with-old",
    "The same, with the chain before at hand.",
    redirected({ reservationId: otherReservationId, hash: oldHash }),
    [],
    {
      continued: oldChain(),
    },
  ),
  vector("same-key-id", "Two keys have one id: the one under which the signature is good counts.", whole(), [], {
    issuer_keys: { keys: [...issuerKeys].reverse() },
  }),
];

/** Links that are no receipts, or not the issuer's. */
export const falseLinks: ChainVector[] = [
  vector(
    "claim-changed",
    "A claim was changed after the link was signed.",
    changed((chain) => {
      const { header, claims, signature } = opened(chain.receipts[1] ?? { jws: "" });
      const text = JSON.stringify({ ...claims, occurred_at_ms: Number(claims.occurred_at_ms) - 1 });
      withJws(chain, 2, `${header}.${base64url(text)}.${signature}`);
    }),
    [["SIGNATURE", 2]],
  ),
  vector(
    "signature-changed",
    "A byte of the signature was changed.",
    changed((chain) => {
      const { jws = "" } = chain.receipts[1] ?? {};
      const bytes = Buffer.from(jws.split(".")[2] ?? "", "base64url");
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      withJws(chain, 2, `${jws.split(".").slice(0, 2).join(".")}.${base64url(bytes)}`);
    }),
    [["SIGNATURE", 2]],
  ),
  vector(
    "other-key",
    "Somebody else signed it, under the issuer's key id.",
    withJws(confirmedOnly(), 1, jwsOf("petak-receipt", strangerKey, JSON.parse(firstClaims), firstKey.keyId)),
    [["SIGNATURE", 1], ...unbelieved],
  ),
  vector("issuer-unknown", "No key has the id.", confirmedOnly(), [["ISSUER_UNKNOWN", 1], ...unbelieved], {
    issuer_keys: { keys: issuerKeys.slice(1) },
  }),
  vector(
    "issuer-late",
    "The first key signed a link that was recorded after it had ended.",
    ((): Chain => {
      const life = newLife();
      life.held();
      life.confirmed();
      life.deposited();
      life.collected({ issuer: firstKey });
      return life.chain();
    })(),
    [["ISSUER_TIME", 3]],
  ),
  vector(
    "issuer-early",
    "The second key signed a link that was recorded before it signs.",
    ((): Chain => {
      const life = newLife();
      life.held();
      life.confirmed({ issuer: secondKey });
      return life.chain();
    })(),
    [["ISSUER_TIME", 1]],
  ),
  vector(
    "issuer-last-moment",
    "A key does not sign any more at the moment at which the next one begins.",
    ((): Chain => {
      const life = newLife();
      life.held();
      life.confirmed();
      return life.chain();
    })(),
    [["ISSUER_TIME", 1]],
    {
      issuer_keys: {
        keys: [{ ...(issuerKeys[0] as VectorIssuerKey), signs_until: new Date(startMs + 2 * 3_600_000 + 120).toISOString() }],
      },
    },
  ),
  vector(
    "type-token",
    "An issuer's JWS of another type is not a receipt.",
    respelt(firstHeader.replace("petak-receipt", "petak-deposit"), firstClaims),
    [["MALFORMED", 1], ...unbelieved],
  ),
  vector(
    "alg-other",
    "Another algorithm is refused, with a good signature too.",
    respelt(firstHeader.replace("EdDSA", "none"), firstClaims),
    [["MALFORMED", 1], ...unbelieved],
  ),
  vector("crit", "An unknown header member is refused.", respelt(`${firstHeader.slice(0, -1)},"crit":["x"]}`, firstClaims), [
    ["MALFORMED", 1],
    ...unbelieved,
  ]),
  vector("spaces", "Claims with a space are not canonical.", respelt(firstHeader, firstClaims.replace(":", ": ")), [
    ["MALFORMED", 1],
    ...unbelieved,
  ]),
  vector("unknown-claim", "An unknown claim is refused.", respelt(firstHeader, `${firstClaims.slice(0, -1)},"more":1}`), [
    ["MALFORMED", 1],
    ...unbelieved,
  ]),
  vector(
    "claims-order",
    "Claims in another order are not canonical.",
    respelt(firstHeader, JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(firstClaims) as Json).reverse()))),
    [["MALFORMED", 1], ...unbelieved],
  ),
  vector("version", "Another version is another layout.", respelt(firstHeader, firstClaims.replace('"version":1', '"version":2')), [
    ["MALFORMED", 1],
    ...unbelieved,
  ]),
  vector("claim-type", "A claim of another type is refused.", respelt(firstHeader, firstClaims.replace('"revision":2', '"revision":"2"')), [
    ["MALFORMED", 1],
    ...unbelieved,
  ]),
  vector(
    "padding",
    "base64url with padding is not canonical.",
    changed((chain) => {
      const { jws = "" } = chain.receipts[1] ?? {};
      withJws(chain, 2, `${jws}==`);
    }),
    [["MALFORMED", 2]],
  ),
  vector(
    "stated-hash",
    "The hash beside the link is not that of the link.",
    changed((chain) => Object.assign(chain.receipts[1] ?? {}, { hash: oldHash })),
    [["STATED", 2]],
  ),
  vector(
    "stated-number",
    "The number beside the link is not that of the link.",
    changed((chain) => Object.assign(chain.receipts[1] ?? {}, { number: 7 })),
    [["STATED", 2]],
  ),
];

/** Links that are true, and no chain. */
export const falseChains: ChainVector[] = [
  vector(
    "first-missing",
    "The first link is missing.",
    changed(({ receipts }) => void receipts.splice(0, 1)),
    [["MISSING", 1]],
  ),
  vector(
    "middle-missing",
    "A link in the middle is missing.",
    changed(({ receipts }) => void receipts.splice(1, 1)),
    [["MISSING", 2]],
  ),
  vector(
    "last-missing",
    "The last link is missing, by the end that the reservation says and by its state.",
    changed(({ receipts }) => void receipts.splice(2, 1)),
    [
      ["INCOMPLETE", 2],
      ["MISSING", 3],
    ],
  ),
  vector(
    "all-missing",
    "No link is there.",
    changed((chain) => void chain.receipts.splice(0)),
    [
      ["MISSING", 1],
      ["MISSING", 2],
      ["MISSING", 3],
      ["INCOMPLETE", null],
    ],
  ),
  vector(
    "last-missing-told",
    "The last link is missing, and the reservation was changed to end before: its state shows it.",
    changed((chain) => {
      chain.receipts.splice(2, 1);
      chain.reservation.chain = { length: 2, lastHash: chain.receipts[1]?.hash ?? "" };
    }),
    [
      ["INCOMPLETE", 2],
      ["EVENT_UNSIGNED", null],
    ],
  ),
  vector(
    "swapped",
    "Two links are swapped.",
    changed(({ receipts }) => void receipts.splice(0, 2, ...receipts.slice(0, 2).reverse())),
    [["ORDER", 1]],
  ),
  vector(
    "twice",
    "A link appears twice.",
    changed(({ receipts }) => void receipts.push(...receipts.slice(2))),
    [["ORDER", 3]],
  ),
  vector(
    "other-chain",
    "A link is replaced by one of another reservation.",
    changed((chain) => void chain.receipts.splice(0, 1, ...oldChain().receipts)),
    [
      ["OTHER_CHAIN", 1],
      ["MISSING", 1],
    ],
  ),
  vector(
    "other-chain-added",
    "A link of another reservation is added.",
    changed((chain) => void chain.receipts.push(...oldChain().receipts)),
    [["OTHER_CHAIN", 1]],
  ),
  vector(
    "previous",
    "A link follows another one than the one before it.",
    deposited({ claims: (claims) => Object.assign(claims, { previous: oldHash }) }),
    [["PREVIOUS", 2]],
  ),
  vector(
    "previous-without-chain",
    "A first link follows a link, and does not say of which chain.",
    redirected({ reservationId: "", hash: oldHash }),
    [["PREVIOUS", 1]],
  ),
  vector(
    "continues-other",
    "The first link names a link that the chain before does not have.",
    redirected({ reservationId: otherReservationId, hash: hashOf("x") }),
    [["PREVIOUS", 1]],
    {
      continued: oldChain(),
    },
  ),
  vector(
    "head-hash",
    "The reservation says another end.",
    changed((chain) => {
      chain.reservation.chain = { length: 3, lastHash: oldHash };
    }),
    [["HEAD", 3]],
  ),
  vector(
    "head-length",
    "The reservation says fewer links than there are.",
    changed((chain) => {
      chain.reservation.chain = { length: 2, lastHash: chain.receipts[1]?.hash ?? "" };
    }),
    [["HEAD", 3]],
  ),
  vector(
    "state",
    "The reservation is in a state to which no link leads.",
    changed((chain) => {
      chain.reservation.state = "RESERVATION_STATE_RECALLED";
    }),
    [
      ["INCOMPLETE", 3],
      ["EVENT_ORDER", null],
    ],
  ),
];

/** True links whose events, reservation or sides are not as they say. */
export const falseSurroundings: ChainVector[] = [
  vector(
    "event-missing",
    "A link's event is not there.",
    changed(({ events }) => void events.splice(2, 1)),
    [
      ["EVENT_MISSING", 2],
      ["EVENT_ORDER", null],
    ],
  ),
  vector(
    "event-differs",
    "An event says another door.",
    changed(({ events }) => Object.assign((events[2]?.proof ?? {}) as Json, { compartmentId: "M-4" })),
    [["EVENT_DIFFERS", 2]],
  ),
  vector(
    "event-time",
    "An event says another time.",
    changed(({ events }) => Object.assign(events[2] ?? {}, { occurredAt: new Date(changeMs).toISOString() })),
    [["EVENT_DIFFERS", 2]],
  ),
  vector(
    "event-extra",
    "An event says what no hand-over has.",
    changed(({ events }) => Object.assign(events[2] ?? {}, { relatedReservationId: otherReservationId })),
    [["EVENT_DIFFERS", 2]],
  ),
  vector(
    "event-unsigned",
    "An event of a hand-over has no receipt.",
    changed((chain) => {
      const [, , event] = chain.events;
      chain.events.push({
        ...event,
        eventId: "evt_83652b_0000000000000000",
        stateBefore: "RESERVATION_STATE_COLLECTED",
        receipt: undefined,
      });
      chain.reservation.state = "RESERVATION_STATE_DEPOSITED";
    }),
    [
      ["INCOMPLETE", 3],
      ["EVENT_UNSIGNED", null],
    ],
  ),
  vector(
    "event-order",
    "Two events are swapped.",
    changed(({ events }) => void events.splice(1, 2, ...events.slice(1, 3).reverse())),
    [["EVENT_ORDER", null]],
  ),
  vector(
    "reservation-site",
    "The reservation says another site.",
    changed((chain) => {
      chain.reservation.siteId = "site_83652b_k3v9c0x2md00004m";
    }),
    [
      ["RESERVATION_DIFFERS", 1],
      ["RESERVATION_DIFFERS", 2],
      ["RESERVATION_DIFFERS", 3],
    ],
  ),
  vector(
    "reservation-collector",
    "The reservation says another collector.",
    changed((chain) => {
      chain.reservation.collector = { kind: "PARTY_KIND_PARTICIPANT", participantId: "par_0000000000000000" };
    }),
    [["RESERVATION_DIFFERS", 3]],
  ),
  vector("report-missing", "The gateway says that the agent reported, and has no signature of it.", deposited({ unsigned: true }), [
    ["REPORT_MISSING", 2],
  ]),
  vector("report-signature", "Another key than the agent's signed the report.", deposited({ signer: strangerKey }), [
    ["REPORT_SIGNATURE", 2],
  ]),
  vector(
    "report-other",
    "The agent signed another door than the one of which the gateway speaks.",
    deposited({ claims: (claims) => Object.assign((claims.proof ?? {}) as Json, { compartment_id: "M-4" }) }),
    [
      ["EVENT_DIFFERS", 2],
      ["REPORT_SIGNATURE", 2],
    ],
  ),
  vector(
    "report-low-order",
    "Under a point of low order anybody can sign.",
    deposited({
      claims: (claims) =>
        Object.assign((claims.report ?? {}) as Json, {
          public_key: base64url(Buffer.from(`01${"00".repeat(31)}`, "hex")),
          signature: base64url(Buffer.from(`01${"00".repeat(63)}`, "hex")),
        }),
    }),
    [["REPORT_SIGNATURE", 2]],
  ),
  vector(
    "countersignature",
    "Another key than the courier's countersigned.",
    countersigned({ countersigned: { number: 2 }, signer: strangerKey }),
    [["COUNTERSIGNATURE", 3]],
  ),
  vector(
    "countersignature-hash",
    "A countersignature is under another hash than its link's.",
    countersigned({ countersigned: { number: 2, hash: oldHash } }),
    [["COUNTERSIGNATURE", 3]],
  ),
  vector(
    "countersignature-no-party",
    "The countersigner neither gave nor received the parcel.",
    countersigned({ countersigned: { number: 1 } }),
    [["COUNTERSIGNATURE", 3]],
  ),
];
