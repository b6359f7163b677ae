import { expect, it } from "vitest";
import { generateKeyPair } from "../keys/ed25519.ts";
import { enrolmentIdOf, judgeEnrolment, signEnrolment } from "./enrolment.ts";

it("an enrolment has the id that docs/credentials.md says", async () => {
  expect(await enrolmentIdOf("7k3pm0xq92tdhrbe")).toBe("enr_0db4pz5dkxzznpxf");
});

it("a proof is good for its key and its enrolment only", async () => {
  const { privateJwk, publicKey } = await generateKeyPair();
  const other = await generateKeyPair();
  const id = "enr_0db4pz5dkxzznpxf";
  const proof = await signEnrolment(privateJwk, id);
  expect(await judgeEnrolment(proof, publicKey, id)).toBeUndefined();
  expect(await judgeEnrolment(proof, other.publicKey, id)).toBe("signature");
  expect(await judgeEnrolment(proof, publicKey, "enr_0000000000000000")).toBe("enrolment_id");
  expect(await judgeEnrolment("a.b.c", publicKey, id)).toBe("form");
  expect(await judgeEnrolment("", publicKey, id)).toBe("form");
});
