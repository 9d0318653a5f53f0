import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const STYLE = readFileSync(join(__dirname, '..', 'src', 'style.css'), 'utf8');
const stackOf = (name: string): string => new RegExp(`--font-${name}: ([^;]*);`).exec(STYLE)?.[1] ?? '';

/** A page that names no font of its script leaves it to chance which glyphs it gets. */
describe('the font stack', () => {
  it('has fonts of Windows, macOS and Linux for Korean and Chinese', () => {
    for (const font of ['Malgun Gothic', 'Apple SD Gothic Neo', 'Noto Sans CJK KR']) expect(stackOf('ko')).toContain(font);
    for (const font of ['Microsoft YaHei', 'PingFang SC', 'Noto Sans CJK SC']) expect(stackOf('zh')).toContain(font);
  });
  it('puts the reader’s language before the other', () => {
    expect(STYLE).toMatch(/:root \{[^}]*--font: var\(--font-latin\), var\(--font-ko\), var\(--font-zh\), sans-serif;/);
    expect(STYLE).toMatch(/:root:lang\(zh\) \{\s*--font: var\(--font-latin\), var\(--font-zh\), var\(--font-ko\), sans-serif;/);
  });
});
