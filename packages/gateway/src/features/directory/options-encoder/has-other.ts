import { type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";

/** Tells whether a message has a field beyond those listed set, or one that is not in its schema. */
export function hasOther<Desc extends DescMessage>(schema: Desc, known: readonly string[]): (message: MessageShape<Desc>) => boolean {
  const others = schema.fields.filter(({ localName }) => !known.includes(localName));
  return (message) => {
    if (message.$unknown !== undefined) return true;
    for (const field of others) if (isFieldSet(message, field)) return true;
    return false;
  };
}
