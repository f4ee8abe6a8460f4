/**
 * Writes the source of `assembly/curve/field-products.ts`: products of four pairs of field elements at a time, unrolled.
 *
 * A field element modulo p = 2^255 - 19 is nine signed limbs of 29, 28, 28, 29, … bits; limb i counts 2^e(i), e(i) = ⌈255 i / 9⌉.
 * Four elements lie side by side: limb i of all of them is one vector of 32-bit lanes. A product's coefficient k is the sum of
 * a(i)·b(j), i + j = k, twice where e(i) + e(j) = e(k) + 1. Coefficients 9 to 16 count 2^255 more: they are added 19 times.
 *
 * Bounds. Reduced limbs are at most half of 2^29 or 2^28 in size, but that limb 1 may be 2^12 more. An operand is a sum of up to
 * f reduced elements, f ≤ 7, of a square f ≤ 3; a coefficient is then below f·g·10·2^55, and all is well if f·g ≤ 24: together with the bias it stays
 * between 0 and 2^64. The bias is a multiple of p, so that it changes nothing, and makes every shift one of unsigned numbers.
 */

const P = 2n ** 255n - 19n;
const LIMBS = 9;
const LAST = 2 * LIMBS - 2;

/** @param {number} i */
const exponent = (i) => Math.ceil((255 * i) / LIMBS);
/** Bits of a limb. @param {number} i */
const width = (i) => exponent(i + 1) - exponent(i);
/** @param {number} i @param {number} j */
const isTwice = (i, j) => exponent(i) + exponent(j) > exponent(i + j);

/** What the coefficients 0 to 8 start from: their share of the bias, and half a limb, which makes carries round. */
function startingValues() {
  let rest = 0n;
  for (let k = 0; k <= LAST; k++) rest -= 1n << BigInt(63 + exponent(k));
  rest = ((rest % P) + P) % P;
  return Array.from({ length: LIMBS }, (_, k) => {
    const bits = BigInt(width(k));
    const part = rest & ((1n << bits) - 1n);
    rest >>= bits;
    return (1n << 63n) + part + (1n << (bits - 1n));
  });
}

/**
 * The products of coefficient `k`. `a`, `b`: limbs; `d`: limbs doubled.
 *
 * @param {"multiply" | "square"} kind
 * @param {number} k
 * @returns {[string, string][]}
 */
function products(kind, k) {
  /** @type {[string, string][]} */
  const found = [];
  for (let i = Math.max(0, k - LIMBS + 1); i <= Math.min(k, LIMBS - 1); i++) {
    const j = k - i;
    const twice = isTwice(i, j);
    if (kind === "multiply") found.push([`a${i}`, `${twice ? "d" : "b"}${j}`]);
    else if (i === j) found.push([`a${i}`, `${twice ? "d" : "a"}${j}`]);
    else if (i < j) found.push([`${twice ? "d" : "a"}${i}`, `d${j}`]);
  }
  return found;
}

/**
 * The two lanes of a half, reduced: 64-bit lanes `l0` to `l8` or `h0` to `h8`.
 *
 * @param {"multiply" | "square"} kind
 * @param {"l" | "h"} half
 */
function reduced(kind, half) {
  const times = `i64x2.extmul_${half === "l" ? "low" : "high"}_i32x4_s`;
  /** @param {number} k @param {string[]} others */
  const coefficient = (k, others) =>
    [...products(kind, k).map(([x, y]) => `${times}(${x}, ${y})`), ...others].reduce(
      (sum, term) => `i64x2.add(${sum}, ${term})`,
      k < LIMBS ? `v128.load64_splat(START, ${8 * k})` : "BIAS",
    );
  const [c, q] = [`${half}c`, `${half}q`];
  const lines = [`let ${c}: v128, ${q}: v128;`];
  for (let k = LIMBS; k <= LAST; k++) {
    lines.push(`${c} = ${coefficient(k, k === LIMBS ? [] : [q])};`);
    lines.push(`const ${half}t${k - LIMBS} = times19(v128.and(${c}, MASK${width(k)}));`);
    lines.push(`${q} = i64x2.shr_u(${c}, ${width(k)});`);
  }
  lines.push(`const ${half}t${LIMBS - 1} = times19(${q});`);
  for (let k = 0; k < LIMBS; k++) {
    lines.push(`${c} = ${coefficient(k, [`${half}t${k}`, ...(k === 0 ? [] : [q])])};`);
    lines.push(`let ${half}${k} = v128.and(${c}, MASK${width(k)});`);
    lines.push(`${q} = i64x2.shr_u(${c}, ${width(k)});`);
  }
  lines.push(`${c} = i64x2.add(${half}0, times19(${q}));`);
  lines.push(`${half}0 = v128.and(${c}, MASK29);`);
  lines.push(`${half}1 = i64x2.add(${half}1, i64x2.shr_u(${c}, 29));`);
  return lines;
}

/** @param {"multiply" | "square"} kind */
function product(kind) {
  const limbs = Array.from({ length: LIMBS }, (_, i) => i);
  const isSquare = kind === "square";
  const doubled = isSquare ? "a" : "b";
  return [
    `export function ${kind}(out: usize, a: usize${isSquare ? "" : ", b: usize"}): void {`,
    "const MASK29 = i64x2.splat(0x1fffffff), MASK28 = i64x2.splat(0xfffffff), BIAS = i64x2.splat(1 << 63);",
    "const HALF29 = i32x4.splat(1 << 28), HALF28 = i32x4.splat(1 << 27);",
    ...limbs.map((i) => `const a${i} = v128.load(a, ${16 * i});`),
    ...(isSquare ? [] : limbs.map((i) => `const b${i} = v128.load(b, ${16 * i});`)),
    ...limbs
      .filter((i) => isSquare || i % 3 > 0)
      .map((i) => `const d${i} = i32x4.add(${doubled}${i}, ${doubled}${i});`),
    ...reduced(kind, "l"),
    ...reduced(kind, "h"),
    ...limbs.map(
      (k) => `v128.store(out, i32x4.sub(v128.shuffle<i32>(l${k}, h${k}, 0, 2, 4, 6), HALF${width(k)}), ${16 * k});`,
    ),
    "}",
  ];
}

/** @returns {string} */
export function fieldProducts() {
  return [
    `const START = memory.data<u64>([${startingValues().join(", ")}], 16);`,
    "function times19(x: v128): v128 {",
    "return i64x2.add(i64x2.add(i64x2.shl(x, 4), i64x2.shl(x, 1)), x);",
    "}",
    ...product("multiply"),
    ...product("square"),
    "",
  ].join("\n");
}
