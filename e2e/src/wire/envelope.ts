/** A message in an envelope of gRPC, gRPC-Web and Connect streams. */
export function envelope(data: Uint8Array, flags = 0): Buffer {
  const bytes = Buffer.allocUnsafe(5 + data.byteLength);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(data.byteLength, 1);
  bytes.set(data, 5);
  return bytes;
}

/** The envelopes in a body. A truncated one at the end is omitted. */
export function readEnvelopes(body: Buffer): { flags: number; data: Buffer }[] {
  const found: { flags: number; data: Buffer }[] = [];
  let at = 0;
  while (at + 5 <= body.byteLength) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    if (end > body.byteLength) break;
    found.push({ flags: body.readUInt8(at), data: body.subarray(at + 5, end) });
    at = end;
  }
  return found;
}
