/** The script of the test page: functions that tests call in the browser, with arguments and results that JSON can hold. */
import { decideVector } from "@petak/agent/testing/vectors";
import { type CredentialVector, judgeCredential, judgeReceipts, type ReceiptVector } from "@petak/conformance";
import { verifyVector } from "@petak/credential/testing/receipt-vectors";
import { brokenRules, searchByKey } from "./search.ts";
import { judgeBoundToken, mintBoundToken } from "./tokens.ts";

/**
 * Makes a function that does its work in a task of its own. While the browser evaluates what a test sends it, the page's policy does not hold for `eval`; in
 * a task of the page it does.
 */
function inOwnTask<Args extends unknown[], Result>(work: (...args: Args) => Promise<Result> | Result): (...args: Args) => Promise<Result> {
  return async (...args) => {
    await new Promise((resolve) => setTimeout(resolve));
    return await work(...args);
  };
}

/** Whether the page can make code of a text. */
function canMakeCode(): boolean {
  try {
    Reflect.construct(Function, ["return 1"]);
    return true;
  } catch {
    return false;
  }
}

/** The functions of the test page. Arguments come as JSON where their types are too deep for Playwright's: those that may contain themselves. */
const functions = {
  canMakeCode: inOwnTask(canMakeCode),
  judgeCredentials: inOwnTask((json: string) =>
    Promise.all((JSON.parse(json) as CredentialVector[]).map((vector) => judgeCredential(vector, decideVector))),
  ),
  judgeReceipts: inOwnTask((json: string) =>
    Promise.all((JSON.parse(json) as ReceiptVector[]).map((vector) => judgeReceipts(vector, verifyVector))),
  ),
  mintBoundToken: inOwnTask(mintBoundToken),
  judgeBoundToken: inOwnTask(judgeBoundToken),
  brokenRules: inOwnTask((json: string): string[] => brokenRules(JSON.parse(json))),
  searchByKey: inOwnTask(searchByKey),
};

declare global {
  /** In the browser alone. */
  var testPage: TestPage;
}

/** Their types, for the tests. */
export type TestPage = typeof functions;

globalThis.testPage = functions;
