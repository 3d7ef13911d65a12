interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** `package-lock.json`, version 3; https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export interface Lockfile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** As Node looks for it: beside the package that needs it, then one folder up, and so on. */
function findPackage({ packages }: Lockfile, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.replace(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, "")) {
    const path = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (path in packages) return path;
    if (folder === "") return undefined;
  }
}

function reach(lock: Lockfile, from: string, reached: Set<string>): void {
  const { dependencies = {}, optionalDependencies = {} } = lock.packages[from] ?? {};
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const path = findPackage(lock, from, name);
    if (path === undefined && name in optionalDependencies) continue;
    if (path === undefined) throw new Error(`package-lock.json does not hold ${name}; run npm install`);
    if (reached.has(path)) continue;
    reached.add(path);
    reach(lock, path, reached);
  }
}

/**
 * The part of a lockfile that a package of these dependencies needs: every version of it is what the tests
 * ran with.
 */
export function lockFor(
  lock: Lockfile,
  root: { readonly name: string; readonly version: string; readonly dependencies: Record<string, string> },
): object {
  const whole = { ...lock, packages: { ...lock.packages, "": root } };
  const reached = new Set<string>();
  reach(whole, "", reached);
  const { name, version } = root;
  const packages = Object.fromEntries(
    [...reached].toSorted((a, b) => (a < b ? -1 : 1)).map((path) => [path, lock.packages[path]]),
  );
  return { name, version, lockfileVersion: 3, requires: true, packages: { "": root, ...packages } };
}
