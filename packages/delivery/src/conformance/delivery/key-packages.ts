/** The key-package directory. */
import { randomBytes } from "@coppice/kit";
import { assertEqual, assertRejects, at } from "../assert.ts";
import { uniqueName } from "../identity.ts";
import { addDevice, withUsers, type ConformanceCase } from "./harness.ts";

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
        assertEqual(claimed, [{ client: owner.client, keyPackage }], "claimed");
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
    title: "a claim yields one of each device; a device without any is left out",
    run: withUsers(2, async (users, connect) => {
      const [owner, other] = [at(users, 0), at(users, 1)];
      const [laptop, lost] = [await addDevice(connect, owner), await addDevice(connect, owner)];
      await assertRejects(other.service.claimKeyPackages([owner.name]), "ERR_DS_NO_KEY_PACKAGE");
      const [phoneKey, laptopKey, laptopSecond] = [randomBytes(20), randomBytes(20), randomBytes(20)];
      await owner.service.publishKeyPackages({ keyPackages: [phoneKey] });
      await laptop.service.publishKeyPackages({ keyPackages: [laptopKey, laptopSecond] });
      assertEqual(await lost.service.countKeyPackages(), 0, "count of the third device");
      assertEqual(
        await other.service.claimKeyPackages([owner.name]),
        [
          { client: owner.client, keyPackage: phoneKey },
          { client: laptop.client, keyPackage: laptopKey },
        ],
        "first claim",
      );
      assertEqual(
        await other.service.claimKeyPackages([owner.name]),
        [{ client: laptop.client, keyPackage: laptopSecond }],
        "second claim",
      );
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
    title: "issue 11 (10): with replace, what waits and is not in the batch is deleted, but for the last resort",
    run: withUsers(2, async (users, connect) => {
      const [owner, other] = [at(users, 0), at(users, 1)];
      const laptop = await addDevice(connect, owner);
      const [stale, kept, fresh, lastResort] = [randomBytes(20), randomBytes(21), randomBytes(22), randomBytes(23)];
      await owner.service.publishKeyPackages({ keyPackages: [stale, kept], lastResort });
      await laptop.service.publishKeyPackages({ keyPackages: [randomBytes(9)] });
      await owner.service.publishKeyPackages({ keyPackages: [fresh, kept], replace: true });
      assertEqual(await owner.service.countKeyPackages(), 2, "count");
      assertEqual(await laptop.service.countKeyPackages(), 1, "count of the other device");
      const claim = async (): Promise<unknown> => at(await other.service.claimKeyPackages([owner.name]), 0).keyPackage;
      assertEqual([await claim(), await claim(), await claim()], [kept, fresh, lastResort], "claims");
      await owner.service.publishKeyPackages({ keyPackages: [stale], replace: true });
      assertEqual(await owner.service.countKeyPackages(), 0, "count after the stale one was published again");
      await owner.service.publishKeyPackages({ keyPackages: [], replace: true });
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
        claimed.map(({ client }) => client),
        [second.client, first.client],
        "order",
      );
      assertEqual(await third.service.claimKeyPackages([]), [], "claim of nobody");
    }),
  },
];
