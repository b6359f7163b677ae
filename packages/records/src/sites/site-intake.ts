import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Site } from "@petak/protocol";

/** As many places as a size class can have: the device says nothing of it. */
const noCap = 0xffff;

/** The most places of each size class of a site that can be used by its device's word, for scripts: u16, little-endian. */
export function placesCaps({ sizeClasses, intake }: Pick<Site, "sizeClasses" | "intake">): Buffer {
  const bytes = Buffer.alloc(sizeClasses.length * 2);
  const caps = new Map(intake?.places.map(({ sizeClassId, inService }) => [sizeClassId, inService]));
  sizeClasses.forEach(({ sizeClassId }, index) => {
    bytes.writeUInt16LE(caps.get(sizeClassId) ?? noCap, index * 2);
  });
  return bytes;
}

/** When the pause of a site's intake ends by itself, in ms since 1970. Undefined: it is not paused, or not until a time. */
export function pauseEndMs({ intake }: Pick<Site, "intake">): number | undefined {
  return intake?.paused === true && intake.pausedUntil !== undefined ? timestampMs(intake.pausedUntil) : undefined;
}
