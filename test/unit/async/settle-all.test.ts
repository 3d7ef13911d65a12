import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { settleAll } from "../../../shared/async/settle-all.ts";
import { RefusedError, UnavailableError } from "../../../shared/errors.ts";

const passing = () => Promise.reject(new UnavailableError("later; try again", { code: "Unavailable" }));
const lasting = () => Promise.reject(new RefusedError("no; grant it", { code: "Forbidden" }));

describe("settleAll", () => {
  it("waits for everything, also when something has failed", async () => {
    let done = false;
    const slow = sleep(20).then(() => {
      done = true;
      return undefined;
    });
    await expect(settleAll([passing(), slow])).rejects.toMatchObject({ code: "Unavailable" });
    expect(done).toBe(true);
  });

  it("fails with what asking again does not mend", async () => {
    await expect(settleAll([passing(), lasting()])).rejects.toMatchObject({ code: "Forbidden" });
  });

  it("is content with nothing, and with what went well", async () => {
    await expect(settleAll([])).resolves.toBeUndefined();
    await expect(settleAll([Promise.resolve(1)])).resolves.toBeUndefined();
  });
});
