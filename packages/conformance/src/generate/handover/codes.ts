import type { HandoverCodeOutcome, HandoverCodeVector, HandoverVectorParcel } from "../../vectors/handover-vector.ts";
import { base64url } from "../signing.ts";
import { type Entry, entry, entryHash, headerOf, type List, listOf, site, siteStatement, stranger } from "./scene.ts";

const list = listOf([entry("SG 4711/9"), entry(1), entry(2, "DAMAGED", "WET"), entry(3, "REFUSED", "NO_PLACE"), entry(4)]);

function codeOf(of: List): string {
  const marks = base64url(Buffer.concat(of.entries.map((one) => entryHash(of.nonce, one).subarray(0, 2))));
  const exceptions = of.entries.flatMap(({ condition, reason }, index) => (condition === "OK" ? [] : [`${index}.${condition}.${reason}`]));
  const code = `${siteStatement(of)}~${marks}~${exceptions.join(",")}`;
  return code.length <= 800 ? code : siteStatement(of);
}

function parcel({ reservation_id, label_code }: Entry): HandoverVectorParcel {
  return { reservation_id, label_code };
}

function found(
  id: string,
  shows: string,
  of: List,
  parcels: readonly Entry[],
  outcome: Partial<HandoverCodeOutcome> = {},
): HandoverCodeVector {
  const expected = { fault: null, list: JSON.stringify(of), missing: [], unknown: 0, ...outcome };
  return { id, shows, code: codeOf(of), parcels: parcels.map(parcel), expected };
}

function faulty(id: string, shows: string, fault: string, code: string): HandoverCodeVector {
  return { id, shows, code, parcels: list.entries.map(parcel), expected: { fault, list: null, missing: null, unknown: null } };
}

const many = (count: number) => listOf(Array.from({ length: count }, (_, index) => entry(index)));
const [statement = "", marks = "", exceptions = ""] = codeOf(list).split("~");

/** Two parcels with one mark, the first of which is on the list: the courier pairs the list's entry with either. */
function twins(): [Entry, Entry] {
  const seen = new Map<string, Entry>();
  for (let number = 100; ; number++) {
    const mark = entryHash(list.nonce, entry(number)).subarray(0, 2).toString("hex");
    const other = seen.get(mark);
    if (other !== undefined) return [other, entry(number)];
    seen.set(mark, entry(number));
  }
}

const [twin, otherTwin] = twins();

/** Codes of sites, and what a courier finds. */
export const codes: readonly HandoverCodeVector[] = [
  found("same", "The same parcels, three of them not OK by the site or without a reservation", list, [...list.entries].reverse()),
  found("missing", "The courier has two parcels more", list, [...list.entries, entry(9), entry("A")], {
    missing: [entry("A"), entry(9)].map(parcel),
  }),
  found("unknown", "The site has a parcel more", list, list.entries.slice(1), { list: null, unknown: 1 }),
  found("both", "One parcel more at each side", list, [...list.entries.slice(1), entry(9)], {
    list: null,
    unknown: 1,
    missing: [parcel(entry(9))],
  }),
  found("nothing", "The courier has none of the parcels", list, [], { list: null, unknown: 5 }),
  found("thirty", "Thirty parcels", many(30), many(30).entries),
  found(
    "twin",
    "The parcel that is missing at the site has the mark of one that is there",
    listOf([entry(1), twin]),
    [entry(1), twin, otherTwin],
    {
      missing: [parcel(otherTwin)],
    },
  ),
  found("other-twin", "The other of both is there", listOf([entry(1), otherTwin]), [entry(1), twin, otherTwin], {
    missing: [parcel(twin)],
  }),
  found("without-marks", "So many parcels that the code has no marks", many(200), many(200).entries),
  found("without-marks-missing", "The same, and the courier has one less", many(200), many(199).entries, { list: null }),

  faulty("empty", "Nothing", "form", ""),
  faulty(
    "tampered",
    "A changed letter in the signature",
    "site_signature",
    codeOf(list).replace(/.{20}~/, (end) => `${end[0] === "A" ? "B" : "A"}${end.slice(1)}`),
  ),
  faulty(
    "forged",
    "Signed by a stranger in the name of the site's key",
    "site_signature",
    siteStatement(list, {}, headerOf("site", site), stranger),
  ),
  faulty("few-marks", "A mark less than parcels", "form", `${statement}~${marks.slice(0, -3)}~${exceptions}`),
  faulty("only-marks", "Marks without exceptions' field", "form", `${statement}~${marks}`),
  faulty("exceptions-unordered", "Exceptions in another order", "form", `${statement}~${marks}~${exceptions.split(",").reverse().join()}`),
  faulty("exception-ok", "An exception that is OK", "form", `${statement}~${marks}~1.OK.`),
  faulty("exception-beyond", "An exception beyond the list", "form", `${statement}~${marks}~5.DAMAGED.WET`),
  faulty("exception-zeros", "An index with a leading zero", "form", `${statement}~${marks}~02.DAMAGED.WET`),
  faulty("long", "More than 800 characters", "form", `${codeOf(list)}${"A".repeat(800)}`),
];
