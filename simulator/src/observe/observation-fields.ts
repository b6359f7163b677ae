import { type FieldsOf, type LogFields, objectOf } from "./log-field.ts";
import { ends, type Observation, operations, type SiteSampled, type SiteSeen } from "./observation.ts";

type Kind = Observation["kind"];
type OfKind<K extends Kind> = Extract<Observation, { kind: K }>;

const text = { kind: "text" } as const;
const flag = { kind: "flag" } as const;
const count = { kind: "count" } as const;
const ms = { kind: "count", unit: "ms" } as const;
const realMs = { kind: "number", unit: "ms" } as const;
const mm = { kind: "count", unit: "mm" } as const;
const grams = { kind: "count", unit: "g" } as const;
const metres = { kind: "number", unit: "m" } as const;
const degrees = { kind: "number", unit: "degrees" } as const;
const choice = <T extends string>(choices: readonly T[]) => ({ kind: "choice", choices }) as const;

const atMs = { type: ms, meaning: "The network's time, since 1970." } as const;
const intention = { type: count, meaning: "The intention's number in its trace." } as const;
const reservationId = { type: text, meaning: "The reservation." } as const;
const siteId = { type: text, meaning: "The site." } as const;
const sizeClassId = { type: text, meaning: "The size class." } as const;

const weekly = objectOf<NonNullable<SiteSeen["weekly"]>[number]>({
  openDay: { type: count, meaning: "Day on which it opens, 1 (Monday) to 7." },
  openMinute: { type: count, meaning: "Minutes from midnight, local time." },
  closeDay: { type: count, meaning: "Day on which it closes." },
  closeMinute: { type: count, meaning: "Minutes from midnight, local time." },
});

const sizeClass = objectOf<SiteSeen["sizeClasses"][number]>({
  sizeClassId,
  widthMm: { type: mm, meaning: "Inner width." },
  heightMm: { type: mm, meaning: "Inner height." },
  depthMm: { type: mm, meaning: "Inner depth." },
  maxMassG: { type: grams, meaning: "Greatest mass of a parcel." },
  installed: { type: count, meaning: "Places installed." },
});

const sizeClassCounts = objectOf<SiteSampled["sizeClasses"][number]>({
  sizeClassId,
  installed: { type: count, meaning: "Places installed." },
  inService: { type: count, meaning: "Places that work." },
  occupied: { type: count, meaning: "Places with a parcel of the network." },
  held: { type: count, meaning: "Places held by reservations." },
  occupiedByOthers: { type: count, meaning: "Places that hold something else." },
  freeToPromise: { type: count, meaning: "Places that may be offered." },
});

const parcel = objectOf<OfKind<"offer">["parcel"]>({
  widthMm: { type: mm, meaning: "Outer width." },
  heightMm: { type: mm, meaning: "Outer height." },
  depthMm: { type: mm, meaning: "Outer depth." },
  massG: { type: grams, meaning: "Mass." },
});

/** What a kind of line says, and its fields in the order in which they are written. */
export interface LogKind<K extends Kind = Kind> {
  readonly meaning: string;
  readonly fields: FieldsOf<OfKind<K>>;
}

/** The kinds of lines of a run log after its header. The documentation is tested against this table. */
export const logKinds: { readonly [K in Kind]: LogKind<K> } = {
  site: {
    meaning: "A site of the city as the directory states it: at the start, and again when it has changed.",
    fields: {
      atMs,
      siteId,
      ref: { type: text, meaning: "The operator's own reference." },
      name: { type: text, meaning: "Its name." },
      operatorId: { type: text, meaning: "The participant that operates it." },
      isStore: { type: flag, meaning: "A store, not a terminal." },
      hasDoor: { type: flag, meaning: "The run has a terminal or store there; if not, nobody can deposit or collect." },
      isActive: { type: flag, meaning: "It is in service." },
      latitude: { type: degrees, meaning: "Its position." },
      longitude: { type: degrees, meaning: "Its position." },
      timeZone: { type: text, meaning: "IANA name." },
      weekly: { type: { kind: "list", of: weekly }, isOptional: true, meaning: "When it is open. Absent: always." },
      hasExceptions: { type: flag, isOptional: true, meaning: "It has days with other hours, which are not here." },
      sizeClasses: { type: { kind: "list", of: sizeClass }, meaning: "Its size classes." },
    },
  },
  call: {
    meaning: "A call or an act at a door. Its latency is `doneMs` − `dueMs`: from when it was to start.",
    fields: {
      intention: { type: count, meaning: "The intention's number in its trace; 0: of none." },
      operation: { type: choice(operations), meaning: "What was called." },
      atMs,
      dueMs: { type: realMs, meaning: "When it was to start, since the run began, by this machine's monotonic clock." },
      sentMs: { type: realMs, meaning: "When it was sent, by the same clock." },
      doneMs: { type: realMs, meaning: "When its answer was there, by the same clock." },
      outcome: {
        type: text,
        meaning: "`OK`, a reason of the error catalogue, a door's refusal, or what the transport said, e.g. `UNAVAILABLE`.",
      },
      reservationId: { ...reservationId, isOptional: true },
      siteId: { ...siteId, isOptional: true },
    },
  },
  offer: {
    meaning: "An offer in an answer of `FindNearest`, and what was asked.",
    fields: {
      intention,
      atMs,
      siteId,
      sizeClassId,
      freeToPromise: { type: count, meaning: "Free places of the size class, by the offer." },
      distanceM: { type: metres, meaning: "Great-circle distance, by the offer." },
      observedAtMs: { type: ms, meaning: "When the number was observed, since 1970." },
      ttlMs: { type: ms, meaning: "How long after that it is valid." },
      parcel: { type: parcel, meaning: "The parcel that was asked for." },
      askedAtMs: { type: ms, isOptional: true, meaning: "The network's time when it was asked: the answer is of that time or later." },
      openAtMs: { type: ms, isOptional: true, meaning: "The site was asked to be open then." },
      includesUnknown: { type: flag, isOptional: true, meaning: "Sites whose counts have expired were asked for as well." },
    },
  },
  given: {
    meaning: "A place was promised to a reservation: by `Reserve`, `Redirect` or a promotion from the queue.",
    fields: {
      intention,
      atMs,
      reservationId,
      siteId,
      sizeClassId,
      compartmentId: { type: text, isOptional: true, meaning: "The compartment of a hard hold." },
      participantId: {
        type: text,
        isOptional: true,
        meaning: "Who reserved: its feed tells of everything that happens to the reservation.",
      },
    },
  },
  freed: {
    meaning: "A promise is about to end, or a parcel to leave its place: the place can be given again from now on.",
    fields: { intention, atMs, reservationId },
  },
  door: {
    meaning: "Somebody showed a credential at a door. The cabinet itself says what came of it.",
    fields: {
      intention,
      atMs,
      siteId,
      reservationId,
      act: { type: choice(["DEPOSIT", "COLLECT", "RECALL", "SERVICE"]), meaning: "What was to be done." },
      by: { type: choice(["TOKEN", "PIN"]), meaning: "What was shown." },
      credentialHash: { type: text, meaning: "SHA-256 of the credential as shown, in base64url." },
      compartmentId: { type: text, isOptional: true, meaning: "The compartment that opened." },
      opened: { type: flag, meaning: "Whether the door opened." },
      refusal: { type: text, isOptional: true, meaning: "Why it did not, by the constants of docs/credentials.md." },
      offline: { type: flag, meaning: "The site decided without the network." },
      isInside: {
        type: flag,
        isOptional: true,
        meaning: "Whether the parcel was behind the door when it closed. Absent: it stayed closed, or nobody knows.",
      },
    },
  },
  event: {
    meaning: "An event of a participant's feed, as it was read.",
    fields: {
      atMs,
      participantId: { type: text, meaning: "Whose feed." },
      feedNumber: { type: count, meaning: "Its number there, from 1." },
      eventId: { type: text, meaning: "Its id, the same in every feed." },
      reservationId: { type: text, meaning: "The reservation; empty: of none." },
      siteId: { type: text, meaning: "The site; empty: of none." },
      revision: { type: count, meaning: "The reservation's revision after it." },
      type: { type: text, meaning: "As in the protocol, without `EVENT_TYPE_`." },
      stateAfter: { type: text, meaning: "The reservation's state after it, without `RESERVATION_STATE_`." },
      occurredAtMs: { type: ms, meaning: "When it happened, since 1970." },
      recordedAtMs: { type: ms, meaning: "When the gateway recorded it, since 1970." },
    },
  },
  feed: {
    meaning: "A participant's feed was read to its end: every event that was recorded before the reading has its line before this one.",
    fields: {
      atMs,
      participantId: { type: text, meaning: "Whose feed." },
      feedNumber: { type: count, meaning: "The last number that was read; 0: none yet." },
    },
  },
  directory: {
    meaning: "The directory was read to its end: every change that was recorded before the reading has its line before this one.",
    fields: { atMs },
  },
  reported: {
    meaning: "A terminal has reported all that happened at it so far, and the gateway has acknowledged it.",
    fields: { atMs, siteId },
  },
  chain: {
    meaning: "The custody chain of a reservation, verified as the gateway gave it.",
    fields: {
      intention,
      atMs,
      reservationId,
      isComplete: { type: flag, meaning: "A signed statement shows that nothing is missing." },
      faults: { type: { kind: "list", of: text }, meaning: "What is wrong, by the constants of docs/custody.md." },
    },
  },
  counts: {
    meaning: "The counts of a site, each hour of the network's time.",
    fields: {
      atMs,
      siteId,
      isKnown: { type: flag, meaning: "The counts are valid." },
      observedAtMs: { type: ms, meaning: "When they were observed, since 1970." },
      publishedAtMs: { type: ms, meaning: "When the gateway sent them, since 1970." },
      sizeClasses: { type: { kind: "list", of: sizeClassCounts }, meaning: "By size class." },
    },
  },
  metrics: {
    meaning: "The gateway's own metrics.",
    fields: {
      atMs,
      doneMs: { type: realMs, meaning: "When they were read, since the run began." },
      values: { type: { kind: "numbers" }, meaning: "By name and labels, as in the text of `/metrics`." },
    },
  },
  ended: {
    meaning: "What became of an intention: once for each.",
    fields: {
      intention,
      atMs,
      end: { type: choice(ends), meaning: "How it ended." },
      reason: { type: text, isOptional: true, meaning: "Why." },
      latitude: { type: degrees, meaning: "Where the person started from." },
      longitude: { type: degrees, meaning: "As latitude." },
      askedAtMs: { type: ms, meaning: "When the person first asked, by the network's time." },
      reservationId: { ...reservationId, isOptional: true },
      siteId: { ...siteId, isOptional: true },
      distanceM: { type: metres, isOptional: true, meaning: "Great-circle distance to the site." },
      isRedirected: { type: flag, meaning: "The place is at another site than the nearest that was wanted." },
      waitedMs: { type: ms, isOptional: true, meaning: "Time in the queue." },
      stayMs: { type: ms, isOptional: true, meaning: "From the deposit to the collection." },
    },
  },
  late: {
    meaning: "The generator itself began an intention late, by 1 ms or more.",
    fields: {
      intention,
      dueMs: { type: realMs, meaning: "When it was to start, since the run began." },
      sentMs: { type: realMs, meaning: "When it started." },
    },
  },
  violation: {
    meaning: "What must never be true, found by the oracle.",
    fields: {
      atMs,
      rule: { type: text, meaning: "The rule, see [simulator.md](simulator.md#the-oracle)." },
      intentions: { type: { kind: "list", of: count }, meaning: "The intentions to replay." },
      text: { type: text, meaning: "What is wrong, in a sentence." },
      evidence: { type: { kind: "observations" }, meaning: "The observations that show it, at most 20." },
    },
  },
  end: {
    meaning: "The last line.",
    fields: {
      atMs,
      doneMs: { type: realMs, meaning: "When the run ended, since it began." },
      end: { type: choice(["complete", "interrupted", "gateway-lost"]), meaning: "How." },
      reason: { type: text, isOptional: true, meaning: "Why." },
      inside: { type: count, isOptional: true, meaning: "Parcels of the run that are inside still." },
    },
  },
};

/** The fields of a kind; undefined if there is no such kind. */
export function fieldsOf(kind: unknown): LogFields | undefined {
  return typeof kind === "string" && Object.hasOwn(logKinds, kind) ? (logKinds[kind as Kind].fields as LogFields) : undefined;
}
