import { create } from "@bufbuild/protobuf";
import { ParcelRequirement, PassedOverReason, PassedOverSchema, SiteRequirementsSchema, validateMessage } from "@petak/protocol";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { processIo } from "../process-io.ts";
import { addRequirementOptions, describePassedOver, type RequirementOptions, toRequirements } from "./find-requirements.ts";

function read(...args: string[]): RequirementOptions {
  const command = addRequirementOptions(new Command(), { io: { ...processIo, now: () => Date.parse("2026-11-05T12:00Z") } })
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(args, { from: "user" }).opts();
}

describe("what a site must be like, on the command line", () => {
  it("becomes the gateway's message", () => {
    const options = read(
      "--country",
      "sg,MY",
      "--open-at",
      "2026-11-05T21:30+08:00",
      "--step-free",
      "--accessible",
      "--card",
      "--refrigerated",
    );
    const message = create(SiteRequirementsSchema, toRequirements(options));
    validateMessage(SiteRequirementsSchema, message);
    expect(message).toMatchObject({
      countryCodes: ["SG", "MY"],
      openAt: { seconds: BigInt(Date.parse("2026-11-05T13:30Z") / 1000) },
      stepFree: true,
      accessible: true,
      cardPayment: true,
      refrigerated: true,
    });
  });

  it("takes a time from now", () => {
    expect(read("--open-at", "+90m").openAt).toEqual(new Date("2026-11-05T13:30Z"));
  });

  it("names what the parcel needs", () => {
    expect(read("--needs", "age-check,no-locker", "--needs", "id-check").needs).toEqual([
      ParcelRequirement.AGE_CHECK,
      ParcelRequirement.NO_LOCKER,
      ParcelRequirement.ID_CHECK,
    ]);
  });

  it("is refused if it is malformed", () => {
    expect(() => read("--open-at", "2026-11-05T21:30")).toThrow(/offset from UTC/);
    expect(() => read("--country", "Singapore")).toThrow(/two letters/);
    expect(() => read("--needs", "luck")).toThrow(/age-check/);
  });

  it("is described in a sentence if it was not met", () => {
    const counts = [
      { reason: PassedOverReason.DOES_NOT_FIT, sites: 2 },
      { reason: PassedOverReason.FULL, sites: 3 },
    ];
    expect(describePassedOver(create(PassedOverSchema, { withinM: 1234.5, counts }))).toBe(
      "Passed over within 1,235 m: 2 does not fit, 3 full.",
    );
    expect(describePassedOver(create(PassedOverSchema, { withinM: 50_000 }))).toBe("Passed over within 50,000 m: none.");
  });
});
