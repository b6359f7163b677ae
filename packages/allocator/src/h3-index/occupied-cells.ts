/** Whether a cell has a block. The bitmap is in Redis bit order: the most significant bit of each byte first. */
export function isOccupied(bitmap: Buffer, cellNumber: number): boolean {
  return ((bitmap[cellNumber >> 3] ?? 0) & (0x80 >> (cellNumber & 7))) !== 0;
}

/** Whether any of the cells with numbers in [from, to) has a block. */
export function isAnyOccupied(bitmap: Buffer, from: number, to: number): boolean {
  for (let number = from; number < to; ) {
    const byte = bitmap[number >> 3];
    if (byte === undefined) return false;
    if (byte === 0) {
      number = (number | 7) + 1;
    } else if ((byte & (0x80 >> (number & 7))) !== 0) {
      return true;
    } else {
      number++;
    }
  }
  return false;
}
