import { type FleetFile, fleetWriter } from "./fleet-file.ts";

const REFRESH_MS = 500;

/** Writes `fleet.json` now and whenever its content has changed; removes it at the end. */
export async function keepFleetFile(
  directory: string,
  current: () => FleetFile,
): Promise<{ stop(): Promise<void> }> {
  const writer = fleetWriter(directory);
  let written = "";
  const refresh = async () => {
    const fleet = current();
    const text = JSON.stringify(fleet);
    if (text === written) return;
    written = text;
    await writer.write(fleet);
  };
  await refresh();
  const timer = setInterval(() => {
    refresh().catch(() => {
      written = "";
    });
  }, REFRESH_MS);
  return {
    stop() {
      clearInterval(timer);
      return writer.remove();
    },
  };
}
