/** The key-package directory. */
import { assertEqual, assertRejects, at, randomBytes, uniqueName, withUsers, type ConformanceCase } from "./harness.ts";

export const keyPackageCases: readonly ConformanceCase[] = [
  {
    title: "R-16.8-1 each key package is handed out once, byte for byte, oldest first",
    run: withUsers(2, async (users) => {
      const [owner, other] = [at(users, 0), at(users, 1)];
      const keyPackages = [randomBytes(300), randomBytes(301), randomBytes(1)];
      await owner.service.publishKeyPackages({ keyPackages });
      assertEqual(await owner.service.countKeyPackages(), 3, "count");
      for (const keyPackage of keyPackages) {
        const claimed = await other.service.claimKeyPackages([owner.name]);
        assertEqual(claimed, [{ user: owner.name, keyPackage }], "claimed");
      }
      assertEqual(await owner.service.countKeyPackages(), 0, "count");
      const error = await assertRejects(other.service.claimKeyPackages([owner.name]), "ERR_DS_NO_KEY_PACKAGE");
      assertEqual(error.detail["user"], owner.name, "detail.user");
    }),
  },
  {
    title: "R-16.8-1 adversarial 43: claims at the same instant never get the same key package",
    run: withUsers(3, async (users) => {
      const owner = at(users, 0);
      const keyPackages = Array.from({ length: 10 }, () => randomBytes(40));
      await owner.service.publishKeyPackages({ keyPackages });
      const claims = await Promise.allSettled(
        Array.from({ length: 16 }, (_, i) => at(users, 1 + (i % 2)).service.claimKeyPackages([owner.name])),
      );
      const claimed = claims.flatMap((claim) =>
        claim.status === "fulfilled" ? [String(at(claim.value, 0).keyPackage)] : [],
      );
      assertEqual(claimed.sort(), keyPackages.map(String).sort(), "claimed packages");
    }),
  },
  {
    title: "publishing again, even after the claim, does not bring a key package back",
    run: withUsers(2, async (users) => {
      const [owner, other] = [at(users, 0), at(users, 1)];
      const keyPackages = [randomBytes(30), randomBytes(30)];
      await owner.service.publishKeyPackages({ keyPackages });
      await other.service.claimKeyPackages([owner.name]);
      await owner.service.publishKeyPackages({ keyPackages: [...keyPackages, ...keyPackages] });
      assertEqual(await owner.service.countKeyPackages(), 1, "count");
    }),
  },
  {
    title: "the last resort is used when nothing else is left, repeatedly, and can be replaced",
    run: withUsers(2, async (users) => {
      const [owner, other] = [at(users, 0), at(users, 1)];
      const [single, lastResort, successor] = [randomBytes(20), randomBytes(21), randomBytes(22)];
      const claim = async (): Promise<unknown> => at(await other.service.claimKeyPackages([owner.name]), 0).keyPackage;
      await owner.service.publishKeyPackages({ keyPackages: [single], lastResort });
      assertEqual(await owner.service.countKeyPackages(), 1, "count without the last resort");
      assertEqual([await claim(), await claim(), await claim()], [single, lastResort, lastResort], "claims");
      await owner.service.publishKeyPackages({ keyPackages: [], lastResort: successor });
      assertEqual(await claim(), successor, "claim after replacement");
    }),
  },
  {
    title: "a claim of several users is all or nothing and keeps their order",
    run: withUsers(3, async (users) => {
      const [first, second, third] = [at(users, 0), at(users, 1), at(users, 2)];
      await first.service.publishKeyPackages({ keyPackages: [randomBytes(20)] });
      await second.service.publishKeyPackages({ keyPackages: [randomBytes(20)] });
      const nobody = uniqueName("nobody");
      const unknown = await assertRejects(third.service.claimKeyPackages([first.name, nobody]), "ERR_DS_UNKNOWN_USER");
      assertEqual(unknown.detail["user"], nobody, "detail.user");
      await assertRejects(third.service.claimKeyPackages([first.name, third.name]), "ERR_DS_NO_KEY_PACKAGE");
      await assertRejects(third.service.claimKeyPackages([first.name, first.name]), "ERR_DS_BAD_REQUEST");
      assertEqual(await first.service.countKeyPackages(), 1, "count after refused claims");
      const claimed = await third.service.claimKeyPackages([second.name, first.name]);
      assertEqual(
        claimed.map(({ user }) => user),
        [second.name, first.name],
        "order",
      );
      assertEqual(await third.service.claimKeyPackages([]), [], "claim of nobody");
    }),
  },
];
