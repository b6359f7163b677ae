import { expect, it } from "vitest";
import { exampleOf } from "./example.ts";
import { escapeHtml, prose } from "./html.ts";

it("writes text as text, whatever is in it", () => {
  expect(escapeHtml(`<img src="x" onerror='y'> & more`)).toBe("&#60;img src=&#34;x&#34; onerror=&#39;y&#39;&#62; &#38; more");
});

it("writes paragraphs, lists and code of comments", () => {
  expect(prose("One `a<b`.\n\n- first\n- second")).toBe("<p>One <code>a&#60;b</code>.</p>\n<ul><li>first</li><li>second</li></ul>");
});

it("shows what a message requires, and of a choice the first", () => {
  const schemas = {
    Call: {
      type: "object",
      properties: {
        id: { type: "string", format: "uuid" },
        at: { $ref: "#/components/schemas/Point" },
        more: { type: "string" },
        a: { type: "integer" },
      },
      required: ["id", "at"],
      allOf: [{ oneOf: [{ required: ["a"] }, { required: ["b"] }] }],
    },
    Point: { type: "object", properties: { latitude: { type: "number", minimum: -90 } } },
  };
  const id = "3f1c2a9e-6b7d-4c58-9a10-2f4e8d7b6c5a";
  expect(exampleOf({ $ref: "#/components/schemas/Call" }, schemas)).toEqual({ id, at: { latitude: 1 }, a: 1 });
});
