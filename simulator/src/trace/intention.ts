import type { Field } from "./field.ts";

const dayMs = 86_400_000;

/** Longest period of a trace: ten years. */
export const maxTraceMs = 3660 * dayMs;

/** Purposes, as the protocol names them. */
export const purposes = ["DELIVERY", "RETURN", "FIRST_MILE"] as const;
export type TracePurpose = (typeof purposes)[number];

/** What to do if no place was found, as the protocol's OverflowFallback. */
export const fallbacks = ["REFUSE", "HOLD_AT_DEPOT", "ASK_CONSUMER"] as const;
export type TraceFallback = (typeof fallbacks)[number];

/** Later changes of mind. */
export const changes = ["KEEPS", "LEAVES", "CANCELS", "REDIRECTS"] as const;
export type TraceChange = (typeof changes)[number];

/** How a parcel leaves its place. */
export const collections = ["TOKEN", "PIN", "RECALL"] as const;
export type TraceCollection = (typeof collections)[number];

/**
 * The fields of an intention, in the order in which they are written. `docs/trace.md` has the same table. An absent optional field has the value
 * `ifAbsent`, and is not written if it has it: so there is exactly one text for each intention.
 */
export const intentionFields = {
  id: {
    type: { kind: "integer", unit: "", min: 1, max: 1e12 },
    meaning: "Number of the intention in its trace; increases from line to line. Run logs and failures name it.",
  },
  atMs: {
    type: { kind: "integer", unit: "ms", min: 0, max: maxTraceMs },
    meaning: "When the person first asks, from the trace's `startAt`. Never decreases from line to line.",
  },
  person: {
    type: { kind: "name", maxLength: 40 },
    meaning: "Who: an opaque name, the same in all intentions of one person. No personal data.",
  },
  latitude: { type: { kind: "degrees", limit: 90 }, meaning: "Where the person starts from, rounded to 1e-6 degree (0.1 m)." },
  longitude: { type: { kind: "degrees", limit: 180 }, meaning: "As latitude." },
  siteRef: {
    type: { kind: "name", maxLength: 64, orNull: "the nearest site" },
    ifAbsent: null,
    meaning: "The one site that is wanted, by its operator's own reference.",
  },
  walkM: {
    type: { kind: "integer", unit: "m", min: 1, max: 100_000 },
    ifAbsent: 1000,
    meaning: "Greatest great-circle distance to a site that the person accepts when they look.",
  },
  purpose: { type: { kind: "choice", choices: purposes }, ifAbsent: "DELIVERY", meaning: "What the reservation is for." },
  courier: {
    type: { kind: "integer", unit: "", min: 1, max: 100 },
    ifAbsent: 1,
    meaning: "Which courier carries the parcel, by number.",
  },
  widthMm: { type: { kind: "integer", unit: "mm", min: 1, max: 5000 }, ifAbsent: 300, meaning: "Outer width of the parcel." },
  heightMm: { type: { kind: "integer", unit: "mm", min: 1, max: 5000 }, ifAbsent: 80, meaning: "Outer height of the parcel." },
  depthMm: { type: { kind: "integer", unit: "mm", min: 1, max: 5000 }, ifAbsent: 200, meaning: "Outer depth of the parcel." },
  massG: { type: { kind: "integer", unit: "g", min: 1, max: 1_000_000 }, ifAbsent: 1000, meaning: "Mass of the parcel." },
  patienceMs: {
    type: { kind: "integer", unit: "ms", min: 1, max: 3_600_000 },
    ifAbsent: 10_000,
    meaning: "How long the person waits for one answer before they give up.",
  },
  looks: {
    type: { kind: "integer", unit: "", min: 1, max: 20 },
    ifAbsent: 1,
    meaning: "How many times the person looks (`FindNearest`) before they choose.",
  },
  thinkMs: {
    type: { kind: "integer", unit: "ms", min: 0, max: 3_600_000 },
    ifAbsent: 0,
    meaning: "Time from each answer to the next act: another look, or the choice.",
  },
  option: {
    type: { kind: "integer", unit: "", min: 1, max: 20 },
    ifAbsent: 1,
    meaning: "Which of the offered sites is chosen, from the nearest; the last if fewer are offered.",
  },
  change: {
    type: { kind: "choice", choices: changes },
    ifAbsent: "KEEPS",
    meaning: "KEEPS: does as planned. LEAVES: looks and reserves nothing. CANCELS or REDIRECTS: does that after `changeAfterMs`.",
  },
  changeAfterMs: {
    type: { kind: "integer", unit: "ms", min: 0, max: 30 * dayMs },
    ifAbsent: 0,
    meaning: "From the reservation to the cancellation or redirect; no effect if the parcel was deposited before.",
  },
  overflowWithinM: {
    type: { kind: "integer", unit: "m", min: 0, max: 50_000 },
    ifAbsent: 0,
    meaning: "Overflow policy: accept another site within this distance. 0: none.",
  },
  overflowWaitS: {
    type: { kind: "integer", unit: "s", min: 0, max: 604_800 },
    ifAbsent: 0,
    meaning: "Overflow policy: how long to wait in the queue. 0: do not wait.",
  },
  overflowFallback: {
    type: { kind: "choice", choices: fallbacks },
    ifAbsent: "REFUSE",
    meaning: "Overflow policy: what to do if there is still no place.",
  },
  depositAfterMs: {
    type: { kind: "integer", unit: "ms", min: 0, max: 30 * dayMs, orNull: "never (a no-show)" },
    ifAbsent: 0,
    meaning: "From `atMs` to when the depositor can be at the site with the parcel. A courier takes it along on the next round after that.",
  },
  stayMs: {
    type: { kind: "integer", unit: "ms", min: 0, max: maxTraceMs, orNull: "nobody collects it" },
    meaning: "From the deposit to the collection.",
  },
  collectBy: {
    type: { kind: "choice", choices: collections },
    ifAbsent: "TOKEN",
    meaning: "TOKEN or PIN: the collector opens with that. RECALL: the depositor takes the parcel back after `stayMs`.",
  },
} as const satisfies Record<string, Field>;

/** The name of a field. */
export type IntentionField = keyof typeof intentionFields;

/** All fields, in the order in which they are written. */
export const intentionFieldNames = Object.keys(intentionFields) as IntentionField[];

/**
 * What one person means to do, decided before any answer: who, when, where, with which parcel, how patiently, by which policy, and what they will do later. It
 * names nothing that a server has made. See {@link intentionFields} for units, ranges and defaults.
 */
export interface Intention {
  readonly id: number;
  readonly atMs: number;
  readonly person: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly siteRef: string | null;
  readonly walkM: number;
  readonly purpose: TracePurpose;
  readonly courier: number;
  readonly widthMm: number;
  readonly heightMm: number;
  readonly depthMm: number;
  readonly massG: number;
  readonly patienceMs: number;
  readonly looks: number;
  readonly thinkMs: number;
  readonly option: number;
  readonly change: TraceChange;
  readonly changeAfterMs: number;
  readonly overflowWithinM: number;
  readonly overflowWaitS: number;
  readonly overflowFallback: TraceFallback;
  readonly depositAfterMs: number | null;
  readonly stayMs: number | null;
  readonly collectBy: TraceCollection;
}
