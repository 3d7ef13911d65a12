import { afterEach, expect, it, jest } from "@jest/globals";
import { aMesh } from "../../support/fakes/mesh.ts";
import { call } from "./host.ts";

afterEach(() => {
  jest.useRealTimers();
});

it("a command says what it waits for while an API does not answer, and is silent otherwise", async () => {
  const mesh = await aMesh({ members: 1 });
  await mesh.reconcile("mesh");
  expect((await call(mesh, "plan")).err).toBe("");

  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const list = mesh.directory.list.bind(mesh.directory);
  mesh.directory.list = async (...args) => {
    isAsked();
    await answered;
    return await list(...args);
  };
  jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate", "performance", "Date"] });
  const ended = call(mesh, "plan");
  await asked;
  jest.advanceTimersByTime(25_000);
  jest.useRealTimers();
  answer();
  const { code, err } = await ended;
  expect(code).toBe(0);
  expect(err.match(/ s {2}waiting for the Google APIs and the members to answer$/gm)).toHaveLength(2);
});
