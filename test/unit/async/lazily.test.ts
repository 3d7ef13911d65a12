import { describe, expect, it, jest } from "@jest/globals";
import { lazily } from "../../../shared/async/lazily.ts";

describe("lazily", () => {
  it("makes once, at the first call", async () => {
    const make = jest.fn(async () => "client");
    const client = lazily(make);
    expect(make).not.toHaveBeenCalled();
    expect(await Promise.all([client(), client()])).toEqual(["client", "client"]);
    expect(make).toHaveBeenCalledTimes(1);
  });

  it("tries again after a failure", async () => {
    const results = [Promise.reject(new Error("no token")), Promise.resolve("client")];
    const client = lazily(() => results.shift() ?? Promise.reject(new Error("too often")));
    await expect(client()).rejects.toThrow("no token");
    expect(await client()).toBe("client");
  });
});
