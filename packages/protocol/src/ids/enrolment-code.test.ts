import { expect, it } from "vitest";
import { randomBase32 } from "./base32.ts";
import { enrolmentSecretLength, formatEnrolmentCode, readEnrolmentCode } from "./enrolment-code.ts";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

function exchanged(text: string, i: number, j: number): string {
  const characters = Array.from(text);
  [characters[i], characters[j]] = [characters[j] ?? "", characters[i] ?? ""];
  return characters.join("");
}

it("is read however it is typed", () => {
  expect(formatEnrolmentCode("7k3pm0xq92tdhrb")).toBe("7K3P-M0XQ-92TD-HRBE");
  for (const typed of ["7K3P-M0XQ-92TD-HRBE", "7k3pm0xq92tdhrbe", " 7k3p moxq 92td hrbe ", "7K3P-MOXQ 92TD-HRBE"]) {
    expect(readEnrolmentCode(typed)).toBe("7k3pm0xq92tdhrbe");
  }
  const withOnes = formatEnrolmentCode("111111111111111");
  expect(readEnrolmentCode(withOnes.replaceAll("1", "I"))).toBe(readEnrolmentCode(withOnes));
  expect(readEnrolmentCode(withOnes.replaceAll("1", "l"))).toBe(readEnrolmentCode(withOnes));
});

it("is refused with any one character wrong, any two exchanged, and in any other length", () => {
  const code = readEnrolmentCode(formatEnrolmentCode(randomBase32(enrolmentSecretLength))) ?? "";
  expect(code).toHaveLength(16);
  for (let i = 0; i < code.length; i++) {
    for (const other of alphabet) {
      if (other !== code[i]) expect(readEnrolmentCode(code.slice(0, i) + other + code.slice(i + 1))).toBeUndefined();
    }
    for (let j = 0; j < i; j++) if (code[i] !== code[j]) expect(readEnrolmentCode(exchanged(code, i, j))).toBeUndefined();
  }
  for (const wrong of ["", code.slice(1), `${code}0`, `0${code}`, code.replace(/./, "u"), `${code.slice(1)}é`, "token"]) {
    expect(readEnrolmentCode(wrong)).toBeUndefined();
  }
});
