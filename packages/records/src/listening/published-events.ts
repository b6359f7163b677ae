import { unpackEntry } from "../encoding/stream-entry.ts";

/** An event as it was published. */
export interface PublishedEvent {
  /** Its entry in its region's stream. */
  entry: string;
  bytes: Buffer;
}

/** Bytes before each event of a message: its packed entry, and its length as u32. */
const headBytes = 14;

/** Decodes the events in a message that lua/includes/events.lua published. Empty if the message has another form. */
export function publishedEvents(message: Buffer): PublishedEvent[] {
  const events: PublishedEvent[] = [];
  let at = 0;
  while (at + headBytes <= message.length) {
    const end = at + headBytes + message.readUInt32LE(at + 10);
    events.push({ entry: unpackEntry(message, at), bytes: message.subarray(at + headBytes, end) });
    at = end;
  }
  return at === message.length ? events : [];
}
