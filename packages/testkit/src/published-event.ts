/** An event as the allocator's scripts publish it: u48 and u32 of its entry, u32 of its length, and the event, little-endian. */
export function publishedEvent(entry: string, event: Uint8Array): Buffer {
  const [ms = "0", number = "0"] = entry.split("-");
  const head = Buffer.alloc(14);
  head.writeUIntLE(Number(ms), 0, 6);
  head.writeUInt32LE(Number(number), 6);
  head.writeUInt32LE(event.length, 10);
  return Buffer.concat([head, event]);
}
