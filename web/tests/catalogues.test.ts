import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vite';

/** Words that are the same in every language: names, units, signs. */
const SAME = new Set(['Civic Brain', 'X · Civic Brain', 'CO₂', 'CSV', 'PDF', 'HTML', 'GeoJSON', 'DATEX II', 'OpenID Connect']);
const SRC = join(__dirname, '..', 'src');

type Texts = Record<string, unknown>;

/** Every text by its path. A text with gaps is filled with letters, else with numbers. */
function flatten(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    const filled = (...gaps: unknown[]): string => {
      try {
        return String((value as (...args: unknown[]) => unknown)(...gaps));
      } catch {
        return '';
      }
    };
    return [[path, filled('X', 'Y', 'Z', 'U', 'V', 'W') || filled(3, 4, 5, 6, 7, 8)]];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value as Texts).flatMap(([key, inner]) => flatten(inner, path ? `${path}.${key}` : key));
}

const modules = import.meta.glob<Record<string, Texts>>('../src/**/text/**/*.ts', { eager: true });
const catalogues = new Map<string, Record<string, Texts>>();
for (const [path, module] of Object.entries(modules)) {
  for (const language of ['en', 'ko', 'zh']) {
    if (!(language in module) || !new RegExp(`/${language}(/|\\.ts)`).test(path)) continue;
    const place = path.replace('../src/', '').replace(new RegExp(`/${language}(/index)?\\.ts$`), '');
    catalogues.set(place, { ...catalogues.get(place), [language]: module[language] });
  }
}

describe.each([...catalogues])('catalogue %s', (_, { en, ko, zh }) => {
  it.each([
    ['Korean', ko, /\p{Script=Hangul}/u],
    ['Chinese', zh, /\p{Script=Han}/u],
  ])('is whole in %s', (_language, theirs, script) => {
    expect(theirs).toBeDefined();
    const english = flatten(en);
    const translated = new Map(flatten(theirs));
    expect([...translated.keys()].sort()).toEqual(english.map(([path]) => path).sort());
    const left = english.filter(([path, words]) => {
      const other = translated.get(path) ?? '';
      const speaks = /\p{L}{2}/u.test(words.replace(/\b[XYZUVW]\b/g, '')) && !SAME.has(words);
      return speaks && other === words && !script.test(other);
    });
    expect(left).toEqual([]);
  });
});

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** Attributes that people read or hear. */
const SPOKEN = new Set(['title', 'alt', 'label', 'placeholder', 'aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext']);

const says = (value: unknown): boolean => typeof value === 'string' && /\p{L}{2}/u.test(value);

/** Texts that stand in the page's code and not in a catalogue. */
function literals(code: string): string[] {
  const found: string[] = [];
  /** Strings that an expression can yield: a literal, either branch, a template's fixed parts. */
  const yielded = (node: Node | null | undefined): void => {
    if (!node) return;
    if (node.type === 'Literal' && says(node.value)) found.push(String(node.value));
    if (node.type === 'TemplateLiteral') for (const part of node.quasis as { value: { cooked: string } }[]) if (says(part.value.cooked)) found.push(part.value.cooked);
    if (node.type === 'ConditionalExpression') [node.consequent, node.alternate].forEach((branch) => yielded(branch as Node));
    if (node.type === 'LogicalExpression') yielded(node.right as Node);
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== 'object') return;
    const one = node as Node;
    if (one.type === 'JSXText' && says(one.value)) found.push(String(one.value).trim());
    if (one.type === 'JSXElement' || one.type === 'JSXFragment') {
      for (const child of one.children as Node[]) if (child.type === 'JSXExpressionContainer') yielded(child.expression as Node);
    }
    if (one.type === 'JSXAttribute' && SPOKEN.has(String((one.name as Node).name))) {
      const value = one.value as Node | null;
      yielded(value?.type === 'JSXExpressionContainer' ? (value.expression as Node) : value);
    }
    if (one.type === 'CallExpression' && (one.callee as Node).name === 'toast') yielded((one.arguments as Node[])[1]);
    for (const [key, inner] of Object.entries(one)) if (key !== 'parent') visit(inner);
  };
  visit(parseAst(code, { lang: 'tsx' }));
  return found;
}

describe('the page’s code', () => {
  it('is seen through', () => {
    const code = 'const a = <p title="Go on" class="x">Hi {b ? "yes" : text.no} {`${n} cars`}</p>; toast("note", "Done it");';
    expect(literals(code).sort()).toEqual([' cars', 'Done it', 'Go on', 'Hi', 'yes']);
    expect(literals('const a = <td class="number" data-testid={`row-${k}`}>{text.a} · {b.c}</td>;')).toEqual([]);
  });

  const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.tsx'))
    .map((entry) => relative(SRC, join(entry.parentPath, entry.name)));
  it.each(files)('%s has its texts in a catalogue', (file) => {
    expect(literals(readFileSync(join(SRC, file), 'utf8'))).toEqual([]);
  });

  const rooms = files.length ? readdirSync(join(SRC, 'rooms'), { withFileTypes: true }).filter((entry) => entry.isDirectory()) : [];
  it.each(rooms.map((entry) => entry.name))('room %s is named in three languages', (name) => {
    const code = readFileSync(join(SRC, 'rooms', name, 'room.ts'), 'utf8');
    expect(code).toMatch(/ko: '[^']*\p{Script=Hangul}/u);
    expect(code).toMatch(/zh: '[^']*\p{Script=Han}/u);
  });
});
