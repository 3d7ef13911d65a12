/** @type {import("jest").Config} */
const config = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {},
  testMatch: ["<rootDir>/test/**/*.test.ts"],
};

// oxlint-disable-next-line import/no-default-export -- Jest reads the default export
export { config as default };
