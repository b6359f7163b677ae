/** Fast encoders for the hot path of a server. Node only: they write into a `Buffer`. */
export { compileEncoder, type MessageEncoder } from "./wire/compile-encoder.ts";
