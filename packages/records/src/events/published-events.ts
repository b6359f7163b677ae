/** An event as it was published. */
export interface PublishedEvent {
  /** Its entry in its region's stream. */
  entry: string;
  bytes: Buffer;
}

/** Bytes before each event of a message: u48 and u32, the two numbers of its entry in the region's stream, and u32 of its length. */
const headBytes = 14;

/** The events that a script has recorded, as lua/includes/events.lua writes them. Of what is not written so, none: it is no message of ours. */
export function publishedEvents(message: Buffer): PublishedEvent[] {
  const events: PublishedEvent[] = [];
  let at = 0;
  while (at + headBytes <= message.length) {
    const end = at + headBytes + message.readUInt32LE(at + 10);
    events.push({ entry: `${message.readUIntLE(at, 6)}-${message.readUInt32LE(at + 6)}`, bytes: message.subarray(at + headBytes, end) });
    at = end;
  }
  return at === message.length ? events : [];
}
