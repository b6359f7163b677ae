/** The store code of tests that need any. */
export const testStoreCode = "testst0re0";
