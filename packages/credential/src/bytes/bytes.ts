/** Bytes as WebCrypto accepts them: not in shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;
