import { expect, test } from "vitest";
import { createHttpAnswers } from "./http-answers.ts";

const answer = (status: number, body: string) =>
  Buffer.from(`HTTP/1.1 ${status} Whatever\r\nContent-Length: ${body.length}\r\nx: y\r\n\r\n${body}`);

test("answers are told apart wherever the bytes are cut, out of a buffer that is used again", () => {
  const all = Buffer.concat([answer(200, "first\r\n\r\n"), answer(503, ""), answer(200, "third")]);
  for (let size = 1; size <= all.length; size++) {
    const statuses: number[] = [];
    const answers = createHttpAnswers((status) => void statuses.push(status));
    const bytes = Buffer.alloc(all.length);
    for (let from = 0; from < all.length; from += size) answers.take(bytes, all.copy(bytes, 0, from, from + size));
    expect(statuses).toEqual([200, 503, 200]);
  }
});

test("an answer whose length is not told, or whose head does not end, cannot be read", () => {
  const take = (text: string) => createHttpAnswers(() => {}).take(Buffer.from(text), text.length);
  expect(() => take("HTTP/1.1 200 OK\r\n\r\n")).toThrow("without content-length");
  expect(() => take(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(9000)}`)).toThrow("more than 8192 bytes");
});
