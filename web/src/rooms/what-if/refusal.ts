/** What the server says of an order that it does not take, at the field that it is about. */

export interface RefusalWords {
  fields: Record<string, string>;
  least: (value: string) => string;
  most: (value: string) => string;
}

/** "… Expected `float` >= 0.0 - at `$.change.plans[0].offset_s`" names a bound and a place; all else is in words already. */
export function readRefusal(detail: string, words: RefusalWords): string {
  const path = /at `\$\.([^`]+)`/.exec(detail)?.[1] ?? '';
  const field = words.fields[(path.split('.').pop() ?? '').replace(/\[.*$/, '')];
  const bound = /Expected `\w+` (>=|<=) (-?[\d.]+)/.exec(detail);
  if (!field) return detail;
  if (!bound) return `${field}: ${detail}`;
  const value = String(Number(bound[2]));
  return `${field}: ${bound[1] === '>=' ? words.least(value) : words.most(value)}`;
}
