import { SiteService } from "@petak/protocol";
import { InvalidArgumentError } from "commander";
import { expect, it } from "vitest";
import { collectServices, siteServiceName } from "./site-services.ts";

it("the services of sites are read by their names, each once, and another name is refused with all of them", () => {
  const read = collectServices("age_check, CASH_ON_DELIVERY", [SiteService.AGE_CHECK]);
  expect(read).toEqual([SiteService.AGE_CHECK, SiteService.CASH_ON_DELIVERY]);
  expect(read.map(siteServiceName)).toEqual(["age_check", "cash_on_delivery"]);
  expect(() => collectServices("haircuts")).toThrow(InvalidArgumentError);
  expect(() => collectServices("haircuts")).toThrow(
    "write one of age_check, id_check, cash_on_delivery, dangerous_goods, personal_collection.",
  );
});
