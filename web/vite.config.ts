import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

// The API the development server passes requests to: `npm run dev` beside a running `civicbrain run CITY`.
const API = process.env['CIVICBRAIN_API'] ?? 'http://127.0.0.1:8080';

/** Writes name.gz beside each text file: the server sends it as it stands. Same input, same bytes. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir = 'dist' }) {
      for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|mjs|css|svg|html)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [precompress()],
  build: {
    target: 'es2022',
    sourcemap: false,
    manifest: 'build.json', // which file brings which: what the page loads before its lazy parts
    license: { fileName: 'third-party-licenses.md' },
    assetsInlineLimit: 0, // no data: addresses, so that a strict content-security policy holds
    chunkSizeWarningLimit: 2500,
  },
  server: { proxy: { '/v1': { target: API, ws: true } } },
});
