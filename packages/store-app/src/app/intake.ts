import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { SetIntakeSchema } from "@petak/protocol/counter";
import type { App } from "./app.ts";

const dayMs = 86_400_000;

/** What the store takes from now on. What is not given stays as it is. */
interface Intake {
  readonly isPaused?: boolean;
  /** When the pause ends, in ms. Undefined: a clerk ends it. */
  readonly pausedUntilMs?: number;
  /** One size and how many more of it. */
  readonly more?: { readonly sizeClassId: string; readonly count: number };
}

/** Sets what the store takes. The network obeys it as soon as it hears it; collections go on. */
export async function setIntake(app: App, { isPaused = app.counter?.intakePaused ?? false, pausedUntilMs, more }: Intake): Promise<void> {
  const limits = (app.counter?.takes ?? []).flatMap(({ sizeClassId, more: now, free }) => {
    const count = sizeClassId === more?.sizeClassId ? more.count : now;
    // A size that takes whatever fits has no limit, so that a place that becomes free counts.
    return count === free ? [] : [{ sizeClassId, more: count }];
  });
  const pausedUntil = isPaused && pausedUntilMs !== undefined ? timestampFromMs(pausedUntilMs) : undefined;
  await app.submit({ case: "setIntake", value: create(SetIntakeSchema, { isPaused, pausedUntil, limits }) });
}

/** The next moment at which the store's clock shows a time. @param text `HH:MM` @returns undefined: the text is no time */
export function nextTimeMs(text: string, nowMs: number, timeZone: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) return undefined;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  const zone = timeZone === "" ? {} : { timeZone };
  const parts = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
    .format(nowMs)
    .split(":");
  const minutesNow = Number(parts[0]) * 60 + Number(parts[1]);
  const aheadMs = ((minutes - minutesNow + 1440) % 1440 || 1440) * 60_000;
  return Math.min(nowMs + aheadMs - (nowMs % 60_000), nowMs + dayMs);
}
