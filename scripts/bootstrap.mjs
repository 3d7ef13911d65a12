/*
 * Runs a TypeScript file of this project on any machine that has Node and npm:
 *
 *   node scripts/bootstrap.mjs <file.ts> [args...]
 *
 * Plain JavaScript for Node 18 and newer, because it runs before there is a Node that strips types: it
 * installs the dependencies when they are missing or out of date, and hands over to the Node 24 that is one
 * of them.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = path.join(ROOT, "node_modules");
const LOCKFILE = path.join(ROOT, "package-lock.json");
const MARKER = path.join(MODULES, ".meshjoin-installed");
const MUTEX = path.join(ROOT, ".install-lock");
/** Type stripping is stable from here on, and works with a warning from `OLDEST` on. */
const STABLE = [24, 12];
const OLDEST = [24, 0];
const MUTEX_POLL_MS = 200;
const PARENT_POLL_MS = 500;

class Failure extends Error {}

function fail(message) {
  throw new Failure(message);
}

function lockfileHash() {
  return createHash("sha256").update(fs.readFileSync(LOCKFILE)).digest("hex");
}

function readOr(file, fallback) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return fallback;
  }
}

/** npm's record of what it installed agrees with the lockfile: a person ran `npm install`. */
function installedByHand() {
  const record = readOr(path.join(MODULES, ".package-lock.json"), "");
  if (record === "") return false;
  const installed = JSON.parse(record).packages;
  const wanted = Object.entries(JSON.parse(fs.readFileSync(LOCKFILE, "utf8")).packages);
  return wanted.every(
    ([name, entry]) =>
      name === "" ||
      (installed[name] === undefined ? entry.optional === true : installed[name].version === entry.version),
  );
}

function isCurrent() {
  const hash = lockfileHash();
  if (readOr(MARKER, "") === hash) return true;
  if (!installedByHand()) return false;
  fs.writeFileSync(MARKER, hash);
  return true;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * Takes the lock if no other process holds it. The file appears with its content, so no reader sees it half written.
 */
function tryLock() {
  const mine = `${MUTEX}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  try {
    fs.linkSync(mine, MUTEX);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

/** Removes the lock of a process that died. Renamed first: of two that try, one gets the file. */
function breakStaleLock() {
  const holder = Number(readOr(MUTEX, "0"));
  if (holder === 0 || isAlive(holder)) return;
  const stale = `${MUTEX}.stale-${process.pid}`;
  try {
    fs.renameSync(MUTEX, stale);
    if (isAlive(Number(readOr(stale, "0")))) fs.linkSync(stale, MUTEX);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  }
  fs.rmSync(stale, { force: true });
}

function unlock() {
  fs.rmSync(MUTEX, { force: true });
}

async function withInstallLock(work) {
  while (!tryLock()) {
    breakStaleLock();
    await new Promise((resolve) => setTimeout(resolve, MUTEX_POLL_MS));
  }
  process.once("exit", unlock);
  try {
    return await work();
  } finally {
    process.removeListener("exit", unlock);
    unlock();
  }
}

/** npm as the one that runs this script, else as found on PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath ?? "";
  return /npm-cli\.c?js$/.test(cli)
    ? { command: process.execPath, prefix: [cli] }
    : { command: "npm", prefix: [] };
}

async function install() {
  const started = Date.now();
  process.stderr.write("installing dependencies (npm ci) …\n");
  const { command, prefix } = npmCommand();
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  const child = spawn(command, [...prefix, "ci", ...flags], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => {
    child.once("error", (error) => {
      output.push(Buffer.from(error.message));
      resolve(1);
    });
    child.once("close", resolve);
  });
  if (code !== 0) {
    const lines = Buffer.concat(output).toString().split("\n");
    const told = lines.filter((line) => !line.startsWith("npm warn")).join("\n");
    fail(`${told}\nnpm ci failed: cure what its output above says and try again`);
  }
  fs.writeFileSync(MARKER, lockfileHash());
  process.stderr.write(`dependencies installed in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

async function ensureDependencies() {
  if (isCurrent()) return;
  await withInstallLock(async () => {
    if (!isCurrent()) await install();
  });
}

function versionOf(node) {
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  const match = /^v(\d+)\.(\d+)\./.exec(stdout ?? "");
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

function isAtLeast(version, [major, minor]) {
  return version !== undefined && (version[0] > major || (version[0] === major && version[1] >= minor));
}

/** The Node of the dependencies; on a platform for which npm has no good one, the one that runs this. */
function findNode() {
  const bundled = path.join(MODULES, ".bin", "node");
  const version = fs.existsSync(bundled) ? versionOf(bundled) : undefined;
  if (isAtLeast(version, STABLE)) return bundled;
  if (isAtLeast(process.versions.node.split(".").map(Number), STABLE)) return process.execPath;
  if (isAtLeast(version, OLDEST)) return bundled;
  return fail(
    `npm has no Node ${STABLE.join(".")} or newer for ${os.platform()}-${os.arch()}, and this is ` +
      `${process.version}: install Node ${STABLE.join(".")} or newer and try again`,
  );
}

/**
 * A terminal sends Ctrl-C to the child by itself; every other signal, and the end of our parent, we pass on.
 */
function forwardSignals(child) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, PARENT_POLL_MS).unref();
}

function run(node, file, args) {
  const env = { ...process.env, PATH: `${path.join(MODULES, ".bin")}${path.delimiter}${process.env.PATH}` };
  const child = spawn(node, [file, ...args], { stdio: "inherit", env });
  forwardSignals(child);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}

async function main() {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) fail("no file given: node scripts/bootstrap.mjs <file.ts> [args...]");
  const script = path.resolve(ROOT, file);
  if (!fs.existsSync(script)) fail(`${file} does not exist: name a TypeScript file of this project`);
  await ensureDependencies();
  return run(findNode(), script, args);
}

main().then(
  (code) => {
    process.exitCode = code;
    process.exit();
  },
  (error) => {
    process.stderr.write(`${error instanceof Failure ? error.message : error.stack}\n`);
    process.exit(1);
  },
);
