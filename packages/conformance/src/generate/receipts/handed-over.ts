import {
  type AnswerChanges,
  certificate,
  courierCode,
  entry,
  type List,
  listHash,
  listOf,
  nonceNamed,
  pathText,
  siteStatement,
} from "../handover/scene.ts";
import { base64url, type VectorKey } from "../signing.ts";
import {
  agentKey,
  type Chain,
  courierId,
  courierKey,
  newLife,
  otherReservationId,
  reservationId,
  siteId,
  strangerKey,
} from "./chain-scene.ts";
import { type ChainVector, changed, vector } from "./chains.ts";
import { asOfMs, stated } from "./statement-scene.ts";

const listed = (id: string, condition = "OK", reason = "") => ({ ...entry(0, condition, reason), reservation_id: id });
const parties = { site_id: siteId, courier_id: courierId };
const entries = [entry("SG 4711/9"), listed(otherReservationId), listed(reservationId)];

/** What is wrong with a proof. */
interface Flaws {
  list?: List;
  /** The entry that it shows. */
  index?: number;
  siteKey?: VectorKey;
  answer?: AnswerChanges;
  certified?: object;
  hash?: string;
  named?: string | undefined;
  /** Changes the text of the proof. */
  change?: (proof: string) => string | undefined;
}

const certify = (claims: object = {}) => certificate({ courier_id: courierId, ...claims });

/** A delivery that a list proves; the list, and what is wrong with it. */
function deposited(flaws: Flaws = {}): Chain {
  const { list = listOf(entries, parties), index = 2, siteKey = agentKey, change = (proof) => proof } = flaws;
  const answer = courierCode(list, { certificate: certify(flaws.certified), ...flaws.answer });
  const [, , signature, certified] = answer.split("~");
  const proof = change([siteStatement(list, {}, {}, siteKey), signature, certified, pathText(list, index)].join("~"));
  const courierKeyNamed = "named" in flaws ? flaws.named : base64url(courierKey.publicKey);
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited({ listed: { hash: flaws.hash ?? listHash(list), proof, courierKey: courierKeyNamed } });
  return life.chain();
}

function recalledBy(direction: "IN" | "OUT"): Chain {
  const list = listOf(entries, { ...parties, direction });
  const [, , signature, certified] = courierCode(list, { certificate: certify() }).split("~");
  const proof = [siteStatement(list, {}, {}, agentKey), signature, certified, pathText(list, 2)].join("~");
  const life = newLife();
  life.held();
  life.confirmed();
  life.deposited();
  life.recalled({ listed: { hash: listHash(list), proof, courierKey: base64url(courierKey.publicKey) } });
  return life.chain();
}

function unshown(id: string, shows: string, flaws: Flaws): ChainVector {
  return vector(id, shows, deposited(flaws), [["HANDOVER", 2]]);
}

/** Receipts of parcels that a signed list proves. */
export const handedOver: ChainVector[] = [
  vector("deposited", "A courier's driver and the site's agent signed a list with the parcel.", deposited()),
  vector("deposited-stated", "The same, complete as of the statement.", stated(deposited()), [], { as_of_ms: asOfMs }),
  vector(
    "damaged",
    "The parcel was handed over damaged.",
    deposited({ list: listOf([...entries.slice(0, 2), listed(reservationId, "DAMAGED", "WET")], parties) }),
  ),
  vector("recalled", "The courier took the parcel back by a list.", recalledBy("OUT")),
  vector("recalled-incoming", "The list says that the courier gave the parcel.", recalledBy("IN"), [["HANDOVER", 3]]),
  vector(
    "proof-removed",
    "The event does not say any more what proves it.",
    changed(({ events }) => {
      const proof = events[2]?.proof as Record<string, unknown> | undefined;
      delete proof?.handover;
    }, deposited()),
    [["EVENT_DIFFERS", 2]],
  ),
  unshown("no-proof", "The kind says a list, and nothing shows it.", { change: () => undefined }),
  unshown("no-courier-key", "The gateway names no key of the courier.", { named: undefined }),
  unshown("other-courier-key", "The gateway names another key of the courier.", { named: base64url(strangerKey.publicKey) }),
  unshown("refused", "The parcel was refused.", {
    list: listOf([...entries.slice(0, 2), listed(reservationId, "REFUSED", "NO_PLACE")], parties),
  }),
  unshown("other-parcel", "The proof shows another parcel of the list.", { index: 1 }),
  unshown("other-index", "The path is that of another place in the list.", { change: (proof) => proof.replace("~2~OK", "~1~OK") }),
  unshown("longer-path", "The path is longer than the way to the list's hash.", {
    change: (proof) => `${proof}${base64url(Buffer.alloc(33)).slice(1)}`,
  }),
  unshown("other-list", "The report names another list.", { hash: listHash(listOf(entries, { nonce: nonceNamed("another list") })) }),
  unshown("other-site", "The list is of another site.", { list: listOf(entries, { ...parties, site_id: siteId.replace(/.$/, "m") }) }),
  unshown("other-agent", "Another device of the site signed the list.", { siteKey: strangerKey }),
  unshown("other-courier", "The list is another courier's.", {
    list: listOf(entries, { ...parties, courier_id: "par_0000000000000000" }),
    certified: { courier_id: "par_0000000000000000" },
  }),
  unshown("other-driver", "Another driver signed.", { answer: { key: strangerKey } }),
  unshown("expired", "The driver's certificate had ended.", { certified: { exp: 1_795_518_000 } }),
];
