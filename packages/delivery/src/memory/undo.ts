/**
 * Changes that can be taken back: a transaction that fails leaves nothing behind, but for the order of maps. No value of a
 * map is `undefined`.
 */

export class Undo {
  readonly #steps: (() => void)[] = [];

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    map.set(key, value);
    this.#steps.push(() => {
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    });
  }

  delete<K, V>(map: Map<K, V>, key: K): void {
    const before = map.get(key);
    map.delete(key);
    this.#steps.push(() => {
      if (before !== undefined) map.set(key, before);
    });
  }

  /** Sets a property. */
  assign<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
    const before = target[key];
    target[key] = value;
    this.#steps.push(() => {
      target[key] = before;
    });
  }

  /** Takes everything back, the last change first. */
  run(): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  }
}
