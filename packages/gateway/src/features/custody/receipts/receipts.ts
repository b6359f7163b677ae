import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { handOverOf, partyOn, type StandingChain, signChainStatement, signReceipt } from "@petak/credential";
import type { Transition } from "@petak/lifecycle";
import {
  ChainHeadSchema,
  type ChainStatement,
  type Countersignature,
  PartyKind,
  PartySchema,
  type Reservation,
  type SignedReport,
} from "@petak/protocol";
import type { GatewaySecrets } from "../../../secrets/gateway-secrets.ts";
import { signingKey } from "../../../secrets/issuer-epochs.ts";

/** Facts of a receipt that are neither in the reservation nor in the event. */
export interface ReceiptFacts {
  /** The signed report of the site's agent. */
  report?: SignedReport;
  /** The countersignature of a party. */
  countersignature?: Countersignature;
  /** The reservation whose chain this one continues. */
  continued?: Reservation;
}

/** Signs receipts of hand-overs and statements of chains. */
export interface Receipts {
  /**
   * Adds the receipt to the event of a hand-over, and the new head of the chain to its reservation, so that both are written in the same step as the
   * transition: a crash leaves one receipt or none. A transition without a hand-over is returned unchanged.
   */
  attach<Given extends Pick<Transition, "after" | "events">>(before: Reservation, transition: Given, facts?: ReceiptFacts): Promise<Given>;
  /** Signs a statement of the current length of a chain. */
  state(chain: StandingChain): Promise<ChainStatement>;
}

/** Creates receipts with the issuer's keys. Each receipt is signed by the key in force when it is recorded. */
export function createReceipts(secrets: Pick<GatewaySecrets, "issuerEpochs">): Receipts {
  return {
    state: (chain) => signChainStatement(chain, signingKey(secrets.issuerEpochs(), chain.asOfMs)),
    async attach(before, transition, facts = {}) {
      const event = transition.events.find((candidate) => handOverOf(candidate) !== undefined);
      if (event === undefined) return transition;
      const { after } = transition;
      const handOver = handOverOf(event);
      if (after === undefined || event.recordedAt === undefined) throw new TypeError("a receipt requires a written reservation and a time");
      const operator = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: before.operatorId });
      const givenBy = partyOn(handOver?.sides?.[0], before, operator);
      const receivedBy = partyOn(handOver?.sides?.[1], before, operator);
      // The first link of a chain refers to the last link of the chain that it continues, if any.
      const continued = before.chain === undefined ? facts.continued : undefined;
      const head = before.chain ?? continued?.chain;
      const { eventReceipt, receipt } = await signReceipt(
        event,
        {
          number: (before.chain?.length ?? 0) + 1,
          previousHash: head?.lastHash ?? "",
          continuedReservationId: continued?.chain === undefined ? "" : continued.reservationId,
          purpose: before.purpose,
          ...(givenBy && { givenBy }),
          ...(receivedBy && { receivedBy }),
          ...(facts.report && { report: facts.report }),
          ...(facts.countersignature && { countersignature: facts.countersignature }),
        },
        signingKey(secrets.issuerEpochs(), timestampMs(event.recordedAt)),
      );
      const chain = create(ChainHeadSchema, { length: receipt.number, lastHash: receipt.hash });
      return {
        ...transition,
        after: { ...after, chain },
        events: transition.events.map((other) => (other === event ? { ...event, receipt: eventReceipt } : other)),
      };
    },
  };
}
