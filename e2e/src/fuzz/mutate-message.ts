import { clone, create, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import type { DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Random } from "@petak/testkit";
import { isWellKnown, type Spot, spotsOf } from "../testing/schema-walk.ts";
import { hostileDoubles, hostileTexts, hostileTimes, hostileUint32s, hostileUint64s } from "./hostile-values.ts";

/** A message of the right type in which one to three values are extreme, wrong or missing. */
export function mutateMessage(random: Random, schema: DescMessage, message: Message): Message {
  const mutant = clone(schema, message);
  for (let left = random.int(1, 3); left > 0; left -= 1) {
    const spots = spotsOf(schema, mutant);
    if (spots.length === 0) break;
    const spot = random.pick(spots);
    spot.put(hostileValue(random, spot));
  }
  return mutant;
}

function hostileValue(random: Random, { field }: Spot): unknown {
  switch (field.fieldKind) {
    case "enum":
      return random.pick([0, 99, -1, 2_147_483_647]);
    case "message":
      return field.oneof === undefined && random.bool() ? undefined : hostileMessage(random, field.message);
    case "scalar":
      return hostileScalar(random, field.scalar);
    case "list":
      if (field.listKind === "scalar") return hostileScalar(random, field.scalar);
      return field.listKind === "enum" ? random.pick([0, 99, -1]) : hostileMessage(random, field.message);
    default:
      return undefined;
  }
}

function hostileMessage(random: Random, schema: DescMessage): Message {
  return isWellKnown(schema) ? create(schema as typeof DurationSchema, random.pick(hostileTimes)) : create(schema);
}

function hostileScalar(random: Random, type: ScalarType): unknown {
  switch (type) {
    case ScalarType.DOUBLE:
      return random.pick(hostileDoubles);
    case ScalarType.UINT32:
      return random.pick(hostileUint32s);
    case ScalarType.UINT64:
      return random.pick(hostileUint64s);
    case ScalarType.INT32:
      return random.pick([0, -1, 0x7fffffff, -0x80000000]);
    case ScalarType.BOOL:
      return random.bool();
    case ScalarType.BYTES:
      return random.pick([0, 31, 32, 33, 5000]) === 32 ? new Uint8Array(32) : random.bytes(random.pick([0, 31, 33, 500]));
    default:
      return random.pick(hostileTexts);
  }
}
