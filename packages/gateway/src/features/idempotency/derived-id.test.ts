import { describe, expect, it } from "vitest";
import { derivedId } from "./derived-id.ts";

const caller = { participantId: "par_0000000000000001" };
const request = { requestId: "0d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11" };

describe("an id derived from a request", () => {
  it("is the same for a duplicate, and differs for another store, caller or request", () => {
    const id = derivedId("k3v9c0x2md", caller, request, 16);
    expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
    expect(derivedId("k3v9c0x2md", { ...caller }, { ...request }, 16)).toBe(id);
    expect(derivedId("0x2mdk3v9c", caller, request, 16)).not.toBe(id);
    expect(derivedId("k3v9c0x2md", { participantId: "par_0000000000000002" }, request, 16)).not.toBe(id);
    expect(derivedId("k3v9c0x2md", caller, { requestId: "1d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11" }, 16)).not.toBe(id);
    expect(derivedId("k3v9c0x2md", caller, request, 24).slice(0, 16)).toBe(id);
  });
});
