import { expectGolden as expectGoldenFile } from "../../support/golden.ts";

/** Compares with `test/support/fixtures/cli/<name>.txt`. */
export function expectGolden(name: string, text: string): void {
  expectGoldenFile(`test/support/fixtures/cli/${name}.txt`, `${text}\n`);
}
