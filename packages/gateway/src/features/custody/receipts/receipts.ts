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

/** What a receipt says that neither the reservation nor the event does. */
export interface ReceiptFacts {
  /** The site's side. */
  report?: SignedReport;
  /** The other side's. */
  countersignature?: Countersignature;
  /** The reservation whose chain goes on in this one. */
  continued?: Reservation;
}

/** Makes the receipts of what reservations go through. */
export interface Receipts {
  /**
   * Adds the receipt to a transition that needs one, and the chain's new end to its reservation, so that both are recorded in the step that makes
   * the change: whatever is cut off, there is one receipt or none. Any other transition comes back as it is.
   */
  attach<Given extends Pick<Transition, "after" | "events">>(before: Reservation, transition: Given, facts?: ReceiptFacts): Promise<Given>;
  /** States how a chain stands, for whoever is given it. */
  state(chain: StandingChain): Promise<ChainStatement>;
}

/** Makes receipts with the issuer's keys: each is signed by the key in force when it is recorded. */
export function createReceipts(secrets: Pick<GatewaySecrets, "issuerEpochs">): Receipts {
  return {
    state: (chain) => signChainStatement(chain, signingKey(secrets.issuerEpochs(), chain.asOfMs)),
    async attach(before, transition, facts = {}) {
      const event = transition.events.find((candidate) => handOverOf(candidate) !== undefined);
      if (event === undefined) return transition;
      const { after } = transition;
      const handOver = handOverOf(event);
      if (after === undefined || event.recordedAt === undefined)
        throw new TypeError("a receipt needs a reservation that is written, and a time");
      const operator = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: before.operatorId });
      const givenBy = partyOn(handOver?.sides?.[0], before, operator);
      const receivedBy = partyOn(handOver?.sides?.[1], before, operator);
      // The first link of a chain goes on where another ended, if one did.
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
