/** @type {import("jest").Config} */
const config = {
  testEnvironment: "<rootDir>/test/support/environment.ts",
  extensionsToTreatAsEsm: [".ts"],
  transform: {},
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  // Generous: a test that starts processes on a busy machine takes long without being wrong.
  testTimeout: 120_000,
};

// oxlint-disable-next-line import/no-default-export -- Jest reads the default export
export { config as default };
