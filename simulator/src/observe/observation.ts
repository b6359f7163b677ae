/**
 * What is observed in a run. Three clocks: `atMs` is the network's time by the gateway's clock (on a driven clock, the driven one), in ms since 1970; `dueMs`,
 * `sentMs` and `doneMs` are of this machine's monotonic clock, in ms since the run began; times that an answer states are `…AtMs`, in ms since 1970.
 */
export type Observation =
  | SiteSeen
  | CallObserved
  | OfferSeen
  | PlaceGiven
  | PlaceEnded
  | DoorActed
  | EventSeen
  | FeedRead
  | DirectoryRead
  | TerminalReported
  | ChainVerified
  | SiteSampled
  | MetricsSampled
  | IntentionEnded
  | LateStart
  | ViolationFound
  | RunEnded;

/** Calls and acts at doors whose latency is measured. */
export const operations = [
  "find",
  "reserve",
  "confirm",
  "cancel",
  "redirect",
  "credential",
  "read",
  "door",
  "boot",
  "sync",
  "report",
  "events",
  "availability",
] as const;
export type Operation = (typeof operations)[number];

/** A site of the city as the directory states it: at the start, and again when it has changed. */
export interface SiteSeen {
  readonly kind: "site";
  readonly atMs: number;
  readonly siteId: string;
  readonly ref: string;
  readonly name: string;
  readonly operatorId: string;
  readonly isStore: boolean;
  /** Whether the run has a terminal or store there; if not, nobody can deposit or collect. */
  readonly hasDoor: boolean;
  readonly isActive: boolean;
  readonly latitude: number;
  readonly longitude: number;
  readonly timeZone: string;
  /** Undefined: always open. Minutes from midnight, local time; days 1 (Monday) to 7. */
  readonly weekly?: readonly {
    readonly openDay: number;
    readonly openMinute: number;
    readonly closeDay: number;
    readonly closeMinute: number;
  }[];
  /** It has days with other hours, which are not here. */
  readonly hasExceptions?: boolean;
  readonly sizeClasses: readonly {
    readonly sizeClassId: string;
    readonly widthMm: number;
    readonly heightMm: number;
    readonly depthMm: number;
    readonly maxMassG: number;
    readonly installed: number;
  }[];
}

/** One call or one act at a door. Its latency is `doneMs - dueMs`: from when it was to start, not from when it could. */
export interface CallObserved {
  readonly kind: "call";
  /** The intention's number in its trace; 0: of none, e.g. a terminal's synchronisation. */
  readonly intention: number;
  readonly operation: Operation;
  readonly atMs: number;
  readonly dueMs: number;
  readonly sentMs: number;
  readonly doneMs: number;
  /** `OK`, a reason of the error catalogue, a door's refusal, or what the transport said, e.g. `UNAVAILABLE`. */
  readonly outcome: string;
  readonly reservationId?: string;
  readonly siteId?: string;
}

/** An offer in an answer of FindNearest, and what was asked. */
export interface OfferSeen {
  readonly kind: "offer";
  readonly intention: number;
  readonly atMs: number;
  readonly siteId: string;
  readonly sizeClassId: string;
  readonly freeToPromise: number;
  readonly distanceM: number;
  readonly observedAtMs: number;
  readonly ttlMs: number;
  readonly parcel: { readonly widthMm: number; readonly heightMm: number; readonly depthMm: number; readonly massG: number };
  /** The network's time when it was asked: the answer is of that time or later. */
  readonly askedAtMs?: number;
  /** The site was asked to be open then. */
  readonly openAtMs?: number;
  /** Sites whose counts have expired were asked for as well. */
  readonly includesUnknown?: boolean;
}

/** A place was promised to a reservation: by Reserve, Redirect or a promotion from the queue. */
export interface PlaceGiven {
  readonly kind: "given";
  readonly intention: number;
  readonly atMs: number;
  readonly reservationId: string;
  readonly siteId: string;
  readonly sizeClassId: string;
  /** Of a hard hold. */
  readonly compartmentId?: string;
  /** Who reserved: its feed tells of everything that happens to the reservation. */
  readonly participantId?: string;
}

/**
 * A promise ended, or the parcel has left its place: the place can be given again from now on. Observed before the call is sent, the door is opened or the clock
 * is moved that can end it, since another reservation may be given the place before that one's answer is here.
 */
export interface PlaceEnded {
  readonly kind: "freed";
  readonly intention: number;
  readonly atMs: number;
  readonly reservationId: string;
}

/** Somebody showed a credential at a door. The cabinet itself says whether it opened, and what is inside: the truth of the door. */
export interface DoorActed {
  readonly kind: "door";
  readonly intention: number;
  readonly atMs: number;
  readonly siteId: string;
  readonly reservationId: string;
  readonly act: "DEPOSIT" | "COLLECT" | "RECALL" | "SERVICE";
  readonly by: "TOKEN" | "PIN";
  /** SHA-256 of the credential as it was shown, in base64url: two uses of one credential have the same. */
  readonly credentialHash: string;
  readonly compartmentId?: string;
  readonly opened: boolean;
  readonly refusal?: string;
  readonly offline: boolean;
  /** Whether the parcel was behind the door when it closed. Undefined: the door stayed closed, or nobody knows. */
  readonly isInside?: boolean;
}

/** An event of a participant's feed, as it was read. */
export interface EventSeen {
  readonly kind: "event";
  readonly atMs: number;
  readonly participantId: string;
  readonly feedNumber: number;
  readonly eventId: string;
  readonly reservationId: string;
  readonly siteId: string;
  readonly revision: number;
  /** As in the protocol, without `EVENT_TYPE_`. */
  readonly type: string;
  readonly stateAfter: string;
  readonly occurredAtMs: number;
  readonly recordedAtMs: number;
}

/** A participant's feed was read to its end: every event that was recorded before the reading has been observed before this. */
export interface FeedRead {
  readonly kind: "feed";
  readonly atMs: number;
  readonly participantId: string;
  /** The last number that was read; 0: none yet. What was in the feed before the run is not read. */
  readonly feedNumber: number;
}

/** The directory was read to its end: every change that was recorded before the reading has been observed before this. */
export interface DirectoryRead {
  readonly kind: "directory";
  readonly atMs: number;
}

/** A terminal has reported all that happened at it so far, and the gateway has acknowledged it. */
export interface TerminalReported {
  readonly kind: "reported";
  readonly atMs: number;
  readonly siteId: string;
}

/** The custody chain of a reservation, verified as the gateway gave it. */
export interface ChainVerified {
  readonly kind: "chain";
  readonly intention: number;
  readonly atMs: number;
  readonly reservationId: string;
  /** Whether a signed statement shows that nothing is missing. */
  readonly isComplete: boolean;
  /** What is wrong with it, by the constants of docs/custody.md; empty: nothing. */
  readonly faults: readonly string[];
}

/** The counts of a site, each hour of the network's time. */
export interface SiteSampled {
  readonly kind: "counts";
  readonly atMs: number;
  readonly siteId: string;
  readonly isKnown: boolean;
  readonly observedAtMs: number;
  readonly publishedAtMs: number;
  readonly sizeClasses: readonly {
    readonly sizeClassId: string;
    readonly installed: number;
    readonly inService: number;
    readonly occupied: number;
    readonly held: number;
    readonly occupiedByOthers: number;
    readonly freeToPromise: number;
  }[];
}

/** The gateway's own metrics. */
export interface MetricsSampled {
  readonly kind: "metrics";
  readonly atMs: number;
  /** Ms since the run began. */
  readonly doneMs: number;
  /** By name and labels, as in the text of `/metrics`. */
  readonly values: { readonly [series: string]: number };
}

/** How an intention ended. */
export const ends = [
  /** The parcel was collected. */
  "collected",
  /** The depositor took it back. */
  "recalled",
  /** Nobody collected it, as meant; it is still inside when the run ends. */
  "kept",
  /** As meant: looked, and reserved nothing. */
  "left",
  /** As meant: cancelled before the deposit. */
  "cancelled",
  /** As meant: nobody deposited it, and the time for it passed. */
  "no-show",
  /** No place was found for the parcel. */
  "refused",
  /** Waited in a queue in vain. */
  "rejected",
  /** No answer within the person's patience. */
  "gave-up",
  /** The promise ended before the depositor came: the gateway's term was shorter than the plan. */
  "expired",
  /** A door did not open, or the site changed: somebody must look. */
  "stranded",
  /** The generator had too much in progress to begin it. */
  "dropped",
  /** A call failed for another reason, `reason`. */
  "failed",
  /** The run ended first. */
  "unfinished",
] as const;
export type End = (typeof ends)[number];

/** What became of an intention: once for each. */
export interface IntentionEnded {
  readonly kind: "ended";
  readonly intention: number;
  readonly atMs: number;
  readonly end: End;
  readonly reason?: string;
  readonly latitude: number;
  readonly longitude: number;
  /** When the person first asked, by the network's time. */
  readonly askedAtMs: number;
  readonly reservationId?: string;
  readonly siteId?: string;
  /** Great-circle distance to the site, in m. */
  readonly distanceM?: number;
  /** The place is at another site than the nearest that was wanted: by overflow or Redirect. */
  readonly isRedirected: boolean;
  readonly waitedMs?: number;
  /** From the deposit to the collection, by the network's time. */
  readonly stayMs?: number;
}

/** How late the generator itself began an intention: its fault, not the gateway's. Only where it was late by 1 ms or more. */
export interface LateStart {
  readonly kind: "late";
  readonly intention: number;
  readonly dueMs: number;
  readonly sentMs: number;
}

/** What must never be true, found by the oracle. */
export interface ViolationFound {
  readonly kind: "violation";
  readonly atMs: number;
  readonly rule: string;
  /** The intentions to replay. */
  readonly intentions: readonly number[];
  readonly text: string;
  /** The observations that show it, at most 20. */
  readonly evidence: readonly Observation[];
}

/** The last observation of a run. */
export interface RunEnded {
  readonly kind: "end";
  readonly atMs: number;
  readonly doneMs: number;
  readonly end: "complete" | "interrupted" | "gateway-lost";
  readonly reason?: string;
  /** Parcels of the run that are inside still. */
  readonly inside?: number;
}
