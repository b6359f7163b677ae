import type { Random } from "@petak/testkit";
import { checkIntention } from "../check-intention.ts";
import type { Field } from "../field.ts";
import { type Intention, intentionFieldNames, intentionFields } from "../intention.ts";

/** An intention with random values, among them the limits, nulls and absent fields. */
export function randomIntention(random: Random, id: number, atMs: number): Intention {
  const given: Record<string, unknown> = {};
  for (const name of intentionFieldNames) {
    const field: Field = intentionFields[name];
    if (field.ifAbsent !== undefined && random.bool(0.3)) continue;
    given[name] = randomValue(random, field);
  }
  return checkIntention({ ...given, id, atMs }, { file: "random" });
}

function randomValue(random: Random, { type }: Field): unknown {
  if ("orNull" in type && random.bool(0.2)) return null;
  switch (type.kind) {
    case "integer":
      return random.pick([type.min, type.max, random.int(type.min, type.max)]);
    case "degrees":
      return random.pick([-type.limit, type.limit, -0, -1e-9, random.float(-type.limit, type.limit)]);
    case "name":
      return random.pick(['"', "\\", "~", "a".repeat(type.maxLength), `p-${random.int(1, 1000)}`]);
    case "choice":
      return random.pick(type.choices);
  }
}
