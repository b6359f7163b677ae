import { type DescMethodUnary, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { messageBytes, type PlainForm } from "./plain-form.ts";

const jsonOptions = { ignoreUnknownFields: false };
const byteOrderMark = 0xef;

/** The message in a body, undefined where there is none of the method's type, or one that is longer than what is read. */
export function parseMessage(method: DescMethodUnary, form: PlainForm, body: Buffer, readMaxBytes: number): Message | undefined {
  const bytes = messageBytes(form, body);
  if (bytes === undefined || bytes.byteLength > readMaxBytes) return undefined;
  try {
    if (!form.isJson) return fromBinary(method.input, bytes);
    if (bytes[0] === byteOrderMark) return undefined;
    return fromJsonString(method.input, bytes.toString(), jsonOptions);
  } catch {
    return undefined;
  }
}
