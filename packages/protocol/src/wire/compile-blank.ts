import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";

/**
 * Makes messages of one type with nothing set, as the library's `create` does, for large ones of the hot path: with a field for everything that the
 * type has, `undefined` where nothing is set. Fill them field by field, or with the library's `mergeFromBinary`.
 *
 * The library gives a message its fields one by one under names that it has in a list. V8 makes a hash table of an object that gets more than some 16 fields so
 * (`kFastPropertiesSoftLimit`), which is slow to read, and 50 times as slow to copy: a reservation has 24 to 43. All messages made here have one shape.
 */
export function compileBlank<Desc extends DescMessage>(schema: Desc): () => MessageShape<Desc> {
  const zero: [string, unknown][] = Object.entries(create(schema));
  const singleFields = schema.fields.filter(({ oneof }) => oneof === undefined).map(({ localName }) => [localName, undefined]);
  // Spread once more, since what is made of entries is a hash table too.
  const template = { ...Object.fromEntries([...singleFields, ["$unknown", undefined], ...zero]) } as Record<string, unknown>;
  // Lists, and what says which field of several is set. Bytes are not written to.
  const owned = zero.flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !(value instanceof Uint8Array) ? [{ name, value }] : [],
  );
  return () => {
    const message = { ...template };
    for (const { name, value } of owned) message[name] = Array.isArray(value) ? [] : { ...value };
    return message as MessageShape<Desc>;
  };
}
