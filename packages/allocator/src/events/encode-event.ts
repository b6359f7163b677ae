import { compileEncoder, EventSchema } from "@petak/protocol";

/** Bytes of an event in a region's stream. */
export const encodeEvent = compileEncoder(EventSchema);
