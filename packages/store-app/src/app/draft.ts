import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { ParcelRequirement } from "@petak/protocol";
import {
  type Delivery,
  DeliverySchema,
  type Direction,
  type EntryRefusal,
  type HandOver,
  HandOverSchema,
  type ScanParcel,
  ScanParcelSchema,
  type ShiftCount,
  ShiftCountSchema,
} from "@petak/protocol/counter";

/** How a hand-over ended. `sent-later`: the agent does not know it yet. */
export type HandOverOutcome = "handed-over" | "taken-in" | "ended" | "missing" | "sent-later";

/** A hand-over or take-in on this tablet. */
export interface HandOverDraft {
  /** Unset: the code is not judged yet. */
  readonly handOver?: HandOver;
  /** The code that began it, and the label that moved its parcel: while they lie before the camera, they are nothing new. */
  readonly code?: string;
  readonly label?: string;
  readonly checks: readonly ParcelRequirement[];
  readonly isCashTaken: boolean;
  readonly outcome?: HandOverOutcome;
  /** Why the last scan came to nothing. */
  readonly refusal?: EntryRefusal;
  /** True: the code could not be judged, because the agent cannot be reached. */
  readonly isCutOff?: boolean;
  /** Why this tablet cannot decide about the code without its agent, though it may decide about others. */
  readonly needsAgent?: "PIN" | "NEEDS_AGENT";
  /** True: this tablet has decided about the code by its lease. */
  readonly isAlone?: boolean;
  /** True: the clerk is choosing why it ends. */
  readonly isEnding?: boolean;
}

/** How far a delivery is. */
export type DeliveryStep = "scan" | "agree" | "sign" | "closed";

/** A courier's delivery on this tablet, in or out. */
export interface DeliveryDraft {
  readonly deliveryId: string;
  readonly direction: Direction;
  readonly step: DeliveryStep;
  /** As the agent said last. */
  readonly delivery?: Delivery;
  /** Scanned, and not answered. */
  readonly unanswered: readonly ScanParcel[];
  /** The label that was scanned last. */
  readonly lastLabel?: string;
  /** The label whose facts are being changed. */
  readonly openLabel?: string;
  readonly refusal?: EntryRefusal;
  /** Where the parcel belongs that was refused last, by name. */
  readonly otherSiteNames?: readonly string[];
}

/** A count at the end of a shift. */
export interface ShiftDraft {
  readonly isByScanning: boolean;
  readonly labels: readonly string[];
  /** As typed. */
  readonly counted: string;
  /** As typed, in the currency's units. */
  readonly cash: string;
  readonly result?: ShiftCount;
}

/** Everything that a clerk has begun and not finished. It outlives a reload. */
export interface Draft {
  readonly handOver?: HandOverDraft;
  readonly delivery?: DeliveryDraft;
  readonly shift?: ShiftDraft;
  /** What stands in the field for codes. */
  readonly typed?: string;
}

/** Whoever keeps a draft. */
export interface DraftKeeper {
  readonly draft: Draft;
  /** Replaces parts of it. */
  setDraft(parts: Partial<Draft>): void;
}

export const newHandOver: HandOverDraft = { checks: [], isCashTaken: false };
export const newShift: ShiftDraft = { isByScanning: true, labels: [], counted: "", cash: "" };

/** Writes a draft as text. */
export function writeDraft({ handOver, delivery, shift, typed }: Draft): string {
  return JSON.stringify({
    handOver: handOver && { ...handOver, handOver: handOver.handOver && toJson(HandOverSchema, handOver.handOver) },
    delivery: delivery && {
      ...delivery,
      delivery: delivery.delivery && toJson(DeliverySchema, delivery.delivery),
      unanswered: delivery.unanswered.map((scan) => toJson(ScanParcelSchema, scan)),
    },
    shift: shift && { ...shift, result: shift.result && toJson(ShiftCountSchema, shift.result) },
    typed,
  });
}

/** A draft in JSON: its messages are JSON too. */
interface DraftJson {
  handOver?: Omit<HandOverDraft, "handOver"> & { handOver?: JsonValue };
  delivery?: Omit<DeliveryDraft, "delivery" | "unanswered"> & { delivery?: JsonValue; unanswered: JsonValue[] };
  shift?: Omit<ShiftDraft, "result"> & { result?: JsonValue };
  typed?: string;
}

/** Reads what {@link writeDraft} wrote. Something that another version of the app wrote otherwise is an empty draft. */
export function readDraft(text: string | undefined): Draft {
  if (text === undefined) return {};
  const ignore = { ignoreUnknownFields: true };
  try {
    const { handOver, delivery, shift, typed } = JSON.parse(text) as DraftJson;
    return {
      handOver: handOver && {
        ...handOver,
        handOver: handOver.handOver === undefined ? undefined : fromJson(HandOverSchema, handOver.handOver, ignore),
      },
      delivery: delivery && {
        ...delivery,
        delivery: delivery.delivery === undefined ? undefined : fromJson(DeliverySchema, delivery.delivery, ignore),
        unanswered: delivery.unanswered.map((scan) => fromJson(ScanParcelSchema, scan, ignore)),
      },
      shift: shift && { ...shift, result: shift.result === undefined ? undefined : fromJson(ShiftCountSchema, shift.result, ignore) },
      typed,
    };
  } catch {
    return {};
  }
}
