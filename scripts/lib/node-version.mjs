/** The oldest Node.js that everything here runs on. */
export const OLDEST_NODE = [20, 19];

/**
 * Why this Node.js will not do, or `undefined` if it will.
 * @param {string} version as in `process.versions.node`
 * @returns {string | undefined}
 */
export function nodeProblem(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `Coppice needs Node.js ${oldestMajor}.${oldestMinor} or newer; this is ${version}. Get it from https://nodejs.org.`;
}
