import { InputError, type InputPlace, show } from "../input/input-error.ts";
import { checkField, type Field } from "./field.ts";
import { type Intention, type IntentionField, intentionFieldNames, intentionFields } from "./intention.ts";

/**
 * Makes an intention of fields, with absent optional fields at their defaults.
 *
 * @param nameInFile what the file calls a field, for messages. Default: its name
 * @throws InputError if a field is missing, unknown or out of its range.
 */
export function checkIntention(
  given: Readonly<Record<string, unknown>>,
  place: InputPlace,
  nameInFile: (field: string) => string = (field) => field,
): Intention {
  const intention: Record<string, string | number | null> = {};
  for (const name of intentionFieldNames) {
    const field: Field = intentionFields[name];
    const value = Object.hasOwn(given, name) ? given[name] : field.ifAbsent;
    const at = { ...place, field: nameInFile(name) };
    if (value === undefined) throw new InputError(at, "is missing, and it is required");
    intention[name] = checkField(field, value, at);
  }
  for (const name of Object.keys(given)) {
    if (!intentionFieldNames.includes(name as IntentionField)) {
      throw new InputError(place, `the field ${show(name)} is unknown; the fields are ${intentionFieldNames.join(", ")}`);
    }
  }
  return intention as unknown as Intention;
}

/**
 * Returns a function that checks that each intention it is given belongs behind the one before.
 *
 * @throws InputError if an id does not increase, or a time decreases.
 */
export function orderCheck(): (intention: Intention, place: InputPlace) => void {
  let last: Intention | undefined;
  return (next, place) => {
    if (last !== undefined && next.id <= last.id) {
      throw new InputError({ ...place, field: "id" }, `${next.id} follows ${last.id}, but ids increase from line to line`);
    }
    if (last !== undefined && next.atMs < last.atMs) {
      throw new InputError({ ...place, field: "atMs" }, `${next.atMs} follows ${last.atMs}, but lines are in order of time: sort them`);
    }
    last = next;
  };
}
