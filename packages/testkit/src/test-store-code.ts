/** The code that tests give their stores where it does not matter which. */
export const testStoreCode = "testst0re0";
