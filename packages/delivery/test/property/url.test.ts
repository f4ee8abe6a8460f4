/**
 * URLs of one server, written at random: one normal form, and a `TypeError` for what makes no sense. `COPPICE_PROPERTY_RUNS` sets how
 * many are tried: 100; `npm run property` tries 2,000.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { normalServerUrl } from "@coppice/delivery";

const RUNS = Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 100);

interface Server {
  readonly scheme: "https" | "http";
  readonly host: string;
  readonly port: number | undefined;
  readonly path: readonly string[];
}
const server: fc.Arbitrary<Server> = fc.record({
  scheme: fc.constantFrom("https", "http"),
  host: fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom("localhost", "[::1]", "bücher.example")),
  port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  path: fc.array(fc.stringMatching(/^[a-z0-9é_-]{1,8}$/u), { maxLength: 3 }),
});

/** How somebody may write it. */
const manner = fc.record({
  upper: fc.boolean(),
  defaultPort: fc.boolean(),
  slashes: fc.integer({ min: 1, max: 3 }),
  detour: fc.boolean(),
  escaped: fc.boolean(),
  trailing: fc.nat({ max: 2 }),
  query: fc.option(fc.webQueryParameters(), { nil: undefined }),
  fragment: fc.option(fc.webFragments(), { nil: undefined }),
  spaces: fc.constantFrom("", " ", "\n", "\t "),
});
type Manner = typeof manner extends fc.Arbitrary<infer M> ? M : never;

function write({ scheme, host, port, path }: Server, how: Manner): string {
  const start = `${scheme}://${host}`;
  const isDefault = port === undefined || port === (scheme === "https" ? 443 : 80);
  const written = isDefault ? (how.defaultPort ? `:${scheme === "https" ? "443" : "80"}` : "") : `:${String(port)}`;
  const slash = "/".repeat(how.slashes);
  const segments = path.map((segment) => (how.escaped ? encodeURIComponent(segment).toLowerCase() : segment));
  const way = [...(how.detour ? ["away", ".."] : []), ...segments].map((segment) =>
    segment === ".." ? "/.." : slash + segment,
  );
  const query = how.query === undefined ? "" : `?${how.query}`;
  const fragment = how.fragment === undefined ? "" : `#${how.fragment}`;
  const tail = "/".repeat(how.trailing === 0 && path.length === 0 && how.detour ? 1 : how.trailing);
  return (
    how.spaces +
    (how.upper ? start.toUpperCase() : start) +
    written +
    way.join("") +
    tail +
    query +
    fragment +
    how.spaces
  );
}

test("issue 11 (12): one server has one normal form, however its URL is written", () => {
  fc.assert(
    fc.property(server, manner, manner, (meant, one, another) => {
      const normal = normalServerUrl(write(meant, one));
      expect(normalServerUrl(write(meant, another))).toBe(normal);
      expect(normalServerUrl(normal)).toBe(normal);
      expect(normalServerUrl(new URL(normal))).toBe(normal);
      expect(normal).toMatch(/^https?:\/\/[^?#\s]+\/$/u);
    }),
    { numRuns: RUNS },
  );
});

test("issue 11 (12): servers that differ in scheme, host, port or path have forms that differ", () => {
  const asciiHosts = server.filter(({ host }) => /^[a-z.]+$/u.test(host) || host.startsWith("["));
  const plain: Manner = {
    ...{ upper: false, defaultPort: false, slashes: 1, detour: false, escaped: false, trailing: 0, spaces: "" },
    ...{ query: undefined, fragment: undefined },
  };
  fc.assert(
    fc.property(asciiHosts, asciiHosts, (one, another) => {
      const [first, second] = [write(one, plain), write(another, plain)];
      expect(normalServerUrl(first) === normalServerUrl(second)).toBe(new URL(first).href === new URL(second).href);
    }),
    { numRuns: RUNS },
  );
});

test("issue 11 (12): anything else is a TypeError, or a form that stays as it is", () => {
  const anything = fc.oneof(fc.string(), fc.anything(), fc.webUrl({ validSchemes: ["ftp", "ws", "wss", "file"] }));
  fc.assert(
    fc.property(anything, (given) => {
      let normal;
      try {
        normal = normalServerUrl(given as string);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        return;
      }
      expect(normalServerUrl(normal)).toBe(normal);
    }),
    { numRuns: RUNS },
  );
});
