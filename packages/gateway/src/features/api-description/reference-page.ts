import type { JsonSchema } from "@petak/protocol/description";
import { exampleOf } from "./example.ts";
import { escapeHtml, page, prose } from "./html.ts";

/** The parts of the description that the page shows. */
interface Described {
  readonly info: { readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, { readonly post: Operation; readonly get?: Operation }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, { readonly description: string }>>;
  };
}

interface Operation {
  readonly tags: readonly string[];
  readonly description: string;
  readonly security?: readonly unknown[];
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** The reference of all calls as one page without scripts, in HTML. @param description what `openApiOf` made */
export function referencePage(description: JsonSchema): string {
  const { info, tags, paths, components } = description as unknown as Described;
  const { schemas, responses } = components;
  const calls = Object.entries(paths);
  const ofTag = (name: string) => calls.filter(([, { post }]) => post.tags.includes(name));
  const contents = tags.map(({ name }) => {
    const links = ofTag(name).map(([path]) => `<li><a href="#${anchorOf(path)}">${lastOf(path)}</a></li>`);
    return `<h2><a href="#${name}">${name}</a></h2><ul>${links.join("")}</ul>`;
  });
  const services = tags.map(({ name, description: about }) => {
    const sections = ofTag(name).map(([path, item]) => callSection(path, item, schemas));
    return `<section><h2 id="${name}">${name}</h2>${prose(about)}${sections.join("\n")}</section>`;
  });
  const messages = Object.entries(schemas).map(([name, schema]) => messageSection(name, schema));
  const errors = Object.entries(responses).map(
    ([name, response]) => `<section><h3>HTTP ${name.replace("Error", "")}</h3>${prose(response.description)}</section>`,
  );
  const further = `<h2><a href="#messages">Messages</a></h2><h2><a href="#errors">Errors</a></h2>`;
  // On wide screens the list scrolls by itself, also by keyboard.
  return page(
    "Petak: reference of the calls",
    `<nav aria-label="Calls" tabindex="0"><details><summary>All calls</summary>${contents.join("\n")}${further}</details></nav>
<main><h1>Reference of the calls</h1>${prose(info.description)}
<p>The same for programs: <a href="/openapi.json">/openapi.json</a>. <a href="/">This gateway</a></p>
${services.join("\n")}
<h2 id="messages">Messages</h2>
${messages.join("\n")}
<h2 id="errors">Errors</h2>
${errors.join("\n")}</main>`,
    "reference",
  );
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `DirectoryService-FindNearest`: several services may have a call of one name. */
function anchorOf(path: string): string {
  return path.replace("/petak.v1.", "").replace("/", "-");
}

function callSection(
  path: string,
  { post, get }: { post: Operation; get?: Operation },
  schemas: Described["components"]["schemas"],
): string {
  const [request, answer] = [post.requestBody, post.responses["200"]].map((one) => one?.content["application/json"]?.schema ?? {});
  const body = JSON.stringify(exampleOf(request as JsonSchema, schemas as Record<string, JsonSchema>));
  const signed = post.security?.length === 0 ? "" : ` \\\n  -H "Authorization: Bearer $TOKEN"`;
  const curl = `curl "$GATEWAY${path}" \\\n  -H 'Content-Type: application/json'${signed} \\\n  -d '${body}'`;
  const byGet = get === undefined ? "" : ' <span class="pill">also by GET</span>';
  return `<section><h3 id="${anchorOf(path)}">${lastOf(path)}${byGet}</h3>${prose(post.description)}
<p>${typeOf(request as Schema)} → ${typeOf(answer as Schema)}</p>
<pre tabindex="0" aria-label="Example of ${lastOf(path)}">${escapeHtml(curl)}</pre></section>`;
}

function messageSection(name: string, { description = "", properties, required = [] }: Schema): string {
  const rows = Object.entries(properties ?? {}).map(([field, schema]) => {
    const needed = required.includes(field) ? " <strong>required</strong>" : "";
    return `<dt><code>${field}</code> ${typeOf(schema)}${needed}</dt><dd>${prose(schema.description ?? "")}</dd>`;
  });
  const fields = rows.length === 0 ? "" : `<dl>${rows.join("\n")}</dl>`;
  return `<section><h3 id="message-${name}">${name}</h3>${prose(description)}${fields}</section>`;
}

function typeOf({ $ref, type, items, format }: Schema): string {
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return `<a href="#message-${name}">${name}</a>`;
  }
  if (items !== undefined) return `list of ${typeOf(items)}`;
  return `${type ?? "object"}${typeof format === "string" ? ` (${format})` : ""}`;
}
