/** The script of the test page: functions that tests call in the browser, with JSON-compatible arguments and results. */
import { decideVector } from "@petak/agent/testing/vectors";
import { type CredentialVector, judgeCredential, judgeReceipts, type ReceiptVector } from "@petak/conformance";
import { verifyVector } from "@petak/credential/testing/receipt-vectors";
import { brokenRules, searchByKey } from "./search.ts";
import { judgeBoundToken, mintBoundToken } from "./tokens.ts";

/**
 * Makes a function that does its work in a separate task. While the browser evaluates code sent by a test, the page's policy does not apply
 * to `eval`; in a task of the page it does.
 */
function inOwnTask<Args extends unknown[], Result>(work: (...args: Args) => Promise<Result> | Result): (...args: Args) => Promise<Result> {
  return async (...args) => {
    await new Promise((resolve) => setTimeout(resolve));
    return await work(...args);
  };
}

/** Whether the page can evaluate text as code. */
function canEvaluateText(): boolean {
  try {
    Reflect.construct(Function, ["return 1"]);
    return true;
  } catch {
    return false;
  }
}

/** The functions of the test page. Arguments of recursive types come as JSON text, because their types are too deep for Playwright's. */
const functions = {
  canEvaluateText: inOwnTask(canEvaluateText),
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
  /** Set in the browser only. */
  var testPage: TestPage;
}

/** The types of these functions, for the tests. */
export type TestPage = typeof functions;

globalThis.testPage = functions;
