import type { LogName } from "@petak/redis";
import { decodeCursor, type LogCursor } from "../services/log-cursor.ts";
import type { DeliveryHealth } from "./delivery-health.ts";

/** How far the log of an endpoint's owner was read for it. */
export function cursorIn(log: LogName, { cursor }: Pick<DeliveryHealth, "cursor">): LogCursor {
  return cursor === "" ? { number: 0 } : decodeCursor(log, cursor);
}
