import { expect, it } from "@jest/globals";
import type { Format } from "../../../cli/format.ts";
import { renderDiagnosis } from "../../../cli/render/diagnosis.ts";
import { NETWORK_LABEL } from "../../../shared/core/names.ts";
import { aMesh, type FakeMesh } from "../../support/fakes/mesh.ts";
import { namespace } from "../reconcile/installations.ts";
import { call } from "./host.ts";

/** It renames a terminal's window and clears the screen, with the control characters of either kind. */
const HOSTILE = "\u001B]0;owned\u0007\u001B[2J\u009B2J\rall is well\u202E";

async function aMeshInTheWay(network: string): Promise<FakeMesh> {
  const mesh = await aMesh({ members: 1 });
  mesh.servers[0]!.store.write(namespace({ [NETWORK_LABEL]: network }), "kubectl");
  return mesh;
}

it.each<Format>(["text", "wide", "json", "yaml"])(
  "holds nothing that a terminal obeys, whoever wrote it: %s",
  async (format) => {
    const mesh = await aMeshInTheWay(HOSTILE);
    const { out, err } = await call(mesh, `plan -o ${format}`);
    expect(out).toContain("all is well");
    // oxlint-disable-next-line no-control-regex -- it must not occur
    expect(out + err).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
  },
);

it.each(["status", "plan", "sync"])(
  "makes the context of a kubectl command that it prints: %s",
  async (command) => {
    const mesh = await aMeshInTheWay("another");
    const { out } = await call(mesh, command);
    expect(out).toContain("kubectl --context gke_shop_europe-west1_m1 ");
    expect(out).toContain(
      "gcloud container clusters get-credentials m1 --project=shop --location=europe-west1",
    );
  },
);

it("makes the context of a command of the doctor", () => {
  const command = "kubectl --context gke_shop_europe-west1_m1 get namespace istio-system";
  const check = { name: "member", state: "fault", account: "caller", message: "odd", cure: command } as const;
  const screen = { paint: (_: string, text: string) => text, width: 80, isWide: false };
  expect(renderDiagnosis({ checks: [check] }, screen)).toContain(
    "gcloud container clusters get-credentials m1 --project=shop --location=europe-west1",
  );
});

it("waits for a cluster whose name an object of JavaScript has too", async () => {
  const { code, err } = await call(await aMesh({ members: 1 }), "status --wait=constructor");
  expect([code, err]).toEqual([2, expect.stringContaining("there is no cluster constructor")]);
});
