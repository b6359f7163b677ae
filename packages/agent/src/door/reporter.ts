import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { credentialHash } from "@petak/credential";
import {
  type Act,
  type CommandOutcome,
  type ConditionKind,
  type CountedShiftSchema,
  DeviceEventType,
  type IntakeReason,
  type Money,
  type ParcelRequirement,
  type ProofKind,
  SiteConditionSchema,
  type SiteIntakeSchema,
} from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { DoorRefusal } from "../decision/refusals.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { BegunCommand } from "../store/command-records.ts";
import type { CountedCondition } from "../store/condition-records.ts";
import { reportTime } from "../store/report-time.ts";

/** A credential in a report. */
export interface ReportedCredential {
  readonly proofKind: ProofKind;
  /** Empty if the credential was not verified, since its id is then unproven. */
  readonly credentialHash: string;
  readonly act: Act;
  readonly reservationId: string;
  /** The bundle of the credential. Empty: it is a reservation's. */
  readonly bundleId: string;
  /** Whether it was delegated. */
  readonly delegated: boolean;
  /** The presence of a bound token's holder. Not in reports of refusals and of closed doors. */
  readonly presence?: string;
  /** The clerk who did it, at a store. */
  readonly clerkId?: string;
  /** Of a list that a courier and the store signed: both signatures, and in a parcel's report what shows that it is on the list. */
  readonly handover?: string;
  /** PARCEL_COLLECTED at a store: what the clerk checked and was paid, of what the parcel asks for. */
  readonly checksDone?: ParcelRequirement[];
  readonly cashCollected?: Money;
  /** When it happened, by the site's clock, if that is recorded later. Default: now. */
  readonly atMs?: number;
  /** True: it was decided without the agent. */
  readonly offline?: boolean;
}

/** Why a parcel stayed where it was, although somebody could have taken it or brought it: at a store, as its clerk said. */
export type Unmoved = "NOT_NOW" | "CANNOT_FIND" | "CHECK_FAILED" | "REFUSED_BY_PERSON";

/** Several refusals in one report. Times in ms by the site's clock. */
export interface CountedRefusals {
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** What a clerk counted at the end of a shift. */
export interface ReportedShift
  extends Required<Pick<MessageInitShape<typeof CountedShiftSchema>, "expected" | "counted" | "missing" | "surplus" | "cash">> {
  /** By the site's clock. */
  readonly beganAtMs: number;
}

/** Appends reports of events at the doors to the outbox. Call it within the transaction of the reported change. */
export interface Reporter {
  /** @param counted if the report stands for several refusals. Default: it stands for one, which happened now */
  refused(credential: ReportedCredential, refusal: DoorRefusal, counted?: CountedRefusals): void;
  /** @param unmoved DOOR_CLOSED at a store: why the parcel stayed where it was */
  happened(type: DeviceEventType, credential: ReportedCredential, compartmentId: string, unmoved?: Unmoved): void;
  /** What the site takes in from now on. */
  intakeChanged(intake: MessageInitShape<typeof SiteIntakeSchema>, reason: IntakeReason): void;
  commandEnded(command: BegunCommand, end: { outcome: CommandOutcome; refusal: string; logLines: string[] }): void;
  condition(condition: CountedCondition): void;
  shiftCounted(clerkId: string, shift: ReportedShift): void;
  /** Something at a store's counter that its operator is to look at. */
  counterTold(kind: ConditionKind, clerkId: string): void;
}

/** The protocol's range of an error of the clock, in ms. */
const clockErrorMaxMs = 10 ** 15;

/** Makes a reporter. @param isOnline whether the last call reached the gateway */
export function createReporter(options: { store: AgentStore; clock: SiteClock; isOnline: () => boolean }): Reporter {
  const { store, clock, isOnline } = options;
  return {
    refused(credential, refusal, counted = { count: 1, firstAtMs: clock.nowMs(), lastAtMs: clock.nowMs() }) {
      const { count, firstAtMs, lastAtMs } = counted;
      const times = { firstAt: reportTime(firstAtMs), lastAt: reportTime(lastAtMs) };
      const refusals = count === 1 ? {} : { refusals: { count, ...times } };
      store.outbox.append({ type: DeviceEventType.DOOR_REFUSED, offline: !isOnline(), ...credential, refusal, ...refusals }, lastAtMs);
    },
    happened(type, { presence = "", atMs = clock.nowMs(), ...credential }, compartmentId, unmoved) {
      const shown = type === DeviceEventType.DOOR_CLOSED ? {} : { presence };
      const refusal = unmoved ?? "";
      store.outbox.append({ type, offline: !isOnline(), ...credential, ...shown, compartmentId, refusal }, atMs);
    },
    intakeChanged(intake, intakeReason) {
      store.outbox.append({ type: DeviceEventType.SERVICE_CHANGED, offline: !isOnline(), intake, intakeReason }, clock.nowMs());
    },
    commandEnded({ commandId, compartmentId }, { outcome, refusal, logLines }) {
      const type = DeviceEventType.COMMAND_ENDED;
      const ended = { commandId, commandOutcome: outcome, refusal, commandLogLines: logLines };
      store.outbox.append({ type, offline: !isOnline(), compartmentId, ...ended }, clock.nowMs());
    },
    condition({ kind, count, sinceMs, untilMs, clockAheadMs, parcels }) {
      const times = { since: reportTime(sinceMs), until: reportTime(untilMs) };
      const aheadMs = BigInt(Math.round(Math.min(clockErrorMaxMs, Math.max(-clockErrorMaxMs, clockAheadMs))));
      const condition = create(SiteConditionSchema, { kind, ...times, count, clockAheadMs: aheadMs, parcels });
      store.outbox.append({ type: DeviceEventType.CONDITION, offline: !isOnline(), condition }, untilMs);
    },
    shiftCounted(clerkId, { beganAtMs, ...counts }) {
      const countedShift = { ...counts, beganAt: reportTime(beganAtMs) };
      store.outbox.append({ type: DeviceEventType.SHIFT_COUNTED, offline: !isOnline(), clerkId, countedShift }, clock.nowMs());
    },
    counterTold(kind, clerkId) {
      const at = reportTime(clock.nowMs());
      const condition = create(SiteConditionSchema, { kind, since: at, until: at, count: 1 });
      store.outbox.append({ type: DeviceEventType.CONDITION, offline: !isOnline(), clerkId, condition }, clock.nowMs());
    },
  };
}

/**
 * The hash of a credential for reports; empty if it was not verified. The id of a service token used at a door is `<token id>/<door>`; all its doors have the
 * same hash.
 */
export async function reportedHash(credentialId: string | undefined): Promise<string> {
  const [tokenId] = credentialId?.split("/") ?? [];
  return tokenId === undefined ? "" : await credentialHash(tokenId);
}
