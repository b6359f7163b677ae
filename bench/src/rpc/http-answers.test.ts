import { expect, test } from "vitest";
import { createHttpAnswers } from "./http-answers.ts";

const answer = (status: number, body: string) =>
  Buffer.from(`HTTP/1.1 ${status} Whatever\r\nContent-Length: ${body.length}\r\nx: y\r\n\r\n${body}`);

test("answers are told apart wherever the bytes are cut", () => {
  const all = Buffer.concat([answer(200, "first\r\n\r\n"), answer(503, ""), answer(200, "third")]);
  for (let size = 1; size <= all.length; size++) {
    const answers = createHttpAnswers();
    const statuses: number[] = [];
    for (let from = 0; from < all.length; from += size) statuses.push(...answers.take(all.subarray(from, from + size)));
    expect(statuses).toEqual([200, 503, 200]);
  }
});

test("an answer whose length is not told cannot be read", () => {
  expect(() => createHttpAnswers().take(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"))).toThrow("without content-length");
});
