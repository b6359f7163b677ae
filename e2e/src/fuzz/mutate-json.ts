import type { Random } from "@petak/testkit";

/** Invalid JSON or JSON of another type: wrong types and depths, duplicate keys, numbers out of range, invalid Unicode. */
export function mutateJson(random: Random, text: string): Buffer {
  switch (random.int(0, 13)) {
    case 0:
      return Buffer.from(text.slice(0, random.int(0, text.length)));
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
      return Buffer.from(withOtherValues(random, text));
    case 6:
      return Buffer.from(withKeysTwice(random, text));
    case 7:
      return Buffer.from(withOtherKey(random, text));
    case 8: {
      const depth = random.pick([1, 5, 99, 2000, 50_000]);
      const [open, close] = random.pick([
        ["[", "]"],
        ['{"origin":', "}"],
        ['{"a":[', "]}"],
      ] as const);
      return Buffer.from(`${open.repeat(depth)}${random.bool() ? text : ""}${random.bool() ? close.repeat(depth) : ""}`);
    }
    case 9:
      return Buffer.from(random.pick(notJson(text)));
    case 10:
      return Buffer.from(`\ufeff${text}`, random.pick(["utf8", "utf16le"] as const));
    case 11: {
      // A byte that UTF-8 does not permit, at a random position.
      const bytes = Buffer.from(text);
      bytes.writeUInt8(random.pick([0xff, 0xc0, 0xed, 0x80]), random.int(0, bytes.byteLength - 1));
      return bytes;
    }
    case 12: {
      const bytes = Buffer.from(text);
      const at = random.int(0, bytes.byteLength - 1);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.int(0, 7)), at);
      return bytes;
    }
    default:
      return Buffer.from(random.bytes(random.int(0, 200)));
  }
}

const primitive = /"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null/gi;

/** Replaces one to three values. */
function withOtherValues(random: Random, text: string): string {
  let changed = text;
  for (let left = random.int(1, 3); left > 0; left -= 1) {
    const values = [...changed.matchAll(primitive)];
    if (values.length === 0) return `${changed} ${random.pick(otherValues)}`;
    const { 0: value, index } = random.pick(values);
    changed = `${changed.slice(0, index)}${random.pick(otherValues)}${changed.slice(index + value.length)}`;
  }
  return changed;
}

function withKeysTwice(random: Random, text: string): string {
  const members = [...text.matchAll(/"(\w+)":/g)];
  if (members.length === 0) return '{"siteId":"a","siteId":"b"}';
  const { 0: key, index } = random.pick(members);
  return `${text.slice(0, index)}${key}${random.pick(otherValues)},${text.slice(index)}`;
}

function withOtherKey(random: Random, text: string): string {
  const members = [...text.matchAll(/"\w+":/g)];
  if (members.length === 0) return '{"__proto__":{"limit":1}}';
  const { 0: key, index } = random.pick(members);
  return `${text.slice(0, index)}${random.pick(otherKeys)}:${text.slice(index + key.length)}`;
}

const otherKeys = [
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"[petak.v1.ext]"',
  "siteId",
  '"SITE_ID"',
  '"$typeName"',
];

const otherValues = [
  "null",
  "true",
  "{}",
  "[]",
  "[[[[[[]]]]]]",
  "[null]",
  '{"a":{"b":{}}}',
  "-1",
  "1.5",
  "1e999",
  "-1e999",
  "99999999999999999999999999999999",
  "0.1e-400",
  "4294967296",
  "18446744073709551616",
  '"-1"',
  '"1e3"',
  '" 5"',
  '"5 "',
  '"0x10"',
  '"NaN"',
  '"Infinity"',
  '"-Infinity"',
  '"-0"',
  '""',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"a\\udfffb"',
  '"\\u0000"',
  '"PURPOSE_TO_BE_SEEN"',
  '"9999-99-99T99:99:99Z"',
  '"0001-01-01T00:00:00Z"',
  '"9999-12-31T23:59:59.999999999Z"',
  '"2026-11-24T00:00:00+99:99"',
  '"1.0000000001s"',
  '"-315576000001s"',
  '"s"',
  '"===="',
  '"____"',
  `"${"x".repeat(3000)}"`,
  "NaN",
  "Infinity",
  "undefined",
  "01",
  "+1",
  ".5",
  "0x10",
  "'a'",
];

function notJson(text: string): string[] {
  return [
    "",
    " ",
    "null",
    "[]",
    "0",
    '"text"',
    "{",
    "}",
    "{,}",
    `${text},`,
    `${text}${text}`,
    `/* a comment */${text}`,
    text.replace("}", ",}"),
    text.replaceAll('"', "'"),
    text.replace(":", "="),
    `)]}',\n${text}`,
    `${" ".repeat(5000)}${text}`,
    "\u0000".repeat(50),
  ];
}
