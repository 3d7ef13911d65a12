import { expectGolden as expectGoldenFile } from "../../golden.ts";

/** Compares with `test/fixtures/cli/<name>.txt`. */
export function expectGolden(name: string, text: string): void {
  expectGoldenFile(`test/fixtures/cli/${name}.txt`, `${text}\n`);
}
