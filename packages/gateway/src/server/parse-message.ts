import { fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { messageBytes, type PlainForm } from "./plain-form.ts";
import type { UnaryMethod } from "./unary-methods.ts";

const jsonOptions = { ignoreUnknownFields: false };
const byteOrderMark = 0xef;

/** The message in a body, undefined where there is none of the method's type, or one that is longer than what is read. */
export function parseMessage(
  { method, decoder }: Pick<UnaryMethod, "method" | "decoder">,
  form: PlainForm,
  body: Buffer,
  readMaxBytes: number,
): Message | undefined {
  const bytes = messageBytes(form, body);
  if (bytes === undefined || bytes.byteLength > readMaxBytes) return undefined;
  try {
    if (!form.isJson) return fromBinary(method.input, bytes);
    if (bytes[0] === byteOrderMark) return undefined;
    const text = bytes.toString();
    return decoder?.json(text) ?? fromJsonString(method.input, text, jsonOptions);
  } catch {
    return undefined;
  }
}
