import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { type CatalogueEntry, catalogue, errorDomain, type Retry } from "./catalogue.ts";
import { codeName } from "./code-name.ts";

/** The catalogue's groups, each with the first number that is no longer in it. */
const groups: readonly (readonly [title: string, end: number])[] = [
  ["The call itself", 20],
  ["Who calls", 40],
  ["What the caller may do", 60],
  ["What the request names", 80],
  ["Where things stand", Number.POSITIVE_INFINITY],
];

const retryWords: Readonly<Record<Retry, string>> = {
  no: "no",
  yes: "yes, later each time",
  retry_info: "yes, after `RetryInfo`",
};

/** The text of docs/errors.md, printed from the catalogue. */
export function errorsPage(): string {
  const entries: [string, CatalogueEntry][] = Object.entries(catalogue);
  let begin = 0;
  const sections = groups.map(([title, end]) => {
    const rows = entries.filter(([, { number }]) => number >= begin && number < end).map(row);
    begin = end;
    return `## ${title}\n\n| reason | code | HTTP | meaning | what to do | again? | metadata |\n|---|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `<!-- Printed from packages/protocol/src/errors/catalogue.ts. Change it there, then run \`node packages/protocol/src/errors/write-page.ts\`. -->

# Errors

Whatever a gateway refuses, it refuses with one of these ${entries.length} reasons. It is the \`reason\` of the \`google.rpc.ErrorInfo\` among the error's
details, in the domain \`${errorDomain}\`. Go by the reason and not by the message, which is for people and may change. A newer gateway may have
further reasons: read one that you do not know by its code.

Beside the \`ErrorInfo\`, an error carries

- a \`google.rpc.BadRequest\` with the path and the rule of each wrong field, where fields are at fault;
- a \`google.rpc.PreconditionFailure\`, where the code is \`FAILED_PRECONDITION\`;
- a \`google.rpc.RetryInfo\`, where the column "again?" says so.

gRPC has them in the trailer \`grpc-status-details-bin\`, gRPC-Web in its last frame, Connect in \`details\` of the JSON error. This is what a page
that asks for latitude 91 gets:

\`\`\`json
{
  "code": "invalid_argument",
  "message": "origin.latitude: must be greater than or equal to -90 and less than or equal to 90",
  "details": [
    { "type": "google.rpc.ErrorInfo", "value": "…", "debug": { "reason": "INVALID_FIELD", "domain": "${errorDomain}" } },
    { "type": "google.rpc.BadRequest", "value": "…", "debug": { "fieldViolations": [{ "field": "origin.latitude", "reason": "double.gte_lte", … }] } }
  ]
}
\`\`\`

"HTTP" is the status under Connect; those in brackets come where HTTP itself is at fault: a wrong path or HTTP method, a wrong content type,
headers that are too long or too slow. gRPC and gRPC-Web always have status 200. "Again?" says whether the same request, with the same \`request_id\`, may
come again. Values in the metadata are cut after 200 characters.

${sections.join("\n")}
\`grpc.health.v1.Health/Check\` of a service that is not here has the reason \`METHOD_NOT_FOUND\` and, as health checking prescribes, the code
\`NOT_FOUND\`. An error without any reason does not come from the gateway but from what stands between: a proxy, or the client's own time-out.
`;
}

function row([reason, { code, meaning, remedy, retry, metadata, otherStatuses = [] }]: [string, CatalogueEntry]): string {
  const statuses = [codeToHttpStatus(code), ...(otherStatuses.length === 0 ? [] : [`(${otherStatuses.join(", ")})`])].join(" ");
  const keys = Object.entries(metadata).map(([key, says]) => `\`${key}\`: ${says}`);
  return `| \`${reason}\` | \`${codeName(code)}\` | ${statuses} | ${meaning} | ${remedy} | ${retryWords[retry]} | ${keys.join("; ")} |`;
}
