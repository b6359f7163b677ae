import type { SiteSearch } from "@petak/allocator";
import {
  type BundleStore,
  createPlaces,
  type EventStream,
  type IssuedCredentials,
  type LabelIndex,
  type OperatorNames,
  type PlaceSources,
  type Places,
  type Queues,
  type RequestIds,
  type ReservationStore,
  type SiteCache,
  type SiteRevocations,
  type SiteStore,
  type TermsBook,
} from "@petak/records";
import type { GrowthGuard } from "../../store-watch/store-fill.ts";
import type { Choices } from "../choice/choices.ts";
import type { Receipts } from "../custody/receipts/receipts.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import { type BundleChanges, createBundleChanges } from "../idempotency/change-bundle.ts";
import { createReservationChanges, type ReservationChanges } from "../idempotency/change-reservation.ts";
import type { CredentialIssuer } from "./credential-issuer.ts";
import type { HoldAllowance } from "./hold-allowance.ts";
import type { HoldTotals } from "./hold-totals.ts";

/** Dependencies of the reservation service's handlers. Each handler picks those that it uses. */
export interface ReservationDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  places: Places;
  labelIndex: Pick<LabelIndex, "addHeld">;
  /** Counts unconfirmed holds in all regions. */
  holdTotals: HoldTotals;
  /** The most unconfirmed holds of a participant. */
  allowance: Readonly<HoldAllowance>;
  /** Reads and changes reservations for their parties. */
  changes: ReservationChanges;
  /** Reads and changes bundles for their parties. */
  bundleChanges: BundleChanges;
  credentials: CredentialIssuer;
  /** Verifies the choices of consumers. */
  choices: Pick<Choices, "verify">;
  reservations: Pick<ReservationStore, "find" | "overdue" | "allowedAt">;
  queues: Pick<Queues, "position">;
  sites: Pick<SiteStore, "find" | "findAll" | "facts">;
  siteCache: Pick<SiteCache, "facts">;
  siteRevocations: Pick<SiteRevocations, "at" | "add">;
  issuedCredentials: Pick<IssuedCredentials, "add" | "has" | "leaveBundle" | "completeSinceMs">;
  termsBook: Pick<TermsBook, "of">;
  operatorNames: Pick<OperatorNames, "of">;
  requestIds: Pick<RequestIds, "claim" | "findResponse" | "findResponseIn" | "storeResponse">;
  events: Pick<EventStream, "appendOnce" | "regions">;
  reader: FeedReader;
  /** The clock, in ms. */
  now: () => number;
  /** Duration of a hold if the request does not specify it, in ms. */
  holdDefaultMs: number;
  /** Longest hold, from its beginning, in ms. */
  holdMaxMs: number;
  /** Time for the deposit if the request does not specify it, in ms. */
  depositDefaultMs: number;
}

/** Stores, by subject. */
interface ReservationRecords extends Pick<ReservationDependencies, "queues" | "siteRevocations" | "issuedCredentials" | "events"> {
  holds: PlaceSources["holds"];
  sites: SiteStore;
  reservations: ReservationStore;
  bundles: BundleStore;
  requestIds: RequestIds;
  labelIndex: LabelIndex;
  siteIds: { readonly storeCode: string };
}

/** The parts of a gateway from which the dependencies are made. */
export interface ReservationParts
  extends Pick<
    ReservationDependencies,
    | "credentials"
    | "choices"
    | "operatorNames"
    | "reader"
    | "holdTotals"
    | "allowance"
    | "now"
    | "holdDefaultMs"
    | "holdMaxMs"
    | "depositDefaultMs"
  > {
  search: Pick<SiteSearch, "nearest">;
  records: ReservationRecords;
  siteCache: SiteCache;
  termsBook: TermsBook;
  receipts: Receipts;
  /** Refuses calls of a batch while the store is nearly full. Default: none. */
  growth?: Pick<GrowthGuard, "refuseCall">;
}

/** Makes the dependencies of the reservation service. */
export function reservationDependencies({
  search,
  records,
  siteCache,
  termsBook,
  receipts,
  ...parts
}: ReservationParts): ReservationDependencies {
  const { holds, labelIndex, sites, reservations, queues, siteRevocations, issuedCredentials, requestIds, events, siteIds } = records;
  const { credentials, choices, operatorNames, reader, holdTotals, allowance, now, holdDefaultMs, holdMaxMs, depositDefaultMs } = parts;
  return {
    storeCode: siteIds.storeCode,
    places: createPlaces({ nearest: search.nearest, holds, sites, requestIds, siteCache, termsBook }),
    changes: createReservationChanges(records, receipts),
    bundleChanges: createBundleChanges(records),
    ...{ labelIndex, reservations, queues, sites, siteCache, siteRevocations, issuedCredentials, termsBook, requestIds, events },
    ...{ credentials, choices, operatorNames, reader, holdTotals, allowance, now, holdDefaultMs, holdMaxMs, depositDefaultMs },
  };
}
