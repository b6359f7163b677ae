import type { Random } from "@petak/testkit";
import type { LogFields, LogType } from "../log-field.ts";
import type { Observation } from "../observation.ts";
import { logKinds } from "../observation-fields.ts";

const kinds = Object.keys(logKinds) as Observation["kind"][];

/** An observation with random values, among them strange texts and absent fields; of no kind `end`, which only the last one has. */
export function randomObservation(random: Random, isEvidence = false): Observation {
  const kind = random.pick(kinds.filter((kind) => kind !== "end" && !(isEvidence && kind === "violation")));
  return { kind, ...randomFields(random, logKinds[kind].fields as LogFields) } as unknown as Observation;
}

function randomFields(random: Random, fields: LogFields): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  // In any order: the writer has its own.
  for (const name of random.shuffle(Object.keys(fields))) {
    const { type, isOptional } = fields[name] as LogFields[string];
    if (isOptional !== true || random.bool(0.7)) values[name] = randomValue(random, type);
  }
  return values;
}

function randomValue(random: Random, type: LogType): unknown {
  switch (type.kind) {
    case "count":
      return random.pick([0, 1, random.int(0, 1000), 1_795_000_000_000, Number.MAX_SAFE_INTEGER]);
    case "number":
      return random.pick([0, -0.1, 1e-9, random.float(-1000, 1000), 1e21]);
    case "flag":
      return random.bool(0.5);
    case "text":
      return random.pick(["", '"\\', "\u001b[2J", "\u202eabc", "Tampines 🏙", "\ud800", "__proto__", `t-${random.int(1, 1000)}`]);
    case "choice":
      return random.pick(type.choices);
    case "list":
      return Array.from({ length: random.int(0, 3) }, () => randomValue(random, type.of));
    case "object":
      return randomFields(random, type.fields);
    case "numbers":
      return Object.fromEntries(random.shuffle(["b", 'a{x="1"}', "12", "3", "__proto__"]).map((name) => [name, random.float(-5, 5)]));
    case "observations":
      return Array.from({ length: random.int(0, 3) }, () => randomObservation(random, true));
  }
}
