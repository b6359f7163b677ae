/**
 * Node's own primitives where this runs on Node, undefined elsewhere. What they do is done where it is called. WebCrypto makes a job for another thread of
 * each hash and each signature, and getting there and back takes ten times as long as a hash, and as long again as a signature.
 */
export const nodeCrypto: typeof import("node:crypto") | undefined = globalThis.process?.getBuiltinModule?.("node:crypto");
