import { type DescEnum, type DescField, type DescMethod, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { type ProofCondition, proof } from "../gen/petak/v1/proof_pb.ts";

/** Whether one request of a method needs a proof. */
type Rule = (request: Message) => boolean;

const never: Rule = () => false;
const always: Rule = () => true;

/** Rules by method, made when the method is first asked about. */
const rules = new WeakMap<DescMethod, Rule>();

/** Whether any request of the method needs a proof. */
export function mayNeedProof(method: DescMethod): boolean {
  return ruleOf(method) !== never;
}

/** Whether this request of the method needs a proof, by the option of the schema, whatever is stored. */
export function needsProof(method: DescMethod, request: Message): boolean {
  return ruleOf(method)(request);
}

/** Whether a client sends a proof with this request: if it needs one, or may need one by what is stored. */
export function wantsProof(method: DescMethod, request: Message): boolean {
  return dependsOnStored(method) || needsProof(method, request);
}

function dependsOnStored(method: DescMethod): boolean {
  return mayNeedProof(method) && getOption(method, proof).dependsOnStored;
}

function ruleOf(method: DescMethod): Rule {
  let rule = rules.get(method);
  if (rule === undefined) {
    rule = makeRule(method);
    rules.set(method, rule);
  }
  return rule;
}

function makeRule(method: DescMethod): Rule {
  if (!hasOption(method, proof)) return never;
  const conditions = getOption(method, proof).when.map((condition) => makeCondition(method, condition));
  return conditions.length === 0 ? always : (request) => conditions.some((applies) => applies(request));
}

/** Throws a TypeError if the condition does not fit the method's request: a defect of the schema. */
function makeCondition(method: DescMethod, { field: path, values }: ProofCondition): Rule {
  const fields: DescField[] = [];
  let schema: DescMethod["input"] | undefined = method.input;
  for (const name of path.split(".")) {
    const field: DescField | undefined = schema?.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new TypeError(`${method.parent.typeName}/${method.name}: the request has no field ${path}`);
    fields.push(field);
    schema = field.message;
  }
  const wanted = numbersOf(fields.at(-1)?.enum, values);
  return (request) => {
    const found = fields.reduce((messages, field) => messages.flatMap((message) => valuesOf(message, field)), [request] as unknown[]);
    return values.length === 0 ? found.length > 0 : found.some((value) => wanted.has(value));
  };
}

function numbersOf(type: DescEnum | undefined, names: readonly string[]): ReadonlySet<unknown> {
  return new Set(
    names.map((name) => {
      const value = type?.values.find((candidate) => candidate.name === name);
      if (value === undefined) throw new TypeError(`${name} is no value of ${type?.typeName ?? "the field"}`);
      return value.number;
    }),
  );
}

/** The values of a field in a message: none if it is not set, several if it is repeated. */
function valuesOf(message: unknown, { localName, oneof }: DescField): unknown[] {
  const members = message as Record<string, unknown>;
  if (oneof !== undefined) {
    const chosen = members[oneof.localName] as { case?: string; value?: unknown } | undefined;
    return chosen?.case === localName ? [chosen.value] : [];
  }
  const value = members[localName];
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}
